import type { Held, Line, OnDuty } from "./api";
import { addDays, siteClock, weekdayOf } from "./figures";

/** Pure: a week of the roster, and when a hand-over is due. */

/** A person's shifts in a week, by day. */
export interface PersonWeek { staff: string; name: string; days: Line[][] }

/** Monday of the week of a day. */
export function mondayOf(day: string): string {
  return addDays(day, 1 - weekdayOf(day));
}

export function weekDays(monday: string): string[] {
  return Array.from({ length: 7 }, (_, i) => addDays(monday, i));
}

/** Midnight of a day on the site's clocks. */
export function midnight(day: string, utcMin: number): number {
  return Date.parse(`${day}T00:00:00Z`) - utcMin * 60_000;
}

/** The moment of a time of day, "08:00", on the site's clocks. */
export function momentOf(day: string, time: string, utcMin: number): number {
  const [h = 0, m = 0] = time.split(":").map(Number);
  return midnight(day, utcMin) + (h * 60 + m) * 60_000;
}

/** Begin and end of a shift: an end that is not after the beginning is of the next day. */
export function shiftTimes(day: string, from: string, to: string, utcMin: number): { fromMs: number; toMs: number } {
  const fromMs = momentOf(day, from, utcMin);
  const toMs = momentOf(day, to, utcMin);
  return { fromMs, toMs: toMs > fromMs ? toMs : toMs + 86_400_000 };
}

/** The week by person, each shift on the day it begins; people as given first, then others who have a shift. */
export function weekOf(lines: Line[], monday: string, utcMin: number, people: { staff: string; name: string }[] = []): PersonWeek[] {
  const days = weekDays(monday);
  const rows = new Map<string, PersonWeek>();
  for (const p of people) rows.set(p.staff, { staff: p.staff, name: p.name, days: days.map(() => []) });
  for (const l of [...lines].sort((a, b) => a.fromMs - b.fromMs)) {
    const at = days.indexOf(siteClock(l.fromMs, utcMin).day);
    if (at < 0) continue;
    const row = rows.get(l.staff) ?? { staff: l.staff, name: l.name, days: days.map(() => []) };
    row.days[at]?.push(l);
    rows.set(l.staff, row);
  }
  return [...rows.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** "08:00–20:00" on the site's clocks. */
export function timesOf(l: Pick<Line, "fromMs" | "toMs">, utcMin: number): string {
  return `${siteClock(l.fromMs, utcMin).time}–${siteClock(l.toMs, utcMin).time}`;
}

/** How long before the end of a shift the hand-over is proposed, and how long after it is still remembered. */
export const proposeMs = 30 * 60_000;
const rememberMs = 12 * 3_600_000;

export interface Proposal { endsMs: number; over: boolean; cases: number }

/** Whether somebody should hand over now: their shift ends soon, or is over, and cases are in their hands that nobody was offered. */
export function proposal(me: string, on: OnDuty[], lines: Line[], mine: Held[], nowMs: number): Proposal | undefined {
  const open = mine.filter((h) => !h.handing).length;
  if (open === 0) return undefined;
  const ends = on.find((o) => o.staff === me && o.untilMs > 0)?.untilMs
    ?? lines.filter((l) => l.staff === me && l.toMs <= nowMs && nowMs - l.toMs < rememberMs).reduce((last, l) => Math.max(last, l.toMs), 0);
  if (ends === 0 || ends - nowMs > proposeMs) return undefined;
  if (ends <= nowMs && lines.some((l) => l.staff === me && l.fromMs <= nowMs && l.toMs > nowMs)) return undefined; // their next one has begun
  return { endsMs: ends, over: ends <= nowMs, cases: open };
}

/** A name of a line, chosen here: sent twice it is one. 26 letters as the gateway's own. */
export function lineID(random: (n: number) => Uint8Array = (n) => crypto.getRandomValues(new Uint8Array(n))): string {
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return [...random(26)].map((b) => letters[b % 32]).join("");
}
