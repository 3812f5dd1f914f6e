/** A map to choose a place with: the place is what lies under its middle. Loaded on demand; whoever
 * shows it draws the pin over the middle, and the words. */
import { type BaseMap, BaseMapSource, type MapLang, nearest } from "./base";
import { type LatLon, zoomFor } from "./geo";
import type { MapNames } from "./live";
import type { MapTheme } from "./style";
import "./map.css";

/** Where the pin stands, and the settlement that is nearest. */
export interface Picked extends LatLon {
  near?: { name: string; km: number };
}

export interface PickOptions {
  centre: LatLon;
  /** Metres around the centre to begin with; undefined where nothing is known of the person. */
  radiusM?: number;
  theme: MapTheme;
  lang: MapLang;
  street: boolean;
  names: MapNames;
  /** So many of `steps` are done. */
  step: (done: number) => void;
  moved: (at: Picked) => void;
}

/** What opening takes: the program, the country, the first picture. */
export const steps = 3;
const patience = 60_000;

export interface Picker {
  close(): void;
}

const country = new BaseMapSource();

/** Opens the map in the host. Rejects where it cannot be loaded or drawn, and leaves nothing behind. */
export async function openPicker(host: HTMLElement, o: PickOptions, signal: AbortSignal): Promise<Picker> {
  let done = 0;
  const count = <T>(v: T): T => {
    if (!signal.aborted) o.step(++done);
    return v;
  };
  const late = timeout(signal);
  const [live, base] = await Promise.race([Promise.all([import("./live").then(count), country.load().then(count)]), late]);
  let map: InstanceType<typeof live.LiveMap> | undefined;
  try {
    await Promise.race([
      new Promise<void>((drawn) => {
        map = new live.LiveMap(host, {
          base, names: o.names, theme: o.theme, lang: o.lang, street: o.street, centre: o.centre,
          zoom: zoomOf(o),
          onCentre: (at) => o.moved(picked(base, at, o.lang)),
          onDrawn: drawn,
        });
      }),
      late,
    ]);
  } catch (err) {
    map?.close();
    throw err;
  }
  count(0);
  o.moved(picked(base, o.centre, o.lang));
  map?.focus();
  return { close: () => map?.close() };
}

/** Without streets there is nothing to see from nearer than a town. */
function zoomOf(o: PickOptions): number {
  const town = 11;
  if (o.radiusM === undefined) return town;
  const zoom = zoomFor(o.radiusM, o.centre.lat);
  return o.street ? zoom : Math.min(town, zoom);
}

function picked(base: BaseMap, at: LatLon, lang: MapLang): Picked {
  const near = nearest(base.places, at);
  return near ? { ...at, near: { name: near.place[lang], km: near.metres / 1000 } } : { ...at };
}

/** Rejects when the person has closed the map, or has waited long enough. */
function timeout(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error("the map takes too long")), patience);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("closed"));
    });
  });
}
