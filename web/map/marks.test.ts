import { expect, test } from "vitest";
import { iconName, type MapMark, markFeatures, markLayerNames, markLayersOf, markShapes } from "./marks";

const mark = (more: Partial<MapMark> = {}): MapMark => ({ id: "x", shape: "available", lat: 54, lon: 69, accuracyM: 10, label: "P-1", order: 1, ...more });

test("what cannot be drawn is left out, and an old circle is told from a live one", () => {
  const f = markFeatures([mark(), mark({ lat: 400 }), mark({ accuracyM: 0, stale: true }), mark({ stale: true })], [{ from: { lat: 54, lon: 69 }, to: { lat: 0, lon: 999 }, label: "" }]);
  expect(f.marks.length).toBe(3);
  expect(f.reach.map((r) => r.properties?.stale)).toEqual([false, true]);
  expect(f.ways).toEqual([]);
});

test("each state, old or not, chosen or not, has an icon of its own", () => {
  const names = markShapes.flatMap((shape) => [true, false].flatMap((stale) => [true, false].map((chosen) => iconName({ shape, stale, chosen }))));
  expect(new Set(names).size).toBe(names.length);
});

test("every mark is in a layer that can be clicked", () => {
  const layers = markLayersOf({ text: "", halo: "", mark: "", stale: "" }, []).map((l) => l.id);
  expect(markLayerNames.every((n) => layers.includes(n))).toBe(true);
  const levels = markFeatures(markShapes.map((shape) => mark({ shape })), []).marks.map((f) => `marks-${f.properties?.level}`);
  expect(levels.every((l) => markLayerNames.includes(l))).toBe(true);
});
