import { useEffect, useMemo, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { coordinates, distanceM, drawable } from "../../map/geo";
import type { MapPoint } from "../../map/live";
import { MapView } from "../../map/MapView";
import { timeOfDay } from "../clock";
import { useConsole } from "../context";
import { baseSource, useNearby } from "../nearby";
import { Copy } from "../Small";
import { mapWords } from "../Where";
import * as api from "./api";
import type { CaseLine, CasePlace } from "./model";
import { useHand, useRoom } from "./room";

const noTrack: never[] = [];

interface At {
  lat: number;
  lon: number;
}

/** Where it is: as the telephone measured, as it was said, as it was put right, with what lies between them. */
export function Places() {
  const { theme, lang, street, noStreet, view: world, desk } = useConsole();
  const { view: c, act, mayEdit } = useHand();
  const { around } = useRoom();
  const [tapped, setTapped] = useState<At>();
  const lines = c.card.filter((l) => l.what === "place" && l.place && !l.gone);
  const device = lines.findLast((l) => l.place?.source === "device" && hasFix(l.place))?.place;
  const points = useMemo(() => pointsOf(lines, tapped), [c.version, tapped, lang]);
  const here = c.lat !== undefined && c.lon !== undefined ? { lat: c.lat, lon: c.lon, accuracyM: device?.accuracyM || 60 } : undefined;
  const follow = useMemo(() => here, [c.lat, c.lon]);
  const put = async () => {
    if (!tapped) return;
    const id = api.lineID();
    if (!(await act({ act: "add", line: { id, what: "place", place: tapped } }))) return;
    setTapped(undefined);
    desk.say("cases.placed", { undo: () => { desk.hush(); void act({ act: "withdraw", id }); } });
  };
  return (
    <section class="panel places" aria-label={t("cases.places")} data-focus="map" tabIndex={-1}>
      <h3>{t("cases.places")}<span class="grow" />{here && <button type="button" class="small" onClick={() => around(here)}>{t("cases.around")}</button>}</h3>
      {lines.length === 0 && <p class="warn">{t("cases.noplace")}</p>}
      <ul>{lines.map((l) => <Place key={l.id} line={l} device={device} />)}</ul>
      {here && (
        <MapView
          theme={theme} lang={lang} street={street !== null} streetCredit={street ?? ""} onNoStreet={noStreet} source={baseSource} centre={world.centre ?? here} track={noTrack} stale={false}
          points={points} follow={follow} words={mapWords()} {...(mayEdit ? { onTap: setTapped } : {})}
        />
      )}
      {mayEdit && here && (tapped
        ? (
          <p class="row" role="status">
            <span class="digits">{coordinates(tapped)}</span> {t("cases.moved", { m: Math.round(distanceM(tapped, here)) })}
            <button type="button" class="go small" onClick={() => void put()}>{t("cases.place.put")}</button>
            <button type="button" class="small" onClick={() => setTapped(undefined)}>{t("cases.cancel")}</button>
          </p>
        )
        : <p class="hint">{t("cases.place.tap")}</p>)}
    </section>
  );
}

function hasFix(p: CasePlace): p is CasePlace & At {
  return p.lat !== undefined && p.lon !== undefined && drawable({ lat: p.lat, lon: p.lon });
}

function pointsOf(lines: CaseLine[], tapped: At | undefined): MapPoint[] {
  const own = lines.flatMap((l, i): MapPoint[] => (l.place && hasFix(l.place) ? [{ id: l.id, order: 9 - i, lat: l.place.lat, lon: l.place.lon, accuracyM: l.place.accuracyM, label: t(`cases.source.${l.place.source}`) }] : []));
  return tapped ? [...own, { id: "tapped", order: 0, ...tapped, accuracyM: 0, label: t("cases.place.new"), color: "#e5484d" }] : own;
}

function Place({ line, device }: { line: CaseLine; device: CasePlace | undefined }) {
  const { mayEdit } = useHand();
  const p = line.place as CasePlace;
  const at = hasFix(p) ? p : undefined;
  const near = useNearby(at);
  const words = useAddress(at);
  const apart = at && device && p !== device && hasFix(device) ? Math.round(distanceM(at, device)) : undefined;
  return (
    <li>
      <b>{t(`cases.source.${p.source}`)}</b> {p.words || words || near || ""}
      {at && <> <span class="digits">{coordinates(at)}</span> {p.accuracyM > 0 && `±${Math.round(p.accuracyM)} ${t("unit.m")}`} <Copy text={coordinates(at)} name={t("copy.coordinates")} /></>}
      {apart !== undefined && <b class={apart > 200 ? "warn" : ""}> {t("cases.apart", { m: apart })}</b>}
      <span class="hint"> {line.by && `${line.by}, `}{timeOfDay(line.atMs)}</span>
      {mayEdit && line.by !== "" && !line.merged && <Withdraw line={line} />}
    </li>
  );
}

/** Strikes a line out; for ten seconds it can be written again by one press. The course of the case keeps both. */
export function Withdraw({ line }: { line: CaseLine }) {
  const { desk } = useConsole();
  const { act } = useHand();
  const strike = async () => {
    if (!(await act({ act: "withdraw", id: line.id }))) return;
    const again = { id: api.lineID(), what: line.what, name: line.name, role: line.role, phone: line.phone, text: line.text, ...(line.place ? { place: placeAgain(line.place) } : {}) };
    desk.say("cases.withdrawn", { undo: () => { desk.hush(); void act({ act: "add", line: again }); } });
  };
  return <button type="button" class="small" aria-label={t("cases.withdraw.of", { what: line.text || line.name || line.place?.words || "" })} onClick={() => void strike()}>{t("cases.withdraw")}</button>;
}

function placeAgain(p: CasePlace) {
  return { words: p.words, ...(p.lat !== undefined && p.lon !== undefined ? { lat: p.lat, lon: p.lon } : {}) };
}

/** The address of a position, where the site can tell. */
function useAddress(at: (CasePlace & At) | undefined): string | undefined {
  const { lang } = useConsole();
  const [words, setWords] = useState<Record<"kk" | "ru" | "en", string>>();
  useEffect(() => {
    let gone = false;
    if (at) void api.address(at).then((w) => !gone && setWords(w));
    return () => {
      gone = true;
    };
  }, [at?.lat, at?.lon]);
  return at ? words?.[lang] : undefined;
}
