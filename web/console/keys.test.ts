import { describe, expect, test } from "vitest";
import { type Act, actOf, acts, bindable, chordOf, defaults, isRoom, type KeyPress, label, loadKeys, rebind, saveKeys } from "./keys";

const press = (code: string, more: Partial<KeyPress> & { key?: string } = {}): KeyPress & { key?: string } => ({
  code, altKey: false, ctrlKey: false, shiftKey: false, metaKey: false, ...more,
});

/** What one key reports as event.key under each layout: only the code stays. */
const layouts: Record<string, Record<string, string>> = {
  en: { KeyV: "v", KeyC: "c", KeyN: "n", KeyQ: "q", KeyM: "m", KeyP: "p", KeyL: "l", KeyB: "b", KeyO: "o", KeyS: "s" },
  ru: { KeyV: "м", KeyC: "с", KeyN: "т", KeyQ: "й", KeyM: "ь", KeyP: "з", KeyL: "д", KeyB: "и", KeyO: "щ", KeyS: "ы" },
  kk: { KeyV: "м", KeyC: "с", KeyN: "т", KeyQ: "й", KeyM: "ь", KeyP: "з", KeyL: "д", KeyB: "и", KeyO: "щ", KeyS: "ы" },
};

/** The press that a chord stands for, as a layout reports it. */
function pressOf(chord: string, layout: Record<string, string>): KeyPress {
  const code = chord.split("+").at(-1) ?? "";
  return press(code, { key: layout[code] ?? code, altKey: chord.includes("Alt+"), shiftKey: chord.includes("Shift+"), ctrlKey: chord.includes("Ctrl+") });
}

describe.each(Object.entries(layouts))("under the %s layout", (_, layout) => {
  test.each(Object.entries(defaults))("%s answers to %s", (act, chord) => {
    expect(actOf(defaults, pressOf(chord, layout))).toBe(act);
  });
});

test("letters and digits alone, and modifiers alone, do nothing", () => {
  for (const code of ["KeyV", "Digit2", "Enter", "Space"]) expect(actOf(defaults, press(code))).toBeUndefined();
  expect(chordOf(press("AltLeft", { altKey: true }))).toBeUndefined();
});

test("F2 answers and Shift+F2 ends: one is never the other", () => {
  expect(actOf(defaults, press("F2"))).toBe("answer");
  expect(actOf(defaults, press("F2", { shiftKey: true }))).toBe("end");
  expect(actOf(defaults, press("F2", { ctrlKey: true }))).toBeUndefined();
});

test("every act has a key and no two share one; at most 24 to learn, the rooms' numbers being one", () => {
  expect(new Set(Object.values(defaults)).size).toBe(acts.length);
  expect(acts.filter((a) => !isRoom(a)).length + 1).toBeLessThanOrEqual(24);
  expect(acts.filter(isRoom).map((a) => defaults[a])).toEqual(acts.filter(isRoom).map((_, n) => `Ctrl+Digit${n + 1}`));
  for (const act of acts) expect(bindable(defaults[act]), act).toBe(true);
});

test("rebinding takes a key from its owner, who gets the old one", () => {
  const map = rebind(defaults, "mute", "F2");
  expect(map.mute).toBe("F2");
  expect(map.answer).toBe("F4");
  expect(new Set(Object.values(map)).size).toBe(acts.length);
});

test("what would fire while typing, or belongs to the browser, cannot be bound", () => {
  for (const chord of ["KeyA", "Shift+KeyA", "Digit1", "Ctrl+KeyW", "F5"]) expect(rebind(defaults, "mute", chord)).toBe(defaults);
});

test("kept keys come back, spoiled ones count as never kept", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  const mine = rebind(defaults, "hold", "Alt+KeyH");
  saveKeys(storage, mine);
  expect(loadKeys(storage)).toEqual(mine);
  saveKeys(storage, defaults);
  expect(kept.size).toBe(0);
  for (const bad of ["{", "null", '{"mute":"KeyA"}', '{"mute":5}', '{"mute":"F2"}']) {
    expect(loadKeys({ getItem: () => bad })).toEqual(defaults);
  }
});

test("a key is written as it is printed", () => {
  const written: [Act, string][] = [["ask", "Alt+V"], ["end", "Shift+F2"]];
  for (const [act, words] of written) expect(label(defaults[act])).toBe(words);
});
