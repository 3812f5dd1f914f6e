import { useMemo } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { MapView } from "../map/MapView";
import type { Timeline } from "./rest";
import { lastAt } from "./sync";

const old = 30_000; // ms after which a position is no longer where somebody is

/** Where the caller was at this moment. */
export function Place({ line, ms, language, theme }: { line: Timeline; ms: number; language: Lang; theme: "dark" | "light" }) {
  const here = lastAt(line.positions, ms);
  const count = line.positions.filter((p) => p.ms <= ms).length;
  const track = useMemo(() => line.positions.slice(0, count).map((p) => p.fix), [line, count]);
  const points = useMemo(() => [], []);
  const words = useMemo(
    () => ({ name: t("map.name"), zoomIn: t("map.zoomin"), zoomOut: t("map.zoomout"), credit: t("map.credit"), loading: t("map.loading"), failed: t("map.failed"), retry: t("retry") }),
    [language],
  );
  const first = line.positions[0]?.fix;
  return (
    <section class="panel side place" aria-label={t("where")}>
      <h2>{t("where")}</h2>
      <p class="digits">{here ? `${here.fix.lat.toFixed(5)}, ${here.fix.lon.toFixed(5)} ${here.fix.accuracyM > 0 ? `±${Math.round(here.fix.accuracyM)} ${t("unit.m")}` : ""} ${here.fix.text ?? ""}` : t("nowhere")}</p>
      {first && <MapView theme={theme} lang={language} street={false} centre={{ lat: first.lat, lon: first.lon }} track={track} stale={here !== undefined && ms - here.ms > old} points={points} follow={here?.fix} words={words} />}
    </section>
  );
}
