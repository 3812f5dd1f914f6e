/** Where positions are in words, and where words are: what the gateway's map says. */
import type { Text } from "./wire.gen";

/** A point in degrees, with the radius at 95 % where it was measured. */
export interface At {
  lat: number;
  lon: number;
  accuracyM?: number;
}

/** Where a position is. confidence is that of RFC 7459: that the place is within reachM of what is named. */
export interface Address {
  words: Text;
  kind: "house" | "post" | "landmark" | "street" | "settlement";
  metres: number;
  confidence: number;
  reachM: number;
  source: string;
  attribution: string;
}

/** One finding of a search. */
export interface FoundPlace {
  words: Text;
  kind: string;
  lat: number;
  lon: number;
  metres?: number;
}

const rad = Math.PI / 180;

/** Metres between two points that are near each other. */
export function apartM(a: At, b: At): number {
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  const y = (b.lat - a.lat) * rad;
  return Math.hypot(x, y) * 6_371_009;
}

/** Pure: whether a position says so much more than the last one asked about that its words may differ. */
export function worthAsking(last: At | undefined, now: At): boolean {
  if (!last) return true;
  const [was, is] = [last.accuracyM ?? 0, now.accuracyM ?? 0];
  return apartM(last, now) > Math.max(15, is / 2) || (is > 0 && (was === 0 || is < was / 2));
}

async function ask<T>(path: string, signal: AbortSignal): Promise<T | undefined> {
  try {
    const r = await fetch(`/api/v1/geo/${path}`, { signal, credentials: "same-origin" });
    return r.ok ? ((await r.json()) as T) : undefined;
  } catch {
    return undefined; // the coordinates stand beside it
  }
}

/** The words of a position; undefined where there are none now. */
export function addressOf(at: At, signal: AbortSignal): Promise<Address | undefined> {
  return ask<Address>(`address?lat=${at.lat.toFixed(6)}&lon=${at.lon.toFixed(6)}&accuracy=${Math.round(at.accuracyM ?? 0)}`, signal);
}

/** Places whose name begins as somebody types; undefined where nobody answers. */
export async function findPlaces(words: string, near: At | undefined, signal: AbortSignal): Promise<FoundPlace[] | undefined> {
  const typed = coordinatesIn(words);
  if (typed) return [typed];
  const by = near ? `&lat=${near.lat}&lon=${near.lon}` : "";
  return (await ask<{ found: FoundPlace[] }>(`search?q=${encodeURIComponent(words)}${by}`, signal))?.found;
}

/** Pure: a point that somebody typed as two numbers. */
export function coordinatesIn(words: string): FoundPlace | undefined {
  const m = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(words);
  if (!m || !m[1]?.includes(".")) return undefined;
  const [lat, lon] = [Number(m[1]), Number(m[2])];
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return undefined;
  const text = `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  return { words: { kk: text, ru: text, en: text }, kind: "point", lat, lon };
}
