import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import type { LatLon } from "../map/geo";
import type { MapLang } from "../map/base";
import type { Centre } from "../map/live";
import { MapView } from "../map/MapView";

/** Where the person says they are, and how exactly this map could show it. */
export interface Pinned extends LatLon {
  accuracyM: number;
}

/** The map moves under a pin that stands still: one thumb is enough, and the arrow keys too. */
export default function PinMap({ start, onPin, onClose }: { start: LatLon; onPin: (p: Pinned) => void; onClose: () => void }) {
  const [street, setStreet] = useState<{ credit: string } | "none" | null>(null);
  const [centre, setCentre] = useState<Centre | null>(null);
  useEffect(() => {
    fetch("/api/v1/config").then(async (r) => {
      const { map } = (await r.json()) as { map?: { street?: boolean; attribution?: string } };
      setStreet(map?.street ? { credit: map.attribution ?? "" } : "none");
    }).catch(() => setStreet("none"));
  }, []);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => e.code === "Escape" && onClose();
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const words = {
    name: t("pin.map"), zoomIn: t("pin.zoomin"), zoomOut: t("pin.zoomout"), credit: t("pin.credit"), loading: t("pin.loading"), failed: t("pin.failed"), retry: t("chat.retry"),
  };
  return (
    <div class="pinmap" role="dialog" aria-label={t("pin.map")}>
      <p class="pinwords">{t("pin.how")}</p>
      <div class="pinview">
        {street !== null && (
          <MapView
            theme={matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"} lang={lang() as MapLang} street={street !== "none"} streetCredit={street === "none" ? "" : street.credit}
            onNoStreet={() => setStreet("none")} centre={start} near={street === "none" ? 9 : 15}
            track={[]} stale={false} points={[]} words={words} onCentre={setCentre}
          />
        )}
        <span class="pinpoint" aria-hidden="true" />
      </div>
      <div class="line">
        <button
          type="button" class="go" disabled={!centre}
          onClick={() => centre && onPin({ lat: centre.lat, lon: centre.lon, accuracyM: Math.max(5, Math.round(centre.metresPerPixel * 12)) })}
        >
          {t("pin.here")}
        </button>
        <button type="button" onClick={onClose}>{t("pin.cancel")}</button>
      </div>
    </div>
  );
}
