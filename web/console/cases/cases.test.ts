import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CaseDrafts, replyOf } from "./caseDrafts";
import { asked, dayStart, nearOf, nothing, readFilters, restricted, writeFilters } from "./filters";
import { arrange, counts, fold } from "./fold";
import { caseItem } from "./fixtures";
import { firstPriority } from "./Head";
import { lineOf } from "./Lines";
import { roles, statuses } from "./model";
import { stepOf } from "./Told";

describe("filters", () => {
  test("what is looked for goes into the address and comes back", () => {
    const f = { ...nothing, text: "шум & 50%", show: "all" as const, mine: true, kind: "noise", status: "in_work", from: "2026-11-01", near: "54.87,69.16,500" };
    expect(readFilters(writeFilters(f))).toEqual(f);
    expect(writeFilters(nothing).toString()).toBe("");
    expect(writeFilters(nothing, { case: "x" }).toString()).toBe("case=x");
    expect([restricted(nothing), restricted(f)]).toEqual([0, 6]);
  });

  test("an address that says nonsense says nothing", () => {
    const f = readFilters(new URLSearchParams("show=everything&status=eaten&lane=letter&near=1e9,2&from=yesterday&to=2026-13-99x&mine=yes&text=" + "x".repeat(5000)));
    expect({ ...f, text: "" }).toEqual(nothing);
    expect(f.text.length).toBe(200);
  });

  test("open cases are asked for in the order of work, others the newest first", () => {
    expect(asked(nothing, "me").toString()).toBe("order=urgent&open=1");
    expect(asked({ ...nothing, show: "closed" }, "me").toString()).toBe("order=newest&status=closed");
    expect(asked({ ...nothing, show: "all", text: "шум" }, "me").get("open")).toBeNull();
    expect(asked({ ...nothing, patrol: true }, "me").getAll("status")).toEqual(["patrol_sent", "on_scene"]);
    const q = asked({ ...nothing, mine: true, unowned: true, unanswered: true, from: "2026-11-01", to: "2026-11-01" }, "me");
    expect([q.get("owner"), q.get("unowned"), q.get("unanswered")]).toEqual(["me", "1", "1"]);
    expect(Number(q.get("to")) - Number(q.get("from"))).toBe(86_400_000);
    expect(Number(q.get("from"))).toBe(dayStart("2026-11-01"));
  });

  test("a place is read as people write it, and nothing that is none", () => {
    expect(nearOf("54.87, 69.16")).toEqual({ lat: 54.87, lon: 69.16, metres: 500 });
    expect(nearOf("54.87 69.16 100")).toEqual({ lat: 54.87, lon: 69.16, metres: 100 });
    for (const bad of ["", "54", "Абай 24", "91,0", "0,181", "1,2,0", "1,2,1000000", "NaN,NaN"]) expect(nearOf(bad), bad).toBeUndefined();
  });
});

describe("folding", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => caseItem({ case: id })) as [ReturnType<typeof caseItem>, ReturnType<typeof caseItem>, ReturnType<typeof caseItem>, ReturnType<typeof caseItem>];

  test("what may be one event stands behind its first, each case once", () => {
    const list = [{ ...a, alike: ["b", "c"] }, { ...b, alike: ["a", "d"] }, { ...c, alike: ["a"] }, { ...d, alike: ["b"] }];
    const folds = fold(list);
    expect(folds.map((f) => [f.head.case, f.rest.map((r) => r.case)])).toEqual([["a", ["b", "c"]], ["d", []]]);
    expect(folds.flatMap((f) => [f.head, ...f.rest]).length).toBe(list.length);
    expect(counts(folds[0] as (typeof folds)[0])).toEqual({ here: 3, all: 3 });
  });

  test("calls, and what somebody works on, are never folded away", () => {
    const list = [{ ...a, alike: ["b", "c", "d"] }, { ...b, owner: "op" }, { ...c, patrols: ["P-14"] }, { ...d, lane: "call" as const }];
    expect(fold(list).map((f) => f.rest.length)).toEqual([0, 0, 0, 0]);
    expect(counts(fold(list)[0] as ReturnType<typeof fold>[0])).toEqual({ here: 1, all: 4 });
  });

  test("what is offered to me stands first, the rest stays as it came", () => {
    expect(arrange([a, b, { ...c, handing: "me" }, d], "me").map((x) => x.case)).toEqual(["c", "a", "b", "d"]);
    expect(arrange([a, { ...b, handing: "other" }], "me").map((x) => x.case)).toEqual(["a", "b"]);
  });
});

describe("drafts", () => {
  const storage = () => {
    const kept: Record<string, string> = {};
    return Object.defineProperties(kept, {
      getItem: { value: (k: string) => kept[k] ?? null }, setItem: { value: (k: string, v: string) => void (kept[k] = v) }, removeItem: { value: (k: string) => void delete kept[k] },
    }) as unknown as Storage;
  };

  test("what was typed outlives a reload, is one person's, and goes when it is sent", () => {
    const s = storage();
    new CaseDrafts(s, "aigul").write("c1", { note: "Екінші рет", outcome: "measures" }, 1);
    expect(new CaseDrafts(s, "aigul").read("c1")).toEqual({ note: "Екінші рет", outcome: "measures" });
    expect(new CaseDrafts(s, "bolat").read("c1")).toEqual({});
    new CaseDrafts(s, "aigul").write("c1", { note: "", outcome: "" }, 2);
    expect(Object.keys(s)).toEqual([]);
  });

  test("spoiled and old ones are no harm", () => {
    const s = storage();
    for (const bad of ["{", "null", "7", '{"note":5}']) {
      s.setItem("jedel.console.case.a.x", bad);
      expect(new CaseDrafts(s, "a").read("x")).toEqual({});
    }
    for (let n = 0; n < 60; n++) new CaseDrafts(s, "a").write(`c${n}`, { note: "x" }, n + 1);
    expect(Object.keys(s).length).toBeLessThanOrEqual(20);
    expect(new CaseDrafts(s, "a").read("c59")).toEqual({ note: "x" });
    expect(new CaseDrafts(s, "a").read("c0")).toEqual({});
  });

  test("the usual reply follows the outcome until somebody writes their own", () => {
    const usual = [{ code: "measures", reply: "Шара қолданылды." }, { code: "warned", reply: "Ескерту жасалды." }];
    expect(replyOf(undefined, "measures", usual)).toBe("Шара қолданылды.");
    expect(replyOf("Шара қолданылды.", "warned", usual)).toBe("Ескерту жасалды.");
    expect(replyOf("Өзім жаздым.", "warned", usual)).toBe("Өзім жаздым.");
    expect(replyOf("", "nothing", usual)).toBe("");
  });

  test("a line takes from the draft what it is made of", () => {
    expect(lineOf("note", { note: "  x ", plate: "123" })).toEqual({ line: { text: "x" }, sent: { note: "" } });
    expect(lineOf("vehicle", { plate: "123 ABC 15" })?.line).toEqual({ name: "123 ABC 15" });
    expect(lineOf("person", { name: "Нұрлан", role: "hacker" })?.line.role).toBe("other");
    for (const what of ["note", "person", "vehicle", "place", "?"]) expect(lineOf(what, { note: " ", role: "witness" })).toBeUndefined();
  });
});

test("naming what a case is may hurry it and never delays it", () => {
  expect(firstPriority({ kind: "", priority: 1 }, 3)).toBe(1);
  expect(firstPriority({ kind: "", priority: 3 }, 1)).toBe(1);
  expect(firstPriority({ kind: "noise", priority: 3 }, 1)).toBe(3);
  expect(firstPriority({ kind: "", priority: 2 }, undefined)).toBe(2);
});

test("a patrol stands at its latest step", () => {
  const s = { patrol: "p", name: "P-14", by: "", reason: "", atMs: 1, acceptedMs: 0, enRouteMs: 0, onSceneMs: 0, endedMs: 0, why: "", late: false };
  expect(stepOf(s).word).toBe("assigned");
  expect(stepOf({ ...s, late: true }).word).toBe("late");
  expect(stepOf({ ...s, acceptedMs: 2, enRouteMs: 3 })).toEqual({ word: "en_route", atMs: 3 });
  expect(stepOf({ ...s, onSceneMs: 4, endedMs: 5, why: "eaten" })).toEqual({ word: "cleared", atMs: 5 });
});

describe("texts", () => {
  const langs = ["kk", "ru", "en"] as const;
  const read = (folder: string, lang: string) => JSON.parse(readFileSync(new URL(`../../locales/${folder}/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
  const texts = Object.fromEntries(langs.map((l) => [l, read("cases", l)])) as Record<(typeof langs)[number], Record<string, string>>;
  const source = readdirSync(new URL(".", import.meta.url)).filter((n) => /\.tsx?$/.test(n) && !n.includes("test") && n !== "fixtures.ts").map((n) => readFileSync(new URL(n, import.meta.url), "utf8")).join("\n");

  test("stand in all three languages, begin with the room's name and are not left equal", () => {
    for (const l of langs) expect(Object.keys(texts[l])).toEqual(Object.keys(texts.kk));
    for (const [k, v] of Object.entries(texts.kk)) {
      expect(k.startsWith("cases.")).toBe(true);
      expect(v === texts.en[k], k).toBe(false);
    }
  });

  test("exist where they are asked for, and are asked for where they exist", () => {
    const own = { ...read("console", "ru"), ...texts.ru };
    const whole = [...source.matchAll(/"((?:cases\.)?[a-z][\w]*(?:\.[\w]+)*)"/g)].map((m) => m[1] ?? "");
    for (const m of source.matchAll(/\b(?:t|say)\("([a-z][\w.]*)"/g)) expect(own[m[1] ?? ""], m[1]).toBeTruthy();
    const starts = [...source.matchAll(/`(cases\.[\w.]*)\$\{/g)].map((m) => m[1] ?? "");
    const unused = Object.keys(texts.ru).filter((k) => !whole.includes(k) && !starts.some((s) => k.startsWith(s)));
    expect(unused).toEqual([]);
  });

  test("there is a word for everything the gateway may say", () => {
    const sets: Record<string, readonly string[]> = {
      status: statuses, role: roles, source: ["device", "caller", "operator", "words", "patrol"], lane: ["call", "report"], p: ["0", "1", "2", "3"],
      step: ["assigned", "late", "accepted", "en_route", "on_scene", "cleared", "recalled", "declined", "closed"], by: ["push", "sms", "none", "page", "voice"],
      stage: ["queued", "sending", "sent", "delivered", "failed", "given_up"], why: ["number", "phone", "name", "plate", "place", "note", "patrol", "reply"],
    };
    for (const [prefix, words] of Object.entries(sets)) for (const w of words) expect(texts.kk[`cases.${prefix}.${w}`], `${prefix}.${w}`).toBeTruthy();
  });

  test("have the same variables, and no word of two scripts", () => {
    const vars = (s: string) => [...s.matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
    for (const key of Object.keys(texts.kk)) {
      for (const l of langs) {
        expect(vars(texts[l][key] ?? ""), `${l} ${key}`).toBe(vars(texts.ru[key] ?? ""));
        for (const word of (texts[l][key] ?? "").replace(/\{[^}]*\}/g, " ").match(/\p{L}+/gu) ?? []) expect(/\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}/u.test(word), word).toBe(false);
      }
    }
  });
});
