import { expect, test } from "vitest";
import type { Held, Line } from "./api";
import { lineID, midnight, mondayOf, proposal, proposeMs, shiftTimes, timesOf, weekOf } from "./shifts";

const line = (staff: string, fromMs: number, hours: number, more: Partial<Line> = {}): Line => ({ line: staff + fromMs, staff, name: staff, role: "operator", seat: "", unit: "", fromMs, toMs: fromMs + hours * 3_600_000, ...more });
const held = (handing = ""): Held => ({ case: "c", number: "1", unit: "", owner: "a", handing });
const now = Date.UTC(2026, 10, 24, 14, 40);

test("a night shift is of the day it begins and ends on the next", () => {
  const at = shiftTimes("2026-11-24", "20:00", "08:00", 300);
  expect([at.toMs - at.fromMs, new Date(at.fromMs).toISOString()]).toEqual([12 * 3_600_000, "2026-11-24T15:00:00.000Z"]);
  expect(timesOf(at, 300)).toBe("20:00–08:00");
  expect(mondayOf("2026-11-29")).toBe("2026-11-23");
  const week = weekOf([line("b", at.fromMs, 12), line("a", midnight("2026-11-23", 300), 8)], "2026-11-23", 300, [{ staff: "z", name: "z" }]);
  expect(week.map((p) => p.name)).toEqual(["a", "b", "z"]);
  expect(week.map((p) => p.days.map((d) => d.length).join(""))).toEqual(["1000000", "0100000", "0000000"]);
});

test("a hand-over is proposed when a shift ends and cases are left in hand", () => {
  const on = [{ staff: "a", name: "a", line: "x", sinceMs: 0, untilMs: now + proposeMs }];
  expect(proposal("a", on, [], [held(), held("b")], now)).toEqual({ endsMs: now + proposeMs, over: false, cases: 1 });
  expect(proposal("a", on, [], [held()], now - 1)).toBeUndefined(); // not yet
  expect(proposal("a", on, [], [], now)).toBeUndefined();
  expect(proposal("a", on, [], [held("b")], now)).toBeUndefined(); // everything is offered
  expect(proposal("b", on, [], [held()], now)).toBeUndefined(); // no roster for them
  const over = [line("a", now - 13 * 3_600_000, 12)];
  expect(proposal("a", [], over, [held()], now)?.over).toBe(true);
  expect(proposal("a", [], [...over, line("a", now - 3_600_000, 12)], [held()], now)).toBeUndefined(); // the next one has begun
  expect(proposal("a", [], over, [held()], now + 13 * 3_600_000)).toBeUndefined();
});

test("a line's name is one that the gateway takes", () => {
  expect(lineID()).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(lineID()).not.toBe(lineID());
});
