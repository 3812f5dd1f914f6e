import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { FileRef, MediaState, Rung } from "../lib/wire.gen";
import { fileURL } from "./rest";

const signs: Partial<Record<Rung, string>> = {
  audio: "M4 10v4h4l5 4V6l-5 4zM17 9a4 4 0 0 1 0 6M19.500 6.500a8 8 0 0 1 0 11",
  notes: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5 11a7 7 0 0 0 14 0M12 18v3",
  text: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  sos: "M12 3 22 20H2zM12 9v5M12 17v.5",
};

/** What the caller's network carries, where that is less than a talk with pictures: a sign and words. */
export function RungBadge({ media }: { media: { rung?: Rung } }) {
  const rung = media.rung;
  const sign = rung && signs[rung];
  if (!sign) return null;
  return (
    <b class={`rung ${rung}`}>
      <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
        <path d={sign} />
      </svg>
      {t(`rung.${rung}`)}
    </b>
  );
}

/** Whether words and notes are all that reaches the caller. */
export function wordy(m: MediaState): boolean {
  return m.rung === "notes" || m.rung === "text" || m.rung === "sos";
}

/** What the operator can do on such a network. */
export function rungLines(m: MediaState): [string, string][] {
  if (!wordy(m)) return [];
  const lines: [string, string][] = [["bad", t(`rung.${m.rung}.do`)]];
  if (m.battery !== undefined) lines.push([m.battery <= 15 ? "bad" : "warn", t("rung.battery", { n: m.battery })]);
  return lines;
}

/** Recorders write no length: the player finds it by looking for the end. */
function measure(el: HTMLAudioElement): void {
  if (Number.isFinite(el.duration)) return;
  el.addEventListener("durationchange", () => (el.currentTime = 0), { once: true });
  el.currentTime = 1e6;
}

/** A voice note in the chat: fetched when it is wanted, played in place, as often as needed. */
export function VoiceNote({ call, file }: { call: string; file: FileRef }) {
  const [url, setURL] = useState("");
  const [failed, setFailed] = useState(false);
  const player = useRef<HTMLAudioElement>(null);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  useEffect(() => {
    if (url) void player.current?.play().catch(() => undefined);
  }, [url]);
  const load = async () => {
    setFailed(false);
    try {
      const r = await fetch(fileURL(call, file.file));
      if (!r.ok) throw new Error(String(r.status));
      setURL(URL.createObjectURL(new Blob([await r.arrayBuffer()], { type: file.mime })));
    } catch {
      setFailed(true);
    }
  };
  return (
    <div class="voicenote">
      {url ? <audio ref={player} src={url} controls aria-label={t("voicenote")} onLoadedMetadata={(e) => measure(e.currentTarget)} /> : (
        <button type="button" onClick={() => void load()}>
          <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="currentColor"><path d="M7 4v16l13-8z" /></svg>
          {t("voicenote.play")} <span class="hint">{Math.max(1, Math.round(file.bytes / 1000))} {t("unit.kb")}</span>
        </button>
      )}
      {failed && <p class="bad">{t("voicenote.failed")}</p>}
    </div>
  );
}
