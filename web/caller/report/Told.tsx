import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../../lib/i18n";

export interface Reply {
  atMs: number;
  status: string;
  text: string;
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000]];

/** Pure: how long ago something was, in the words of the language. */
export function ago(atMs: number, nowMs: number, language: string): string {
  const ms = Math.max(0, nowMs - atMs);
  const [unit, size] = units.find(([, size]) => ms >= size) ?? ["second", 1000];
  return new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" }).format(-Math.floor(ms / size), unit);
}

/** How old something is, counted on. */
export function Ago({ at, language }: { at: number; language: Lang }) {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return <span class="age">{ago(at, Math.max(now, at), language)}</span>;
}

/** What a citizen was told of their case, in order; the newest counts. */
export function Told({ replies, language }: { replies: readonly Reply[]; language: Lang }) {
  return (
    <ol class="told">
      {replies.map((x, i) => (
        <li key={`${x.atMs}${i}`} aria-current={i === replies.length - 1 ? "step" : undefined}>
          <span class="age">{new Date(x.atMs).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })}</span> {t(`status.${x.status}`)}
          {x.text && <p class="reply">{x.text}</p>}
        </li>
      ))}
    </ol>
  );
}
