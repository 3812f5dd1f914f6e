/** A place and how far around it, as the address of a search has it: LAT,LON,METRES. */
export interface Place { lat: number; lon: number; metres: number }

export const reaches = [100, 250, 500, 1000, 2000, 5000, 20_000];

/** Pure: reads what the address says; anything else is no place. */
export function placeOf(text: string): Place | undefined {
  const parts = text.split(",").map((p) => Number(p.trim() || Number.NaN));
  const [lat, lon, metres] = parts;
  if (parts.length !== 3 || lat === undefined || lon === undefined || metres === undefined) return undefined;
  const good = Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && metres > 0 && metres <= 100_000;
  return good ? { lat, lon, metres } : undefined;
}

/** Pure: what somebody typed as a place, with a reach; undefined where it is none. */
export function near(typed: string, metres: number): string | undefined {
  const text = `${typed.replace(/[;\s]+/g, ",").replace(/,+/g, ",")},${metres}`;
  const p = placeOf(text);
  return p && `${p.lat},${p.lon},${p.metres}`;
}
