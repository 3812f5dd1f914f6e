/** What a network carries, from pictures down to words. Pure: no clock, socket or DOM. docs/PROTOCOL.md, "Thin
 * networks". */
import type { Rung } from "./wire.gen";

/** From least to most. "sos" is the gateway's word for those who have no page. */
export const rungs: Rung[] = ["text", "notes", "audio", "thin", "video"];

/** What is measured, about once a second. */
export interface Signs {
  link: boolean; // the gateway has been heard lately
  rttMs: number; // of words, as they come now; 0: not known yet
  media: "none" | "coming" | "stuck" | "up"; // stuck: it should have come up long ago
  loss: number; // of sound, the worse direction, 0 to 1
  picture: "on" | "thin" | "off"; // what the gateway leaves room for
  slow: boolean; // the browser itself says that it is on 2G
  probed: boolean; // the way of sound has just been tried and was wide enough
}

export interface Ladder {
  rung: Rung;
  want: Rung; // what the newest signs say
  sinceMs: number; // since when they have said so
  movedMs: number;
  falls: number; // from sound to notes: each makes the next climb later
}

const fallAfter = 2500; // of signs that say less: longer costs words, shorter lets one bad moment end a talk
const giveUpAfter = 6000; // of sound that is lost although pictures end: the way needs so long to be rid of them and to be told of
const riseAfter = 6000;
const slowWords = 900; // round trip at which sound is not begun
const quickWords = 600; // round trip at which it is tried again: well below, so that it does not swing
const lostWords = 3000; // round trip at which a running talk is not one any more
const lostSound = 0.4; // share of sound that no repair brings back on a line that is full
const firstProbe = 20000;
const longestProbe = 300000;

export function rank(r: Rung): number {
  return rungs.indexOf(r);
}

/** Whether nothing but words and notes goes at this rung. */
export function wordy(r: Rung): boolean {
  return rank(r) < rank("audio");
}

/** The rung that a page begins on. */
export function begin(s: Signs, nowMs: number): Ladder {
  const rung = s.slow || s.rttMs >= slowWords ? "notes" : "video";
  return { rung, want: rung, sinceMs: nowMs, movedMs: nowMs, falls: 0 };
}

/** What the signs alone say, for somebody who stands on a rung. */
export function reach(s: Signs, at: Rung): Rung {
  if (!s.link && s.media !== "up") return "text";
  if (s.media === "stuck") return "notes";
  const flows = s.media === "up" && !wordy(at);
  if (flows && (s.loss > lostSound || s.rttMs > lostWords)) return at === "audio" ? "notes" : "audio"; // pictures give way first
  if (!flows && !s.probed && (s.slow || s.rttMs === 0 || s.rttMs > (wordy(at) ? quickWords : slowWords))) return "notes";
  return s.picture === "off" ? "audio" : s.picture === "thin" ? "thin" : "video";
}

/** How long to wait on a wordy rung before the way of sound is tried although words are slow: a satellite is slow and wide. */
export function probeAfter(l: Ladder): number {
  return Math.min(longestProbe, firstProbe * 2 ** l.falls);
}

/** The ladder a moment later. Down at once to what is left, up one rung at a time. */
export function step(l: Ladder, s: Signs, nowMs: number): Ladder {
  const want = reach(s, l.rung);
  if (want === l.rung) return l.want === want ? l : { ...l, want, sinceMs: nowMs };
  const same = rank(want) < rank(l.rung) === rank(l.want) < rank(l.rung) && l.want !== l.rung;
  const sinceMs = same ? l.sinceMs : nowMs;
  const next = { ...l, want, sinceMs };
  const words = wordy(l.rung) && wordy(want);
  if (rank(want) < rank(l.rung)) {
    if (nowMs - sinceMs < (want === "notes" && s.media === "up" ? giveUpAfter : fallAfter)) return next;
    const fell = wordy(want) && !wordy(l.rung);
    return { ...next, rung: want, sinceMs: nowMs, movedMs: nowMs, falls: l.falls + (fell ? 1 : 0) };
  }
  const patience = words || s.probed ? 0 : wordy(l.rung) ? Math.min(longestProbe, riseAfter * 2 ** l.falls) : riseAfter;
  if (nowMs - sinceMs < patience) return next;
  return { ...next, rung: rungs[rank(l.rung) + 1] ?? want, sinceMs: nowMs, movedMs: nowMs };
}

/** Bits a second, in thousands, of an exchange that took longer than a round trip by what its bytes needed. */
export function widthKbps(bytes: number, tookMs: number, rttMs: number): number {
  return (8 * bytes) / Math.max(1, tookMs - rttMs);
}

/** What sound needs both ways with its headers; below it the way is not worth opening. */
export const soundKbps = 60;
