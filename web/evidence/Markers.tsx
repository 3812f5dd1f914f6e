import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { callClock } from "./sync";

const kept = (call: string) => `jedel.evidence.markers.${call}`;

/** The moments somebody marked, kept for this tab. Only times are kept, nothing of the call. */
export function useMarkers(call: string): { list: number[]; add: (ms: number) => void; drop: (ms: number) => void } {
  const [list, set] = useState<number[]>(() => load(call));
  const change = (next: number[]) => {
    set(next);
    try {
      sessionStorage.setItem(kept(call), JSON.stringify(next));
    } catch {
      // A browser without storage forgets them with the page.
    }
  };
  return {
    list,
    add: (ms) => change([...new Set([...list, Math.round(ms)])].sort((a, b) => a - b).slice(0, 500)),
    drop: (ms) => change(list.filter((m) => m !== ms)),
  };
}

function load(call: string): number[] {
  try {
    const v: unknown = JSON.parse(sessionStorage.getItem(kept(call)) ?? "[]");
    return Array.isArray(v) ? v.filter((n): n is number => typeof n === "number" && n >= 0).slice(0, 500) : [];
  } catch {
    return [];
  }
}

export function Markers({ list, onSeek, onCite, onDrop }: { list: number[]; onSeek: (ms: number) => void; onCite: (ms: number) => void; onDrop: (ms: number) => void }) {
  if (list.length === 0) return null;
  return (
    <section class="panel" aria-label={t("markers")}>
      <h2>{t("markers")}</h2>
      <ul class="markers">
        {list.map((ms) => (
          <li key={ms} class="row">
            <button type="button" class="digits" onClick={() => onSeek(ms)}>{callClock(ms)}</button>
            <button type="button" onClick={() => onCite(ms)}>{t("cite")}</button>
            <button type="button" onClick={() => onDrop(ms)}>{t("marker.drop")}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
