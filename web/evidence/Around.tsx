import { useMemo, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { MapView } from "../map/MapView";
import { near, placeOf, reaches } from "./near";

/** A place on the map, and how far around it: calls with a position there are found. */
export function Around({ centre, theme, near: wanted, set }: { centre: { lat: number; lon: number }; theme: "dark" | "light"; near: string; set: (near: string) => void }) {
  const place = placeOf(wanted);
  const [open, setOpen] = useState(place !== undefined);
  const reach = place?.metres ?? 500;
  const spot = useMemo(() => place && { lat: place.lat, lon: place.lon, accuracyM: place.metres }, [wanted]);
  const words = useMemo(
    () => ({ name: t("near.map"), zoomIn: t("map.zoomin"), zoomOut: t("map.zoomout"), credit: t("map.credit"), loading: t("map.loading"), failed: t("map.failed"), retry: t("retry") }),
    [lang()],
  );
  const none = useMemo(() => [], []);
  return (
    <details class="around" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t("near")}{place && ` · ${place.lat.toFixed(5)}, ${place.lon.toFixed(5)} ±${place.metres} ${t("unit.m")}`}</summary>
      {open && (
        <>
          <p class="hint">{t("near.hint")}</p>
          <div class="filters">
            <label>{t("near.at")}<input name="near" placeholder="54.87530, 69.16280" value={place ? `${place.lat}, ${place.lon}` : ""} onChange={(e) => set(near(e.currentTarget.value, reach) ?? "")} /></label>
            <label>
              {t("near.reach")}
              <select name="reach" value={reach} onChange={(e) => place && set(`${place.lat},${place.lon},${e.currentTarget.value}`)}>
                {reaches.map((m) => <option key={m} value={m}>{m < 1000 ? `${m} ${t("unit.m")}` : `${m / 1000} ${t("unit.km")}`}</option>)}
              </select>
            </label>
            <button type="button" onClick={() => set("")}>{t("near.none")}</button>
          </div>
          <div class="aroundmap">
            <MapView
              theme={theme} lang={lang()} street={false} centre={place ?? centre} track={none} stale={false} points={none} words={words}
              {...(spot ? { current: spot } : {})}
              onTap={(at) => set(`${at.lat.toFixed(5)},${at.lon.toFixed(5)},${reach}`)}
            />
          </div>
        </>
      )}
    </details>
  );
}
