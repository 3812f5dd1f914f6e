import { expect, test } from "vitest";
import { apartM, coordinatesIn, worthAsking } from "./address";

const here = { lat: 54.87, lon: 69.15, accuracyM: 20 };

test("a position is asked about again when its words may differ", () => {
  expect(worthAsking(undefined, here)).toBe(true);
  expect(worthAsking(here, here)).toBe(false);
  expect(worthAsking(here, { ...here, lat: 54.8701 })).toBe(false); // 11 m
  expect(worthAsking(here, { ...here, lat: 54.8703 })).toBe(true); // 33 m
  expect(worthAsking({ ...here, accuracyM: 500 }, here)).toBe(true);
  expect(worthAsking(here, { ...here, lat: 54.8703, accuracyM: 500 })).toBe(false);
  expect(worthAsking({ lat: 54.87, lon: 69.15 }, here)).toBe(true);
});

test("metres are those of the ground", () => {
  expect(apartM(here, { lat: 54.88, lon: 69.15 })).toBeCloseTo(1112, -1);
  expect(apartM(here, { lat: 54.87, lon: 69.16 })).toBeCloseTo(640, -1);
});

test("two typed numbers are a point, a house number is none", () => {
  expect(coordinatesIn(" 54.87021, 69.15103 ")).toMatchObject({ lat: 54.87021, lon: 69.15103 });
  expect(coordinatesIn("54.87 69.15")).toMatchObject({ lat: 54.87 });
  for (const no of ["Абая 12", "12, 14", "95.1, 69", "54.87", "", "54.87, 269"]) expect(coordinatesIn(no)).toBeUndefined();
});
