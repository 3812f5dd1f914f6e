import { useEffect, useMemo, useState } from "preact/hooks";
import type { Fix } from "../lib/wire.gen";
import { t } from "../lib/i18n";
import { coordinates, type MapFix } from "../map/geo";
import type { MapPoint } from "../map/live";
import { MapView } from "../map/MapView";
import { address, type CaseView } from "./rest";
import { Age, usePage } from "./parts";
import { apart, farAs, goal, places, type Spot, ways } from "./place";

/** The address of a place in words, where the gateway knows one; "" until then and where it does not. */
function useAddress(spot: Spot | undefined): string {
  const { language } = usePage();
  const key = spot?.at ? `${spot.at.lat.toFixed(5)},${spot.at.lon.toFixed(5)}` : "";
  const [found, setFound] = useState<{ key: string; words: Record<string, string> }>();
  useEffect(() => {
    const at = spot?.at;
    if (!at || found?.key === key) return;
    let gone = false;
    // Coordinates are there whatever comes of it.
    address(at.lat, at.lon, spot.accuracyM).then((a) => gone || setFound({ key, words: a.words }), () => undefined);
    return () => {
      gone = true;
    };
  }, [key]);
  return found?.key === key ? (found.words[language] ?? "") : "";
}

/** Where the task is: the words of people, the device with its circle, how far, and the ways there. */
export function Where({ task }: { task: CaseView }) {
  const { work, language } = usePage();
  const p = places(task);
  const to = goal(task);
  const words = useAddress(to);
  const own = work.own.fix;
  const far = apart(own, to?.at);
  const differ = apart(p.said?.at, p.device?.at);
  const metres = (m: number) => {
    const d = farAs(m, language);
    return `${d.n} ${t(`unit.${d.unit}`)}`;
  };
  return (
    <section class="panel where" aria-label={t("where")}>
      {!to && !p.words && <p class="warn">{t("where.none")}</p>}
      {p.words && <p class="address"><span class="hint">{t("where.said")}</span> <b>{p.words.words}</b></p>}
      {words && <p class="address"><span class="hint">{t("where.near")}</span> <b>{words}</b></p>}
      {to?.at && (
        <p class="fix">
          <span class="digits">{coordinates(to.at)}</span>{" "}
          {to.accuracyM > 0 && <span>±{Math.round(to.accuracyM)} {t("unit.m")}</span>} <span class="hint">{t(`source.${to.source}`)}</span> <Age at={to.atMs} />
        </p>
      )}
      {p.said && p.device && differ !== undefined && differ > 25 && <p class="hint">{t("where.differ", { far: metres(differ) })}</p>}
      {far !== undefined && <p class="far">{t("where.far", { far: metres(far) })}</p>}
      {to?.at && <Ways at={to.at} />}
      {to?.at && <Plan to={to} device={p.device} {...(own ? { own } : {})} />}
    </section>
  );
}

/** Being led there. The phone's own map comes first: it tells nobody else. */
function Ways({ at }: { at: { lat: number; lon: number } }) {
  const w = ways(at);
  const [open, setOpen] = useState(false);
  return (
    <div class="ways">
      <a class="button huge way" href={w.geo}>{t("way")}</a>
      <button type="button" class="big" aria-expanded={open} onClick={() => setOpen(!open)}>{t("way.other")}</button>
      {open && (
        <div class="others">
          <p class="hint">{t("way.tells")}</p>
          <a class="button big" href={w.twoGIS} target="_blank" rel="noopener noreferrer">2GIS</a>
          <a class="button big" href={w.google} target="_blank" rel="noopener noreferrer">Google Maps</a>
        </div>
      )}
    </div>
  );
}

/** The map, when it is asked for: the library is large and a car's link thin. */
function Plan({ to, device, own }: { to: Spot; device: Spot | undefined; own?: Fix }) {
  const { language, theme } = usePage();
  const [open, setOpen] = useState(false);
  const [street, setStreet] = useState<string | null>(null);
  useEffect(() => {
    if (!open) return;
    fetch("/api/v1/config").then(async (r) => {
      const c = (await r.json()) as { map?: { street?: boolean; attribution?: string } };
      setStreet(c.map?.street ? (c.map.attribution ?? "") : null);
    }, () => undefined);
  }, [open]);
  const key = [to.at, device?.at, own].map((x) => (x ? coordinates(x) : "")).join();
  const track = useMemo(() => {
    const both = device && to.source !== "device" ? [device, to] : [to];
    return both.flatMap((x): MapFix[] => (x.at ? [{ ...x.at, accuracyM: x.accuracyM }] : []));
  }, [key]);
  const points = useMemo((): MapPoint[] => (own ? [{ id: "own", label: t("map.own"), lat: own.lat, lon: own.lon, accuracyM: own.accuracyM, order: 0 }] : []), [key, language]);
  const shown = track.at(-1);
  return (
    <>
      <button type="button" class="big" aria-expanded={open} onClick={() => setOpen(!open)}>{t(open ? "map.hide" : "map.show")}</button>
      {open && shown && (
        <MapView
          theme={theme} lang={language} street={street !== null} streetCredit={street ?? ""} onNoStreet={() => setStreet(null)} centre={shown} track={track} stale={false} points={points} follow={shown}
          words={{ name: t("map"), zoomIn: t("map.in"), zoomOut: t("map.out"), credit: t("map.credit"), loading: t("map.loading"), failed: t("map.failed"), retry: t("retry") }}
        />
      )}
    </>
  );
}
