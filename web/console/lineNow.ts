/** Whose silence is it: the line's or the caller's? Pure. */
import type { Line } from "../lib/peer";
import type { CallCard } from "../lib/wire.gen";

/** own: this page's line is dead. far: the gateway has nothing from the caller. micOff: there is nothing to hear.
 * quiet: the line works, the caller says nothing. voice: the caller is heard. waiting: nothing was heard so far. */
export type LineWord = "own" | "far" | "micOff" | "quiet" | "voice" | "waiting";

/** A pause in speech is no news; a silence is. */
export const pauseMs = 4000;
/** What a healthy line does for itself within this is not told. */
export const tellAfterMs = 700;

/** What the operator is told. lineMs: how long the line has been as it is; loudMs: since something was audible. */
export function lineWord(card: Pick<CallCard, "phase" | "media">, line: Line, lineMs: number, loudMs: number): LineWord {
  const told = lineMs >= tellAfterMs;
  if (line === "own" && told) return "own";
  if (card.media.mic !== "on" || card.phase === "hold") return "micOff";
  if (line === "none") return "waiting";
  if (line === "far" && told) return "far";
  return loudMs < pauseMs ? "voice" : "quiet";
}
