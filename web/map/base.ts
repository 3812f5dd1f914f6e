import type * as GeoJSON from "geojson";
import { distanceM, type LatLon, type Wind, windTo } from "./geo";

/** The languages of the base map. */
export type MapLang = "kk" | "ru" | "en";

/** A settlement with its names. rank 0 is the capital, 4 a village. */
export interface Place extends LatLon {
  kk: string;
  ru: string;
  en: string;
  rank: number;
}

/** The embedded map: GeoJSON for MapLibre and the settlements for words. */
export interface BaseMap {
  geojson: GeoJSON.FeatureCollection;
  places: Place[];
  credit: string;
}

/** Where something lies in words: so far from that settlement, towards this wind. */
export interface Nearby {
  place: Place;
  metres: number;
  wind: Wind;
}

/** The base map of this page, asked for once and again after a failure. */
export class BaseMapSource {
  #loading: Promise<BaseMap> | undefined;
  readonly #url: string;

  constructor(url = "/map/base.json") {
    this.#url = url;
  }

  load(): Promise<BaseMap> {
    this.#loading ??= fetch(this.#url)
      .then((r) => {
        if (!r.ok) throw new Error(`base map: ${r.status}`);
        return r.json();
      })
      .then(parseBase)
      .catch((err) => {
        this.#loading = undefined;
        throw err;
      });
    return this.#loading;
  }
}

/** Pure: takes the settlements out of the file. */
export function parseBase(file: GeoJSON.FeatureCollection & { credit?: string }): BaseMap {
  const places: Place[] = [];
  for (const f of file.features) {
    const p = f.properties;
    if (p?.layer !== "place" || f.geometry.type !== "Point") continue;
    const [lon, lat] = f.geometry.coordinates;
    if (lon === undefined || lat === undefined) continue;
    places.push({ lat, lon, kk: p.kk, ru: p.ru, en: p.en, rank: p.rank });
  }
  return { geojson: file, places, credit: file.credit ?? "" };
}

/**
 * The settlement that tells best where a point is: the nearest, but a town counts as if it were
 * closer than a village, because people know it.
 */
export function nearest(places: Place[], at: LatLon): Nearby | undefined {
  let best: Nearby | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const place of places) {
    const metres = distanceM(place, at);
    const cost = metres * (1 + place.rank * 0.15);
    if (cost < least) {
      least = cost;
      best = { place, metres, wind: windTo(place, at) };
    }
  }
  return best && best.metres < 300_000 ? best : undefined;
}
