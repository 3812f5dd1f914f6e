import { useEffect, useRef, useState } from "preact/hooks";
import { type BaseMap, BaseMapSource } from "./base";
import type { LatLon, MapFix } from "./geo";
import type { LiveMap, MapContent, MapLook, MapNames } from "./live";
import "./map.css";

/** Words of the map in the language of the page; name is the accessible name of the region. */
export interface MapWords extends MapNames {
  loading: string;
  failed: string; // no WebGL or no data: coordinates and list stay
  retry: string;
}

export interface MapViewProps extends MapContent, MapLook {
  centre: LatLon;
  words: MapWords;
  /** Keep this position in view; undefined leaves the map where the person moved it. */
  follow?: MapFix;
  /** Brings all these places into view whenever turn changes. */
  frame?: { places: LatLon[]; turn: number };
  onFailed?: () => void;
  onPick?: (id: string) => void;
  onMoved?: () => void;
  /** A place on the map was tapped. */
  onTap?: (at: LatLon) => void;
  onNoStreet?: () => void;
  source?: BaseMapSource;
}

const pageSource = new BaseMapSource();

/**
 * A map that may fail without harm: the library is loaded after the first paint, and where it
 * cannot run the words say so and whatever stands beside the map goes on.
 */
export function MapView(props: MapViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const map = useRef<LiveMap>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let gone = false;
    setState("loading");
    const p = latest.current;
    Promise.all([import("./live"), (p.source ?? pageSource).load()])
      .then(([live, base]) => {
        if (gone || !host.current) return;
        map.current = open(live.LiveMap, host.current, base, latest);
        setState("shown");
      })
      .catch(() => {
        if (gone) return;
        setState("failed");
        latest.current.onFailed?.();
      });
    return () => {
      gone = true;
      map.current?.close();
      map.current = undefined;
    };
  }, [attempt, props.lang]); // the names of its buttons are given once

  useEffect(() => map.current?.show(props), [state, props.track, props.current, props.stale, props.points, props.marks, props.lines]);
  useEffect(() => map.current?.look(props), [state, props.theme, props.lang, props.street]);
  const followed = useRef(false);
  useEffect(() => {
    if (state !== "shown" || !props.follow) {
      followed.current = false;
      return;
    }
    map.current?.goTo(props.follow, followed.current);
    followed.current = true;
  }, [state, props.follow?.lat, props.follow?.lon, props.follow !== undefined]);
  useEffect(() => {
    if (state === "shown" && props.frame) map.current?.frame(props.frame.places);
  }, [state, props.frame?.turn]);

  return (
    <div class="map" role="region" aria-label={props.words.name}>
      <div class="map-host" ref={host} />
      {state === "loading" && <p class="map-words">{props.words.loading}</p>}
      {state === "failed" && (
        <p class="map-words">
          {props.words.failed}{" "}
          <button type="button" onClick={() => setAttempt(attempt + 1)}>
            {props.words.retry}
          </button>
        </p>
      )}
    </div>
  );
}

function open(Live: typeof LiveMap, host: HTMLElement, base: BaseMap, latest: { current: MapViewProps }): LiveMap {
  const p = latest.current;
  return new Live(host, {
    base,
    names: p.words,
    theme: p.theme,
    lang: p.lang,
    street: p.street,
    centre: p.centre,
    onPick: (id) => latest.current.onPick?.(id),
    onMoved: () => latest.current.onMoved?.(),
    onTap: (at) => latest.current.onTap?.(at),
    onNoStreet: () => latest.current.onNoStreet?.(),
    ...(p.streetCredit === undefined ? {} : { streetCredit: p.streetCredit }),
  });
}
