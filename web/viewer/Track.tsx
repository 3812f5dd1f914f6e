import { useMemo } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Timeline } from "../evidence/rest";
import { lastAt } from "../evidence/sync";
import { plan } from "./plan";

/** Where the caller was, drawn to scale: a copy on a disk has no map to draw it on. */
export function Track({ line, ms }: { line: Timeline; ms: number }) {
  const fixes = useMemo(() => line.positions.filter((p) => p.fix.source !== "text"), [line]);
  const p = useMemo(() => plan(fixes.map((f) => f.fix)), [fixes]);
  const here = lastAt(line.positions, ms);
  const at = here && fixes.indexOf(here);
  const now = at === undefined || at < 0 ? undefined : p.points[at];
  return (
    <section class="panel side place" aria-label={t("where")}>
      <h2>{t("where")}</h2>
      <p class="digits">{here ? `${here.fix.lat.toFixed(5)}, ${here.fix.lon.toFixed(5)} ${here.fix.accuracyM > 0 ? `±${Math.round(here.fix.accuracyM)} ${t("unit.m")}` : ""} ${here.fix.text ?? ""}` : t("nowhere")}</p>
      {p.points.length > 0 && (
        <svg class="track" viewBox={`0 0 ${p.size} ${p.size}`} role="img" aria-label={t("where")}>
          <polyline points={p.points.map((q) => `${q.x},${q.y}`).join(" ")} />
          {p.points.map((q, i) => <circle key={i} cx={q.x} cy={q.y} r={3} class={at !== undefined && i <= at ? "past" : ""} />)}
          {now && <circle cx={now.x} cy={now.y} r={Math.max(6, now.r)} class="accuracy" />}
          {now && <circle cx={now.x} cy={now.y} r={6} class="here" />}
          <path d={`M 20 ${p.size - 24} v 6 h ${p.bar.length} v -6`} class="scalebar" />
          <text x={20} y={p.size - 30}>{p.bar.metres >= 1000 ? `${p.bar.metres / 1000} km` : `${p.bar.metres} ${t("unit.m")}`}</text>
          <text x={p.size - 34} y={30}>↑ {t("viewer.north")}</text>
        </svg>
      )}
    </section>
  );
}
