import { expect, test } from "vitest";
import type { Fix } from "../lib/wire.gen";
import { due, movingMs, stillMs } from "./own";
import { apart, farAs, goal, places, ways } from "./place";
import type { CaseLine } from "./rest";

const line = (id: string, atMs: number, place: CaseLine["place"], gone = false): CaseLine => ({ id, what: "place", atMs, by: "", name: "", role: "", phone: "", text: "", gone, merged: false, ...(place ? { place } : {}) });
const fix = (change: Partial<Fix> = {}): Fix => ({ lat: 54.875, lon: 69.16, accuracyM: 10, source: "device", clientMs: 0, serverMs: 0, ...change });

test("what people say counts before a device, the newest of each, and nothing that was withdrawn", () => {
  const card = [
    line("a", 1, { source: "device", lat: 54.1, lon: 69, accuracyM: 900, words: "" }),
    line("b", 2, { source: "device", lat: 54.2, lon: 69, accuracyM: 12, words: "" }),
    line("c", 3, { source: "words", accuracyM: 0, words: "Абай 24" }),
  ];
  expect(goal({ card })?.at?.lat).toBe(54.2);
  expect(places({ card }).words?.words).toBe("Абай 24");
  const more = [...card, line("d", 4, { source: "caller", lat: 54.3, lon: 69, accuracyM: 0, words: "" }), line("e", 5, { source: "operator", lat: 54.4, lon: 69, accuracyM: 0, words: "3-кіреберіс" }, true)];
  expect(goal({ card: more })?.at?.lat).toBe(54.3);
  expect(places({ card: more }).words?.words).toBe("Абай 24");
  expect(goal({ card: [line("x", 1, { source: "device", lat: 154, lon: 69, accuracyM: 1, words: "" })] })?.at).toBeUndefined();
  expect(goal({ card: [] })).toBeUndefined();
  const joined = { ...line("m", 9, { source: "caller", lat: 54.9, lon: 69, accuracyM: 0, words: "" }), merged: true };
  expect(goal({ card: [...card, joined] })?.at?.lat).toBe(54.2);
  expect(goal({ card: [joined] })?.at?.lat).toBe(54.9);
});

test("distances are said as people say them", () => {
  expect([farAs(7.4, "ru"), farAs(343, "ru"), farAs(949, "en"), farAs(2130, "ru"), farAs(24300, "en")].map((d) => `${d.n} ${d.unit}`)).toEqual(["7 m", "340 m", "950 m", "2,1 km", "24 km"]);
  expect(apart({ lat: 54.875, lon: 69.16 }, undefined)).toBeUndefined();
});

test("the ways there name the place in the order that each service reads", () => {
  const w = ways({ lat: 54.875, lon: 69.16 });
  expect(w.geo).toBe("geo:54.875000,69.160000?q=54.875000,69.160000");
  expect(w.twoGIS).toContain("%7C69.160000%2C54.875000");
  expect(w.google).toContain("destination=54.875000%2C69.160000");
});

test("a position is told every 3 s on the move, every 15 s at rest, and the first at once", () => {
  expect(due(undefined, fix(), 0)).toBe(true);
  const last = { fix: fix(), atMs: 0 };
  const moved = fix({ lat: 54.8752 }); // 22 m
  expect([due(last, moved, movingMs - 1), due(last, moved, movingMs)]).toEqual([false, true]);
  expect([due(last, fix({ lat: 54.87501 }), stillMs - 1), due(last, fix({ lat: 54.87501 }), stillMs)]).toEqual([false, true]);
  expect(due(last, fix({ speedMps: 9 }), movingMs)).toBe(true);
  expect(due(last, fix({ lat: 54.8752, accuracyM: 900 }), movingMs)).toBe(false); // 22 m within 25 m of doubt
});
