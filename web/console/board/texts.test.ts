import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { patrolStates } from "./rules";

const langs = ["kk", "ru", "en"] as const;
const read = (lang: string) => JSON.parse(readFileSync(new URL(`../../locales/board/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
const texts = Object.fromEntries(langs.map((l) => [l, read(l)])) as Record<(typeof langs)[number], Record<string, string>>;
const source = readdirSync(new URL(".", import.meta.url)).filter((n: string) => /\.tsx?$/.test(n) && !n.includes(".test."))
  .map((f: string) => readFileSync(new URL(f, import.meta.url), "utf8")).join("\n");
const whole = new Set([...source.matchAll(/\bt\("(board[\w.]*)"/g)].map((m) => m[1] as string).concat([...source.matchAll(/\? t\("(board[\w.]*)"/g)].map((m) => m[1] as string)));
const starts = new Set([...source.matchAll(/\bt\(`(board[\w.]*)\$\{/g)].map((m) => m[1] as string));

test("every text is there in all three languages, with the same variables", () => {
  const vars = (s: string | undefined) => [...(s ?? "").matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  for (const lang of langs) {
    expect(Object.keys(texts[lang])).toEqual(Object.keys(texts.kk));
    for (const key of Object.keys(texts.kk)) expect(vars(texts[lang][key]), `${lang} ${key}`).toBe(vars(texts.ru[key]));
  }
  const same = Object.keys(texts.kk).filter((k) => texts.kk[k] === texts.en[k] && /\p{L}{2}/u.test((texts.kk[k] ?? "").replace(/\{.*?\}/g, "")));
  expect(same).toEqual([]);
});

test("every text that is asked for exists, and none is left over", () => {
  expect(whole.size).toBeGreaterThan(50);
  expect([...whole].filter((k) => !(k in texts.kk))).toEqual([]);
  for (const start of starts) expect(Object.keys(texts.kk).some((k) => k.startsWith(start)), start).toBe(true);
  expect(Object.keys(texts.kk).filter((k) => !whole.has(k) && ![...starts].some((s) => k.startsWith(s)))).toEqual([]);
});

test("every word that the gateway may send has a text", () => {
  const sets: Record<string, readonly string[]> = {
    unit: [...patrolStates, "off", "late"], need: ["late", "assign", "assigned", "accepted", "en_route", "on_scene"], over: ["cleared", "recalled", "declined", "closed"],
    source: ["device", "caller", "operator", "words", "patrol"], cost: ["min", "km", "m"], tool: ["measure", "pin"], layer: ["cases", "patrols", "cameras"],
  };
  for (const [prefix, list] of Object.entries(sets)) for (const w of list) expect(texts.kk[`board.${prefix}.${w}`], `${prefix}.${w}`).toBeTruthy();
});

test("no word mixes letters of two scripts", () => {
  for (const lang of langs) {
    for (const [key, text] of Object.entries(texts[lang])) {
      for (const word of text.replace(/\{[^}]*\}/g, " ").match(/[\p{L}]+/gu) ?? []) {
        expect(/\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}/u.test(word), `${lang} ${key}: ${word}`).toBe(false);
      }
    }
  }
});
