/** m:ss up to an hour, h:mm:ss above; never negative. Read the same in every language. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}

/** Whole seconds left until a moment, at least 0. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
}

/** A position older than this is no longer where the caller is. UX.md 1.2. */
export const staleAfterMs = 30_000;

/** "14:22:07" of this machine's zone. */
export function timeOfDay(ms: number): string {
  const d = new Date(ms);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

/** "23.11.2026", the order of days in Kazakh and Russian. */
export function dayOf(ms: number): string {
  const d = new Date(ms);
  return `${String(d.getDate()).padStart(2, "0")}.${String(d.getMonth() + 1).padStart(2, "0")}.${d.getFullYear()}`;
}

/** A bounded age in the unit people use: seconds, minutes, hours, days. */
export function age(ms: number): { n: number; unit: "s" | "min" | "h" | "d" } {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 90) return { n: s, unit: "s" };
  if (s < 90 * 60) return { n: Math.round(s / 60), unit: "min" };
  if (s < 36 * 3600) return { n: Math.round(s / 3600), unit: "h" };
  return { n: Math.round(s / 86_400), unit: "d" };
}

/** A phone number in groups, as one reads it out: +7 701 555 12 12. Others stay as they are. */
export function phone(e164: string): string {
  const m = /^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(e164);
  return m ? `+7 ${m[1]} ${m[2]} ${m[3]} ${m[4]}` : e164;
}
