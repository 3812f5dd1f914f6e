import { describe, expect, test } from "vitest";
import { type Act, actOf, acts, type KeyPress, label, moves, slide, speeds, table } from "./keys";

/** What the keys print under each layout: only the code may count. */
const layouts: Record<string, Record<string, string>> = {
  en: { KeyJ: "j", KeyK: "k", KeyL: "l", KeyM: "m", KeyR: "r", KeyC: "c", KeyD: "d", KeyV: "v", Comma: ",", Period: ".", Digit1: "1", Digit2: "2", Digit3: "3", Digit4: "4", Slash: "?" },
  ru: { KeyJ: "о", KeyK: "л", KeyL: "д", KeyM: "ь", KeyR: "к", KeyC: "с", KeyD: "в", KeyV: "м", Comma: "б", Period: "ю", Digit1: "1", Digit2: "2", Digit3: "3", Digit4: "4", Slash: "," },
  kk: { KeyJ: "о", KeyK: "л", KeyL: "д", KeyM: "ь", KeyR: "к", KeyC: "с", KeyD: "в", KeyV: "м", Comma: "б", Period: "ю", Digit1: "\"", Digit2: "ә", Digit3: "і", Digit4: "ң", Slash: "?" },
};

function press(chord: string, layout: Record<string, string> = {}, more: Partial<KeyPress> = {}): KeyPress {
  const code = chord.replace("Shift+", "");
  return { code, key: layout[code] ?? code, shiftKey: chord.startsWith("Shift+"), altKey: false, ctrlKey: false, metaKey: false, ...more };
}

const bound = acts.flatMap((a) => table[a].map((chord): [Act, string] => [a, chord]));

describe.each(Object.entries(layouts))("under the %s layout", (_, layout) => {
  test.each(bound)("%s answers to %s", (act, chord) => expect(actOf(press(chord, layout), "page")).toBe(act));
});

test("no two acts share a key", () => {
  const all = bound.map(([, chord]) => chord);
  expect(new Set(all).size).toBe(all.length);
});

test("the question mark of the Russian layout, on the seven, opens the help too", () => {
  expect(actOf(press("Shift+Digit7", {}, { key: "?" }), "page")).toBe("help");
});

test("a field keeps every key, a button the space bar only, the browser its own", () => {
  for (const [, chord] of bound) expect(actOf(press(chord), "field"), chord).toBeUndefined();
  expect(actOf(press("Space"), "button")).toBeUndefined();
  expect(actOf(press("KeyJ"), "button")).toBe("back");
  for (const m of ["ctrlKey", "altKey", "metaKey"] as const) expect(actOf(press("KeyC", {}, { [m]: true }), "page"), m).toBeUndefined();
});

test("speeds and steps are those that the help names", () => {
  expect(Object.values(speeds)).toEqual([0.5, 1, 1.5, 2]);
  expect(moves.back).toBe(-5000);
  expect(15 * (moves.frameForward ?? 0)).toBeCloseTo(1000);
});

test("a slider moves by a second, by ten, and to the ends, never beyond", () => {
  expect(slide("ArrowRight", 1500, 9000)).toBe(2500);
  expect(slide("PageDown", 1500, 9000)).toBe(0);
  expect(slide("ArrowUp", 8900, 9000)).toBe(9000);
  expect(slide("End", 0, 9000)).toBe(9000);
  expect(slide("Home", 10, 9000)).toBe(0);
  expect(slide("KeyJ", 10, 9000)).toBeUndefined();
});

test("a key is written as it is printed", () => {
  expect(["KeyJ", "Digit2", "Comma", "ArrowLeft", "Shift+Slash"].map(label)).toEqual(["J", "2", ",", "←", "?"]);
});
