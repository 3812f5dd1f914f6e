/** A point in degrees (WGS 84). */
export interface LatLon {
  lat: number;
  lon: number;
}

/** A position as the map draws it. Fix of the wire fits. */
export interface MapFix extends LatLon {
  accuracyM: number;
}

const earthM = 6_371_008.8;
const rad = Math.PI / 180;

/** Metres between two points on the sphere; within 0.5 % of the ellipsoid. */
export function distanceM(a: LatLon, b: LatLon): number {
  const dLat = (b.lat - a.lat) * rad;
  const dLon = (b.lon - a.lon) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * earthM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Eight winds, clockwise from north; keys of the words "map.wind.*". */
export const winds = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export type Wind = (typeof winds)[number];

/** The wind towards which b lies from a. */
export function windTo(a: LatLon, b: LatLon): Wind {
  const dLon = (b.lon - a.lon) * rad;
  const y = Math.sin(dLon) * Math.cos(b.lat * rad);
  const x = Math.cos(a.lat * rad) * Math.sin(b.lat * rad) - Math.sin(a.lat * rad) * Math.cos(b.lat * rad) * Math.cos(dLon);
  const degrees = (Math.atan2(y, x) / rad + 360) % 360;
  return winds[Math.round(degrees / 45) % 8] ?? "n";
}

/** A ring of [lon, lat] around a point: the accuracy circle in true metres. */
export function circle(at: LatLon, radiusM: number, corners = 64): [number, number][] {
  const ring: [number, number][] = [];
  const dLat = radiusM / earthM / rad;
  const dLon = dLat / Math.max(0.01, Math.cos(at.lat * rad));
  for (let i = 0; i <= corners; i++) {
    const angle = (i / corners) * 2 * Math.PI;
    ring.push([at.lon + dLon * Math.sin(angle), at.lat + dLat * Math.cos(angle)]);
  }
  return ring;
}

/** Coordinates to copy and to read out: five decimals, about a metre, dot in every language. */
export function coordinates({ lat, lon }: LatLon): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

/** The zoom at which a circle of this radius fills about a third of a map 400 px wide. */
export function zoomFor(accuracyM: number, lat: number): number {
  const metresPerPixel = Math.max(accuracyM, 15) / 70;
  const zoom = Math.log2((40_075_016.7 * Math.cos(lat * rad)) / 512 / metresPerPixel);
  return Math.min(16.5, Math.max(4, zoom));
}

/** True for a position that can be drawn. Anything may come from outside. */
export function drawable(f: LatLon | undefined): f is LatLon {
  return !!f && Math.abs(f.lat) <= 90 && Math.abs(f.lon) <= 180;
}
