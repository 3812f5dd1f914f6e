/** Where the task is, by whom, how sure, and the ways that lead there. Pure. */
import { distanceM, drawable, type LatLon } from "../map/geo";
import type { CaseLine, CaseView } from "./rest";

/** A place of the card with what may be said of it. */
export interface Spot {
  source: string; // device, caller, operator, words, patrol
  at: LatLon | undefined;
  accuracyM: number; // 0: unknown
  atMs: number;
  words: string;
}

function spotOf(l: CaseLine): Spot | undefined {
  const p = l.place;
  if (!p) return undefined;
  const at = p.lat !== undefined && p.lon !== undefined ? { lat: p.lat, lon: p.lon } : undefined;
  return { source: p.source, at: drawable(at) ? at : undefined, accuracyM: p.accuracyM, atMs: l.atMs, words: p.words };
}

/** What came with a merged case counts where the case has none of its own. */
function newest(card: readonly CaseLine[], sources: readonly string[], fixed: boolean): Spot | undefined {
  return newestOf(card.filter((l) => !l.merged), sources, fixed) ?? newestOf(card.filter((l) => l.merged), sources, fixed);
}

function newestOf(card: readonly CaseLine[], sources: readonly string[], fixed: boolean): Spot | undefined {
  let best: Spot | undefined;
  for (const l of card) {
    const s = l.gone || l.what !== "place" ? undefined : spotOf(l);
    if (s && sources.includes(s.source) && (!fixed || s.at) && (!best || s.atMs >= best.atMs)) best = s;
  }
  return best;
}

/** Where the caller's device is, where people say it is, and in which words: each the newest. */
export function places(task: Pick<CaseView, "card">): { device: Spot | undefined; said: Spot | undefined; words: Spot | undefined } {
  return {
    device: newest(task.card, ["device"], true),
    said: newest(task.card, ["operator", "caller", "patrol"], true),
    words: newest(task.card.filter((l) => l.place?.words), ["operator", "caller", "words", "device", "patrol"], false),
  };
}

/** The place to go to: what people say counts before a device, and that of a merged case where the case has none. */
export function goal({ card }: Pick<CaseView, "card">): Spot | undefined {
  const of = (merged: boolean) => {
    const p = places({ card: card.filter((l) => l.merged === merged) });
    return p.said ?? p.device;
  };
  return of(false) ?? of(true);
}

/** Metres from here to there; undefined where one is not known. */
export function apart(a: LatLon | undefined, b: LatLon | undefined): number | undefined {
  return a && b ? distanceM(a, b) : undefined;
}

/** A distance as people say it: "340 m", "2.1 km". */
export function farAs(metres: number, language: string): { n: string; unit: "m" | "km" } {
  if (metres < 950) return { n: String(metres < 100 ? Math.round(metres) : Math.round(metres / 10) * 10), unit: "m" };
  return { n: new Intl.NumberFormat(language, { maximumFractionDigits: metres < 9950 ? 1 : 0 }).format(metres / 1000), unit: "km" };
}

const six = (n: number) => n.toFixed(6);

/** The ways to be led there. All but the first are other people's services: they learn the place, and
 * are opened by choice. */
export function ways({ lat, lon }: LatLon): { geo: string; twoGIS: string; google: string } {
  return {
    geo: `geo:${six(lat)},${six(lon)}?q=${six(lat)},${six(lon)}`,
    twoGIS: `https://2gis.kz/directions/points/%7C${six(lon)}%2C${six(lat)}`,
    google: `https://www.google.com/maps/dir/?api=1&destination=${six(lat)}%2C${six(lon)}&travelmode=driving`,
  };
}
