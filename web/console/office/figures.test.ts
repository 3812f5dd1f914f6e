import { describe, expect, test } from "vitest";
import type { Answer, Figures, Row, Times } from "./api";
import { addDays, before, count, dayCurve, daysBetween, edge, percent, share, siteClock, span, spanOf, steps, tileValue, trend, utc, week, weekdayOf, within } from "./figures";

const units = { s: "s", h: "h", d: "d" };
const times = (n: number, ...w: number[]): Times => ({ n, meanMs: 0, p50Ms: 0, p90Ms: 0, p95Ms: 0, within: w });
const row = (key: string, contacts: number) => ({ key, contacts }) as Row;

describe("days and spans", () => {
  test("go over months, leap years and weeks", () => {
    expect([addDays("2026-02-28", 1), addDays("2024-02-28", 1), addDays("2026-01-01", -1)]).toEqual(["2026-03-01", "2024-02-29", "2025-12-31"]);
    expect([weekdayOf("2026-11-23"), weekdayOf("2026-11-29"), weekdayOf("1970-01-01")]).toEqual([1, 7, 4]);
  });
  test("the span before has as many days and ends right before", () => {
    for (const id of ["today", "week", "month", "year"] as const) {
      const s = spanOf(id, "2026-11-24");
      const b = before(s);
      expect([daysBetween(b.first, b.last), addDays(b.last, 1), s.last]).toEqual([daysBetween(s.first, s.last), s.first, "2026-11-24"]);
    }
  });
  test("one's own span is put in order, and nonsense is today", () => {
    expect(spanOf("own", "2026-11-24", { first: "2026-11-20", last: "2026-11-10" })).toEqual({ first: "2026-11-10", last: "2026-11-20" });
    expect(spanOf("own", "2026-11-24", { first: "x", last: "2026-13-45" })).toEqual({ first: "2026-11-24", last: "2026-11-24" });
  });
});

describe("numbers as people read them", () => {
  test("a share that misses its target is not rounded up to it", () => expect([percent(0.8996, true), percent(0.9, true), percent(undefined)]).toEqual(["89.9 %", "90 %", "–"]));
  test("nothing of nothing is not 0 %", () => expect([share(0, 0), share(0, 4)]).toEqual([undefined, 0]));
  test("thousands stand apart", () => expect([count(0), count(999), count(1234567)]).toEqual(["0", "999", "1\u00a0234\u00a0567"]));
  test("times have the unit that fits", () => expect([span(4200, units), span(41_000, units), span(194_000, units), span(3_700_000, units), span(3 * 86_400_000, units)]).toEqual(["4.2 s", "41 s", "03:14", "1:01:40", "3 d"]));
  test("an edge is said in its own unit", () => expect([5000, 90_000, 180_000, 3_600_000, 86_400_000, 7 * 86_400_000].map((ms) => edge(ms, { ...units, min: "min" }))).toEqual(["5 s", "90 s", "3 min", "1 h", "24 h", "7 d"]));
  test("an empty hour is 0 and not blank; nothing to measure is a dash", () => {
    const shown = (unit: "count" | "s" | "share", v: number | undefined) => tileValue({ unit }, v, units);
    expect([shown("count", 0), shown("s", 0), shown("s", 41), shown("share", undefined), shown("share", 1), shown("share", 0.29)]).toEqual(["0", "00:00", "00:41", "–", "100 %", "29 %"]);
    expect([shown("s", 4 * 3600), shown("s", 4 * 3600 + 12 * 60 + 5), shown("s", 9.5 * 86_400)]).toEqual(["4 h", "4:12 h", "9 d"]);
  });
  test("a trend is known only from two figures", () => expect([trend(3, 1), trend(1, 3), trend(2, 2), trend(undefined, 2), trend(2, undefined)]).toEqual([1, -1, 0, undefined, undefined]));
});

test("a distribution has every time in one step", () => {
  const list = steps(times(10, 2, 7, 7), [5000, 15000, 20000]);
  expect(list.map((s) => s.n)).toEqual([2, 5, 0, 3]);
  expect(list.reduce((n, s) => n + s.n, 0)).toBe(10);
  expect(list.map((s) => s.upTo)).toEqual([0.2, 0.7, 0.7, 1]);
  expect(steps(times(0), [5000]).map((s) => s.share)).toEqual([0, 0]);
});

test("the share within a target is that of its edge", () => {
  const a = { edges: [{ measure: "answer", ms: [5000, 15000] }] } as Answer;
  expect(within(a, { answer: times(8, 1, 6) } as Figures, "answer", 15000)).toBe(0.75);
  expect(within(a, { answer: times(8, 1, 6) } as Figures, "answer", 9000)).toBeUndefined();
  expect(within(a, { answer: times(0, 0, 0) } as Figures, "answer", 5000)).toBeUndefined();
});

test("a week keeps every contact, whatever the width of its columns", () => {
  const rows = Array.from({ length: 168 }, (_, i) => row(`${Math.floor(i / 24) + 1}-${String(i % 24).padStart(2, "0")}`, i));
  for (const hours of [1, 2, 4]) {
    const w = week(rows, hours);
    expect([w.length, w[0]?.length]).toEqual([7, 24 / hours]);
    expect(w.flat().reduce((a, b) => a + b, 0)).toBe((167 * 168) / 2);
  }
  expect(week(rows, 2)[6]?.[11]).toBe(166 + 167);
});

test("today's curve stops at the hour that it is, the usual day goes on", () => {
  const c = dayCurve([row("00", 1), row("01", 0), row("02", 0)], [row("00", 8), row("01", 4), row("02", 2)], 1, 4);
  expect(c).toEqual([{ hour: "00", now: 1, usual: 2 }, { hour: "01", now: 0, usual: 1 }, { hour: "02", now: undefined, usual: 0.5 }]);
});

test("times are the site's, not this machine's", () => {
  expect(siteClock(Date.UTC(2026, 10, 24, 19, 30), 300)).toEqual({ day: "2026-11-25", hour: 0, time: "00:30" });
  expect([utc(300), utc(330), utc(-210), utc(0)]).toEqual(["UTC+5", "UTC+5:30", "UTC−3:30", "UTC+0"]);
});
