import { duration } from "../clock";
import type { Answer, Figures, Measure, Row, Tile, Times } from "./api";

/** Pure: numbers as people read them, days, spans, distributions. */

/** A day of the calendar, "2026-11-24", so many days on. */
export function addDays(day: string, n: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
}

/** 1, Monday, to 7. */
export function weekdayOf(day: string): number {
  return ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;
}

export function daysBetween(first: string, last: string): number {
  return Math.round((Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000) + 1;
}

/** "24.11.2026" as days are written in Kazakh and Russian. */
export function dayWords(day: string): string {
  return day.split("-").reverse().join(".");
}

export const spans = ["today", "week", "month", "year", "own"] as const;
export type SpanID = (typeof spans)[number];
export interface Span { first: string; last: string }

/** The days of a span that ends today; those asked for where it is one's own. */
export function spanOf(id: SpanID, today: string, own?: Partial<Span>): Span {
  const back = { today: 0, week: 6, month: 29, year: 364 };
  if (id !== "own") return { first: addDays(today, -back[id]), last: today };
  const first = valid(own?.first) ? own.first : today;
  const last = valid(own?.last) ? own.last : today;
  return first <= last ? { first, last } : { first: last, last: first };
}

function valid(day: string | undefined): day is string {
  return day !== undefined && /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day));
}

/** As many days right before a span. */
export function before(s: Span): Span {
  const n = daysBetween(s.first, s.last);
  return { first: addDays(s.first, -n), last: addDays(s.last, -n) };
}

export function share(n: number, of: number): number | undefined {
  return of > 0 ? n / of : undefined;
}

/** "93 %"; tenths where they decide: 89.6 % is not 90 %. */
export function percent(v: number | undefined, tenths = false): string {
  if (v === undefined) return "–";
  return `${tenths ? Math.floor(v * 1000 + 1e-9) / 10 : Math.round(v * 100)} %`;
}

/** "1 234": thousands stand apart, and stay on one line. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** A time as people say it: seconds below a minute, then m:ss, then hours. */
export function span(ms: number, units: { s: string; h: string; d: string }): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} ${units.s}`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} ${units.s}`;
  if (ms < 48 * 3_600_000) return duration(ms);
  return `${Math.round(ms / 86_400_000)} ${units.d}`;
}

/** A round time: "15 s", "3 min", "24 h", "7 d". */
export function edge(ms: number, units: { s: string; min: string; h: string; d: string }): string {
  if (ms % 86_400_000 === 0 && ms > 86_400_000) return `${ms / 86_400_000} ${units.d}`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} ${units.h}`;
  if (ms % 60_000 === 0) return `${ms / 60_000} ${units.min}`;
  return `${ms / 1000} ${units.s}`;
}

/** What a tile shows: seconds run up to an hour, then they are noise. */
export function tileValue(t: Pick<Tile, "unit">, v: number | undefined, units: { s: string; h: string; d: string }): string {
  if (v === undefined) return "–";
  if (t.unit === "share") return percent(v, true);
  if (t.unit === "count") return count(v);
  if (v < 3600) return duration(v * 1000);
  if (v >= 48 * 3600) return `${Math.floor(v / 86_400)} ${units.d}`;
  const min = Math.floor(v / 60) % 60;
  return `${Math.floor(v / 3600)}${min ? `:${String(min).padStart(2, "0")}` : ""} ${units.h}`;
}

/** How a figure moves: up, down or level; undefined where it is not known. */
export function trend(now: number | undefined, was: number | undefined): -1 | 0 | 1 | undefined {
  if (now === undefined || was === undefined) return undefined;
  return Math.sign(now - was) as -1 | 0 | 1;
}

/** One step of a distribution: longer than the step before, up to toMs; without it, longer still. */
export interface Step { fromMs: number; toMs?: number; n: number; share: number; upTo: number }

/** What a measure's times are made of, step by step, from how many are within each edge. */
export function steps(times: Times, edges: number[]): Step[] {
  const out: Step[] = [];
  let last = 0;
  edges.forEach((ms, i) => {
    const within = times.within[i] ?? 0;
    out.push({ fromMs: edges[i - 1] ?? 0, toMs: ms, n: within - last, share: share(within - last, times.n) ?? 0, upTo: share(within, times.n) ?? 0 });
    last = within;
  });
  out.push({ fromMs: edges.at(-1) ?? 0, n: times.n - last, share: share(times.n - last, times.n) ?? 0, upTo: times.n > 0 ? 1 : 0 });
  return out;
}

export function edgesOf(a: Answer, m: Measure): number[] {
  return a.edges.find((e) => e.measure === m)?.ms ?? [];
}

/** Which share of a measure's times is within a target; undefined where nothing was measured. */
export function within(a: Answer, f: Figures, m: Measure, ms: number): number | undefined {
  const i = edgesOf(a, m).indexOf(ms);
  return i < 0 ? undefined : share(f[m].within[i] ?? 0, f[m].n);
}

/** Cells of a week: rows are weekdays, columns so many hours each. */
export function week(rows: Pick<Row, "key" | "contacts">[], hours: number): number[][] {
  const out = Array.from({ length: 7 }, () => new Array<number>(24 / hours).fill(0));
  for (const r of rows) {
    const [d = 0, h = 0] = r.key.split("-").map(Number);
    const line = out[d - 1];
    if (line) line[Math.floor(h / hours)] = (line[Math.floor(h / hours)] ?? 0) + r.contacts;
  }
  return out;
}

/** Hours of today that have begun, and what such a day usually has: today stops where it is. */
export function dayCurve(today: Row[], usual: Row[], hourNow: number, days: number): { hour: string; now: number | undefined; usual: number }[] {
  return today.map((r, h) => ({ hour: r.key, now: h <= hourNow ? r.contacts : undefined, usual: (usual[h]?.contacts ?? 0) / days }));
}

/** A moment on the site's clocks: its day and its minutes. */
export function siteClock(ms: number, utcMin: number): { day: string; hour: number; time: string } {
  const d = new Date(ms + utcMin * 60_000).toISOString();
  return { day: d.slice(0, 10), hour: Number(d.slice(11, 13)), time: d.slice(11, 16) };
}

/** "UTC+5", "UTC+5:30". */
export function utc(min: number): string {
  const sign = min < 0 ? "−" : "+";
  const m = Math.abs(min) % 60;
  return `UTC${sign}${Math.floor(Math.abs(min) / 60)}${m ? `:${String(m).padStart(2, "0")}` : ""}`;
}
