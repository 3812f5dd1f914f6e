import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { measures } from "./api";
import { spans } from "./figures";
import { shiftRoles } from "./roles";

const langs = ["kk", "ru", "en"] as const;
const read = (room: string, lang: string) => JSON.parse(readFileSync(new URL(`../../locales/${room}/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
const texts = Object.fromEntries(langs.map((l) => [l, read("office", l)])) as Record<(typeof langs)[number], Record<string, string>>;
const shell = read("console", "ru");
const sources = readdirSync(new URL(".", import.meta.url)).filter((n: string) => /\.tsx?$/.test(n) && !n.includes("test")).map((n: string) => readFileSync(new URL(n, import.meta.url), "utf8"));

test("the texts of the office are complete in three languages, with the same variables, and repeat none of the console's", () => {
  const vars = (s: string) => [...s.matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  for (const lang of langs) {
    expect(Object.keys(texts[lang])).toEqual(Object.keys(texts.kk));
    for (const [key, text] of Object.entries(texts[lang])) {
      expect(text, key).toBeTruthy();
      expect(key).toMatch(/^(office|wall|stats|shifts)\./);
      expect(vars(text), `${lang} ${key}`).toBe(vars(texts.ru[key] ?? ""));
      expect(shell, key).not.toHaveProperty([key]);
    }
  }
});

test("every text that is asked for exists, and every one that exists is asked for", () => {
  const whole = new Set<string>();
  const starts = new Set<string>();
  for (const s of sources) {
    for (const m of s.matchAll(/"((?:office|wall|stats|shifts)\.[\w.]+)"/g)) whole.add(m[1] ?? "");
    for (const m of s.matchAll(/`((?:office|wall|stats|shifts)\.[\w.]+)\$\{/g)) starts.add(m[1] ?? "");
  }
  expect([...whole].filter((k) => !(k in texts.kk))).toEqual([]);
  expect(Object.keys(texts.kk).filter((k) => !whole.has(k) && ![...starts].some((s) => k.startsWith(s)))).toEqual([]);
});

test("every word that is put together has a text", () => {
  const tiles = ["queue", "longest_wait", "talking", "ready", "answered_in_time", "today", "abandoned", "not_called_back", "open", "oldest_report", "replied", "patrols_free", "seat_talking", "seat_wrapup"];
  const want: Record<string, readonly string[]> = {
    "wall.tile": tiles, "wall.level": ["good", "warn", "bad"], "wall.was": ["minutes", "week"], "stats.span": spans, "stats.lane": ["all", "call", "report"], "stats.measure": measures,
    "stats.by": ["day", "month", "hour", "weekday", "hour_weekday", "kind", "outcome", "district", "lane"], "shifts.role": shiftRoles, "office.day": ["1", "2", "3", "4", "5", "6", "7"],
  };
  for (const [prefix, words] of Object.entries(want)) for (const w of words) expect(texts.kk[`${prefix}.${w}`], `${prefix}.${w}`).toBeTruthy();
});

test("no word mixes letters of two scripts", () => {
  for (const lang of langs) {
    for (const [key, text] of Object.entries(texts[lang])) {
      for (const word of text.replace(/\{\w+\}/g, " ").replace(/plural|one|few|other/g, " ").match(/[\p{L}]+/gu) ?? []) {
        expect(/\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}/u.test(word), `${lang} ${key}: ${word}`).toBe(false);
      }
    }
  }
});
