import { expect, test } from "vitest";
import { plan } from "./plan";

test("one position stands in the middle, at a scale that says something", () => {
  const p = plan([{ lat: 54.87, lon: 69.16, accuracyM: 10 }]);
  expect(p.points[0]).toMatchObject({ x: 200, y: 200 });
  expect(p.bar.metres).toBe(20);
  expect(p.points[0]?.r).toBeGreaterThan(5);
});

test("north is up, east is right, and distances keep their proportion", () => {
  const p = plan([{ lat: 54.87, lon: 69.16, accuracyM: 0 }, { lat: 54.88, lon: 69.16, accuracyM: 0 }, { lat: 54.87, lon: 69.18, accuracyM: 0 }]);
  const [a, north, east] = p.points as [{ x: number; y: number }, { x: number; y: number }, { x: number; y: number }];
  expect(north.y).toBeLessThan(a.y);
  expect(east.x).toBeGreaterThan(a.x);
  // A degree of longitude is cos(54.875°) of one of latitude.
  expect((east.x - a.x) / (a.y - north.y)).toBeCloseTo(2 * Math.cos((54.875 * Math.PI) / 180), 2);
  for (const q of p.points) expect(Math.min(q.x, q.y, 400 - q.x, 400 - q.y)).toBeGreaterThanOrEqual(39);
});

test("no position, no drawing", () => expect(plan([]).points).toEqual([]));
