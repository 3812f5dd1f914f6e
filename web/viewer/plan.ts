/** Pure: positions on a flat square, to scale. */
export interface Spot { lat: number; lon: number; accuracyM: number }
export interface Plan {
  size: number;
  points: { x: number; y: number; r: number }[];
  /** A bar of a round length. */
  bar: { metres: number; length: number };
}

const size = 400; // units of the drawing
const edge = 40;
const degree = 111_320; // metres of a degree of latitude
const least = 100; // metres: less is drawn no larger

/** Lays positions out around their middle. Over a city the earth is flat enough for that. */
export function plan(spots: Spot[]): Plan {
  const lats = spots.map((s) => s.lat);
  const lons = spots.map((s) => s.lon);
  const middle = { lat: (Math.min(...lats) + Math.max(...lats)) / 2, lon: (Math.min(...lons) + Math.max(...lons)) / 2 };
  const flat = spots.map((s) => ({ east: (s.lon - middle.lon) * degree * Math.cos((middle.lat * Math.PI) / 180), north: (s.lat - middle.lat) * degree }));
  const reach = Math.max(least / 2, ...flat.map((f) => Math.max(Math.abs(f.east), Math.abs(f.north))));
  const unit = (size / 2 - edge) / reach; // drawing units of a metre
  const wanted = (size / 4) / unit;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= wanted) ?? power;
  return {
    size,
    points: flat.map((f, i) => ({ x: round(size / 2 + f.east * unit), y: round(size / 2 - f.north * unit), r: round(Math.min(size / 2, (spots[i]?.accuracyM ?? 0) * unit)) })),
    bar: { metres, length: round(metres * unit) },
  };
}

const round = (n: number) => Math.round(n * 10) / 10;
