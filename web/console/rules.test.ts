import { describe, expect, test } from "vitest";
import { age, duration, phone, secondsLeft } from "./clock";
import { Drafts } from "./drafts";
import { meter, reasonOf } from "./mic";
import { openNote, rebase, refused, sending, sent, typed, wantsSave, wordOf } from "./note";
import { callerLang, expand, snippets } from "./snippets";
import { clampVolume, leastVolume, patterns, soundOf } from "./sounds";

describe("the note", () => {
  const fresh = openNote("c", "", 0, undefined);

  test("says whether it is saved, and sends one text at a time", () => {
    expect(wordOf(fresh)).toBe("empty");
    const a = typed(fresh, "нож");
    expect([wordOf(a), wantsSave(a)]).toEqual(["writing", true]);
    const b = sending(a);
    expect([wordOf(b), wantsSave(typed(b, "нож, двое"))]).toEqual(["saving", false]);
    const c = sent(typed(b, "нож, двое"), 1);
    expect([wordOf(c), wantsSave(c), c.rev]).toEqual(["writing", true, 1]);
    expect(wordOf(sent(sending(c), 2))).toBe("saved");
  });

  test("a refusal is shown and tried again, the text stays", () => {
    const n = refused(sending(typed(fresh, "нож")));
    expect([wordOf(n), wantsSave(n), n.text]).toEqual(["failed", true, "нож"]);
  });

  test("a draft left by a reload comes back and is saved", () => {
    const n = openNote("c", "нож", 4, "нож, второй этаж");
    expect([n.text, wantsSave(n), n.rev]).toEqual(["нож, второй этаж", true, 4]);
  });

  test("a newer note from elsewhere fills an untouched field and spares one being typed in", () => {
    expect(rebase(fresh, "из другого окна", 2)).toMatchObject({ text: "из другого окна", rev: 2 });
    expect(rebase(typed(fresh, "пишу"), "из другого окна", 2)).toMatchObject({ text: "пишу", saved: "из другого окна", rev: 2 });
    expect(rebase(fresh, "старое", 0)).toBe(fresh);
  });
});

test("times are read at a glance and never negative", () => {
  expect([duration(0), duration(61_000), duration(3_661_000), duration(-5)]).toEqual(["00:00", "01:01", "1:01:01", "00:00"]);
  expect([secondsLeft(1500, 0), secondsLeft(0, 99)]).toEqual([2, 0]);
  expect([age(4000), age(600_000), age(7_200_000 * 3)]).toEqual([{ n: 4, unit: "s" }, { n: 10, unit: "min" }, { n: 6, unit: "h" }]);
});

test("a phone number is grouped as it is read out", () => {
  expect(phone("+77015551212")).toBe("+7 701 555 12 12");
  expect(phone("+4930123")).toBe("+4930123");
});

describe("sounds", () => {
  test("five of at most 400 ms, each with a rhythm of its own", () => {
    const rhythms = Object.values(patterns).map((p) => p.beeps.map((b) => `${b.at}/${b.ms}`).join(" "));
    expect(new Set(rhythms).size).toBe(5);
    for (const p of Object.values(patterns)) expect(Math.max(...p.beeps.map((b) => b.at + b.ms))).toBeLessThanOrEqual(400);
  });

  test("a handed-over call sounds as such, else the kind decides", () => {
    expect(soundOf({ kind: "video", transfer: "Ерлан" })).toBe("transfer");
    expect(soundOf({ kind: "silent" })).toBe("silent");
  });

  test("the volume never reaches zero", () => {
    for (const v of [0, -1, Number.NaN]) expect(clampVolume(v)).toBeGreaterThanOrEqual(leastVolume);
    expect(clampVolume(7)).toBe(1);
  });
});

describe("snippets", () => {
  test("are complete in three languages and written in the caller's", () => {
    for (const s of snippets) for (const lang of ["kk", "ru", "en"] as const) expect(s[lang].length).toBeGreaterThan(5);
    expect(expand("/4", "ru")).toBe("Есть оружие?");
    expect(expand("/4 у него", "kk")).toBe("Қару бар ма? у него");
    expect(callerLang("de")).toBe("kk");
  });

  test("leave other text alone", () => {
    for (const text of ["/9", "1/4", "/44", "да"]) expect(expand(text, "ru")).toBe(text);
  });
});

test("the level meter goes from silence to full scale", () => {
  expect(meter(new Float32Array(64))).toBe(0);
  expect(meter(Float32Array.from({ length: 64 }, (_, i) => (i % 2 ? 1 : -1)))).toBe(1);
  expect(meter(new Float32Array(64).fill(0.03))).toBeGreaterThan(0.4);
});

test("why a device did not open, in one word", () => {
  expect(reasonOf(new DOMException("", "NotAllowedError"))).toBe("denied");
  expect(reasonOf(new DOMException("", "NotFoundError"))).toBe("none");
  expect(reasonOf(new DOMException("", "NotReadableError"))).toBe("busy");
});

test("drafts outlive a reload, five of them", () => {
  const storage = fakeStorage();
  const drafts = new Drafts(storage);
  drafts.write("a", { note: "нож" });
  drafts.write("a", { category: "fight" });
  expect(new Drafts(storage).read("a")).toMatchObject({ note: "нож", category: "fight" });
  for (const c of ["b", "c", "d", "e", "f", "g"]) drafts.write(c, { note: c });
  expect(Object.keys(storage)).toHaveLength(5);
  expect(drafts.read("g").note).toBe("g");
  storage.setItem("jedel.console.draft.x", "{");
  expect(drafts.read("x")).toEqual({});
});

function fakeStorage(): Storage {
  const methods = {
    getItem(this: Record<string, string>, k: string) { return Object.hasOwn(this, k) ? this[k] : null; },
    setItem(this: Record<string, string>, k: string, v: string) { this[k] = v; },
    removeItem(this: Record<string, string>, k: string) { delete this[k]; },
  };
  return Object.create(methods) as Storage;
}
