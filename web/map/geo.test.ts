import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { nearest, parseBase } from "./base";
import { circle, coordinates, distanceM, drawable, windTo, zoomFor } from "./geo";
import { mapStyle } from "./style";

const astana = { lat: 51.1801, lon: 71.446 };
const petropavl = { lat: 54.87, lon: 69.15 };

test("distances are those of the sphere", () => {
  expect(distanceM({ lat: 51, lon: 71 }, { lat: 52, lon: 71 })).toBeCloseTo(111_195, -1);
  expect(distanceM({ lat: 60, lon: 71 }, { lat: 60, lon: 72 }) / 111_195).toBeCloseTo(0.5, 3);
  expect(distanceM(astana, astana)).toBe(0);
});

test("the wind towards a neighbour, also over the date line", () => {
  expect(windTo(astana, { lat: 49.8, lon: 73.1 })).toBe("se");
  expect(windTo(astana, petropavl)).toBe("n");
  expect(windTo({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBe("e");
});

test("every corner of the accuracy circle lies at its radius", () => {
  for (const [lon, lat] of circle(petropavl, 80)) expect(Math.abs(distanceM(petropavl, { lat, lon }) - 80)).toBeLessThan(0.5);
});

test("a better position is shown closer, within what a map can show", () => {
  expect(zoomFor(10, 51)).toBeGreaterThan(zoomFor(3000, 51));
  expect(zoomFor(0, 51)).toBeLessThanOrEqual(16.5);
  expect(zoomFor(5e7, 51)).toBe(4);
});

test("a position out of range is not drawn", () => {
  expect(drawable({ lat: 91, lon: 0 })).toBe(false);
  expect(drawable({ lat: Number.NaN, lon: 0 })).toBe(false);
  expect(drawable(undefined)).toBe(false);
  expect(coordinates({ lat: 54.8712345, lon: 69.15 })).toBe("54.87123, 69.15000");
});

describe("the embedded base map", () => {
  const base = parseBase(JSON.parse(readFileSync(new URL("../public/map/base.json", import.meta.url), "utf8")));

  test("has the settlements of Kazakhstan with names in three languages", () => {
    expect(base.places.length).toBeGreaterThan(350);
    for (const p of base.places) for (const lang of ["kk", "ru", "en"] as const) expect(p[lang], JSON.stringify(p)).toBeTruthy();
    expect(base.places.find((p) => p.en === "Oskemen")).toMatchObject({ kk: "Өскемен", ru: "Усть-Каменогорск", rank: 1 });
  });

  test("tells where a point lies from the settlement people know", () => {
    const near = nearest(base.places, { lat: 54.9, lon: 69.16 });
    expect(near?.place.ru).toBe("Петропавловск");
    expect(near?.metres).toBeLessThan(6000);
    expect(nearest(base.places, { lat: -40, lon: 0 })).toBeUndefined();
  });

  test("has land, borders and the outline of Kazakhstan", () => {
    const layers = new Set(base.geojson.features.map((f) => f.properties?.layer));
    expect([...layers].sort()).toEqual(["border", "country", "home", "homeborder", "land", "place"]);
  });

  test("names follow the language and marks are drawn above everything", () => {
    const style = mapStyle(base, "dark", "kk", null);
    expect(style.glyphs).toBeUndefined();
    const ids = style.layers.map((l) => l.id);
    expect(ids.indexOf("points")).toBeGreaterThan(ids.indexOf("base-name-0"));
    expect(JSON.stringify(style.layers.find((l) => l.id === "base-name-0"))).toContain('["get","kk"]');
  });
});
