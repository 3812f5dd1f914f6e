import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (lang: string) => JSON.parse(readFileSync(`locales/patrol/${lang}.json`, "utf8")) as Record<string, string>;
const sources = readdirSync("patrol").filter((n) => /\.tsx?$/.test(n) && !n.includes("test")).map((n) => readFileSync(`patrol/${n}`, "utf8")).join("\n");

test("every text that is asked for exists, and every text is asked for", () => {
  const texts = Object.keys(read("kk"));
  const whole = new Set([...sources.matchAll(/"([a-z][\w.]*)"/g)].map((m) => m[1] ?? ""));
  const starts = [...sources.matchAll(/\bt\(\s*(?:[^()`]*\?\s*)?`([a-z][\w.]*)\$\{/g)].map((m) => m[1] ?? "");
  for (const m of sources.matchAll(/\bt\("([a-z][\w.]*)"/g)) expect(texts, m[1]).toContain(m[1]);
  for (const s of starts) expect(texts.some((k) => k.startsWith(s)), s).toBe(true);
  expect(texts.filter((k) => !whole.has(k) && !starts.some((s) => k.startsWith(s)) && !k.startsWith("said."))).toEqual([]);
});

test("every word that the gateway may send has a text", () => {
  const sets: Record<string, string[]> = {
    state: ["off", "available", "assigned", "accepted", "en_route", "on_scene"], say: ["accepted", "en_route", "on_scene", "cleared", "declined"], said: ["accepted", "en_route", "on_scene", "cleared"],
    source: ["device", "caller", "operator", "words", "patrol"], priority: ["0", "1", "2", "3"], own: ["off", "asking", "denied", "none"], role: ["caller", "victim", "witness", "suspect", "other"], lang: ["kk", "ru", "en"],
  };
  for (const lang of ["kk", "ru", "en"]) for (const [at, words] of Object.entries(sets)) for (const w of words) expect(read(lang)[`${at}.${w}`], `${lang} ${at}.${w}`).toBeTruthy();
});

test("the same variables stand in each language", () => {
  const vars = (s: string | undefined) => [...(s ?? "").matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  const [kk, ru, en] = [read("kk"), read("ru"), read("en")];
  for (const k of Object.keys(kk)) expect([vars(kk[k]), vars(en[k])], k).toEqual([vars(ru[k]), vars(ru[k])]);
});
