import { useMemo, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard, Fix } from "../lib/wire.gen";
import { useAddress } from "../lib/useAddress";
import { coordinates, distanceM, drawable } from "../map/geo";
import type { MapPoint } from "../map/live";
import { MapView } from "../map/MapView";
import { staleAfterMs, timeOfDay } from "./clock";
import { useConsole, useServerNow } from "./context";
import { baseSource, useNearby } from "./nearby";
import { PlaceFinder } from "./PlaceFinder";
import { type Moves, useMoves } from "./places";
import { Accuracy, Age, Copy, Key, useShortcut } from "./Small";
import { present } from "./view";

const noPoints: MapPoint[] = [];

/** Where the caller is: the position in words and digits, the map with the way behind it, and the list that says the same. */
export function Where({ card, list, onList }: { card: CallCard; list: boolean; onList: () => void }) {
  const { theme, lang, street, noStreet, view, desk } = useConsole();
  const [follow, setFollow] = useState(true);
  const here = present(card);
  const now = useServerNow(2000);
  const stale = here !== undefined && here.source !== "pin" && now - here.serverMs > staleAfterMs; // a placed point does not age
  const refresh = useShortcut("position");
  const toggle = useShortcut("list");
  const centre = view.centre ?? { lat: 48, lon: 67 };
  const track = useMemo(() => card.track, [card.track]);
  const moves = useMoves(card.call);
  const [finding, setFinding] = useState(false);
  const moved = moves.last?.place;
  const points = useMemo(() => {
    if (moved?.lat === undefined || moved.lon === undefined) return noPoints;
    return [{ id: "moved", lat: moved.lat, lon: moved.lon, accuracyM: 0, label: moved.words, order: 0 }];
  }, [moved?.lat, moved?.lon, moved?.words]);
  return (
    <section class="panel where" aria-label={t("where")} data-focus="map" tabIndex={-1}>
      <h2>
        {t("where")} <Key act="map" />
        <span class="grow" />
        {!follow && here && <button type="button" class="small" onClick={() => setFollow(true)}>{t("where.follow")}</button>}
        <button type="button" class="small" aria-expanded={finding} onClick={() => setFinding(!finding)}>{t("where.move")}</button>
        <button type="button" class="small" aria-keyshortcuts={refresh} onClick={() => void desk.ask("position.request", { call: card.call }).then((ok) => ok && desk.say("where.asked"))}>
          {t("where.refresh")} <Key act="position" />
        </button>
        <button type="button" class="small" aria-pressed={list} aria-keyshortcuts={toggle} onClick={onList}>
          {t("where.list")} <Key act="list" />
        </button>
      </h2>
      {here ? <Here fix={here} stale={stale} card={card} /> : <p class="warn">{t("where.none")}. {t("where.ask")}</p>}
      {moves.last && <Moved moves={moves} from={device(card)} />}
      {finding && <PlaceFinder near={here ?? centre} moves={moves} onDone={() => setFinding(false)} />}
      {!list && street === null && <p class="hint">{t("map.nostreets")}</p>}
      {list ? <TrackList track={card.track} /> : (
        <MapView
          theme={theme} lang={lang} street={street !== null} streetCredit={street ?? ""} onNoStreet={noStreet} source={baseSource} centre={centre} track={track} stale={stale} points={points}
          follow={follow ? here : undefined} onMoved={() => setFollow(false)} words={mapWords()}
        />
      )}
    </section>
  );
}

/** Words of the map in the page's language. */
export function mapWords() {
  return {
    name: t("map.name"), zoomIn: t("map.zoomin"), zoomOut: t("map.zoomout"), credit: t("map.credit"), loading: t("map.loading"), failed: t("map.failed"),
    retry: t("retry"),
  };
}

function Here({ fix, stale, card }: { fix: Fix; stale: boolean; card: CallCard }) {
  const near = useNearby(fix);
  const { lang } = useConsole();
  const address = useAddress(fix.source === "text" ? undefined : { lat: fix.lat, lon: fix.lon, accuracyM: fix.accuracyM });
  const said = card.track.findLast((f) => f.text);
  const phone = device(card);
  const apart = phone && fix.source === "pin" ? Math.round(distanceM(fix, phone)) : undefined;
  return (
    <div class={stale ? "here stale" : "here"}>
      {address && (
        <p class="address" title={address.attribution}>
          <b>{address.words[lang]}</b>{" "}
          <span class="hint">
            {t("where.map")} · {address.confidence > 0 ? t("where.sure", { p: Math.min(99, Math.round(100 * address.confidence)), m: Math.round(address.reachM) }) : t("where.unsure")}
          </span>
        </p>
      )}
      <p class="row">
        <b class="digits">{coordinates(fix)}</b>
        <Copy text={coordinates(fix)} name={t("copy.coordinates")} />
        <Accuracy fix={fix} />
        <span class={stale ? "warn" : ""}><Age at={fix.serverMs} />{stale && ` · ${t("where.stale")}`}</span>
        {fix.source !== "pin" && <span class="hint">{t(`source.${fix.source}`)}</span>}
      </p>
      {((near && !address) || said || apart !== undefined) && (
        <p>
          {near && !address && <span>{near}</span>}
          {said?.text && <span> · {t("where.said")}: <b>{said.text}</b></span>}
          {apart !== undefined && <span class="hint"> · {t("where.apart", { m: apart })}</span>}
        </p>
      )}
    </div>
  );
}

/** The last position that the phone measured. */
function device(card: CallCard): Fix | undefined {
  return card.track.findLast((f) => f.source === "device");
}

/** Where the staff say it is, who said so, and how far that is from the phone. */
function Moved({ moves, from }: { moves: Moves; from: Fix | undefined }) {
  const last = moves.last;
  const at = last?.place;
  if (!last || at?.lat === undefined || at.lon === undefined) return null;
  const point = { lat: at.lat, lon: at.lon };
  return (
    <p class="moved row">
      <span>{t("where.moved", { name: last.by })}:</span> <b>{at.words}</b> <span class="digits">{coordinates(point)}</span>
      {from && drawable(from) && <span class="hint">{t("where.apart", { m: Math.round(distanceM(point, from)) })}</span>}
      <button type="button" class="small" onClick={() => void moves.undo()}>{t("where.takeback")}</button>
    </p>
  );
}

/** The same positions as a table, newest first, for the keyboard and for when there is no map. */
function TrackList({ track }: { track: Fix[] }) {
  return (
    <div class="tracklist" tabIndex={0} role="region" aria-label={t("where.list")}>
      <table>
        <thead><tr><th>{t("list.time")}</th><th>{t("list.place")}</th><th>{t("list.accuracy")}</th><th>{t("list.source")}</th></tr></thead>
        <tbody>
          {track.toReversed().map((f) => (
            <tr key={`${f.serverMs}-${f.clientMs}`}>
              <td>{timeOfDay(f.serverMs)}</td><td class="digits">{coordinates(f)}{f.text && ` · ${f.text}`}</td>
              <td>{f.accuracyM > 0 && `±${Math.round(f.accuracyM)} ${t("unit.m")}`}</td><td>{t(`source.${f.source}`)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
