import { t } from "../lib/i18n";
import type { Player } from "./Player";
import { callClock } from "./sync";

const rates = [0.5, 1, 1.5, 2, 4];

/** Buttons for what the keys do, so that nothing needs a keyboard. */
export function Controls({ p, speed, setSpeed, openedMs, durationMs, language, onMark, onCite, onHelp }: {
  p: Player; speed: number; setSpeed: (s: number) => void; openedMs: number; durationMs: number; language: string;
  onMark: () => void; onCite: () => void; onHelp: () => void;
}) {
  const wall = new Date(openedMs + p.ms);
  return (
    <div class="panel controls">
      <button type="button" class="go play" onClick={() => p.toggle()}>{p.playing ? t("pause") : t("play")}</button>
      <span class="digits big">{callClock(p.ms)}</span>
      <time class="digits" dateTime={wall.toISOString()}>{wall.toLocaleTimeString(language)}</time>
      <label>{t("speed")}
        <select value={speed} onChange={(e) => setSpeed(Number(e.currentTarget.value))}>
          {rates.map((s) => <option key={s} value={s}>{s.toLocaleString(language)}×</option>)}
        </select>
      </label>
      <button type="button" aria-pressed={p.looped !== undefined || p.looping} onClick={p.loop}>{t(p.looping ? "loop.end" : p.looped ? "loop.off" : "loop")}</button>
      <button type="button" onClick={onMark}>{t("marker")}</button>
      <button type="button" onClick={onCite}>{t("cite")}</button>
      <button type="button" aria-label={t("help")} onClick={onHelp}>?</button>
      <input class="grow" type="range" aria-label={t("at")} aria-valuetext={callClock(p.ms)} min="0" max={durationMs} step="100" value={p.ms} onInput={(e) => p.seek(Number(e.currentTarget.value))} />
    </div>
  );
}
