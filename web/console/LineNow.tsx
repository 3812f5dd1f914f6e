import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { duration } from "./clock";
import { useConsole } from "./context";
import { type LineWord, lineWord } from "./lineNow";

const look = 250;
const audible = 0.008; // of full scale: breath and a room are above it, a line without sound is not

/** What the line does at the moment, looked at four times a second. */
export function useLine(card: CallCard): { word: LineWord; silentMs: number } {
  const { seat, desk } = useConsole();
  const since = useRef({ line: seat.line, at: Date.now(), loud: Date.now() });
  const [now, setNow] = useState(Date.now);
  if (since.current.line !== seat.line) Object.assign(since.current, { line: seat.line, at: Date.now() });
  useEffect(() => {
    const timer = setInterval(() => {
      desk.callerLevel().then((level) => {
        if ((level ?? 0) > audible) since.current.loud = Date.now();
      }, () => undefined);
      setNow(Date.now());
    }, look);
    return () => clearInterval(timer);
  }, [desk]);
  const { at, loud } = since.current;
  return { word: lineWord(card, seat.line, now - at, now - loud), silentMs: now - loud };
}

/** Whether silence is the line or the caller, at a glance. */
export function LineNow({ card }: { card: CallCard }) {
  const { word, silentMs } = useLine(card);
  const held = card.phase === "hold";
  return (
    <p class={`linenow ${word}`} data-line={word}>
      <i aria-hidden="true" /> {t(held && word === "micOff" ? "line.hold" : `line.${word}`)}
      {word === "quiet" && <span aria-hidden="true" class="clock"> {duration(silentMs)}</span>}
    </p>
  );
}
