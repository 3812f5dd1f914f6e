import { t } from "../lib/i18n";
import type { Timeline } from "./rest";
import { callClock } from "./sync";
import { eventName } from "./words";

interface Entry { ms: number; what: string; from: string; photo?: string }

/** Events and chat in order; those after the playhead are pale. */
export function Log({ line, ms, onSeek, photo }: { line: Timeline; ms: number; onSeek: (ms: number) => void; photo: (file: string) => string }) {
  const all: Entry[] = [
    ...line.events.filter((e) => e.kind !== "quality").map((e) => ({ ms: e.ms, what: eventName(e.kind, e.details), from: "event" })),
    ...line.chat.map((c) => ({
      ms: c.ms, from: c.item.from,
      what: `${c.item.from === "caller" ? t("role.caller") : t("role.operator")}: ${c.item.text || c.item.file?.name || ""}`,
      ...(c.item.file && photo(c.item.file.file) ? { photo: photo(c.item.file.file) } : {}),
    })),
  ].sort((a, b) => a.ms - b.ms);
  return (
    <section class="panel log" aria-label={t("events")}>
      <h2>{t("events")}</h2>
      <ol>
        {all.map((e, i) => (
          <li key={i} data-from={e.from} data-past={e.ms <= ms}>
            <button type="button" class="digits" onClick={() => onSeek(e.ms)}>{callClock(e.ms)}</button>
            <span>{e.what}</span>
            {e.photo && <img src={e.photo} alt={e.what} loading="lazy" />}
          </li>
        ))}
      </ol>
    </section>
  );
}
