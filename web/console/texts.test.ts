import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { acts } from "./keys";

const langs = ["kk", "ru", "en"] as const;
const read = (lang: string) => JSON.parse(readFileSync(new URL(`../locales/console/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
const texts = Object.fromEntries(langs.map((l) => [l, read(l)])) as Record<(typeof langs)[number], Record<string, string>>;

/** Keys that the pages ask for, as written in the source; a template gives the part before its variable. */
function asked(): { whole: Set<string>; starts: Set<string> } {
  const whole = new Set<string>();
  const starts = new Set<string>();
  for (const f of readdirSync(new URL(".", import.meta.url)).filter((n: string) => /\.tsx?$/.test(n) && !n.includes("test") && n !== "gallery.tsx")) {
    const source = readFileSync(new URL(f, import.meta.url), "utf8");
    for (const m of source.matchAll(/\b(?:t|say)\("([a-z][\w.]*)"/g)) whole.add(m[1] ?? "");
    for (const m of source.matchAll(/\b(?:t|say)\(`([a-z][\w.]*)\$\{/g)) starts.add(m[1] ?? "");
  }
  return { whole, starts };
}

test("every text is there in all three languages and no two are left equal by mistake", () => {
  for (const lang of langs) expect(Object.keys(texts[lang])).toEqual(Object.keys(texts.kk));
  const same = Object.keys(texts.kk).filter((k) => texts.kk[k] === texts.en[k] && /\p{L}{2}/u.test((texts.kk[k] ?? "").replace(/\{.*?\}/g, "")));
  expect(same).toEqual([]);
});

test("every text that is asked for exists", () => {
  const { whole, starts } = asked();
  expect(whole.size).toBeGreaterThan(100);
  expect([...whole].filter((k) => !(k in texts.kk))).toEqual([]);
  for (const start of starts) expect(Object.keys(texts.kk).some((k) => k.startsWith(start)), start).toBe(true);
});

describe("every word that the protocol may send has a text", () => {
  const sets: Record<string, string[]> = {
    duty: ["off", "ready", "offered", "talking", "wrapup", "busy", "pause", "not_responding", "link_lost"],
    phase: ["created", "queued", "offered", "connecting", "talking", "hold", "conference", "reconnecting", "wrapup", "ended"],
    kind: ["video", "voice", "silent"],
    mic: ["on", "off", "denied", "none", "busy", "asking"],
    cam: ["on", "off", "denied", "none", "busy", "asking"],
    gone: ["taken", "expired", "ended", "link_lost", "other"],
    ended: ["caller", "operator", "abandoned", "dropped", "other"],
    callback: ["dropped", "abandoned", "reached", "not_reached", "not_needed"],
    quality: ["good", "fair", "poor", "lost", "unknown"],
    rec: ["recording", "degraded", "stopped"],
    source: ["device", "pin", "text"],
    proof: ["none", "sms", "none.long", "sms.long"],
    from: ["caller", "operator", "system"],
    note: ["empty", "saved", "writing", "saving", "failed"],
    link: ["connecting", "open", "lost", "closed"],
    wind: ["n", "ne", "e", "se", "s", "sw", "w", "nw"],
    rung: ["audio", "notes", "text", "sos", "notes.do", "text.do", "sos.do"],
    act: [...acts],
  };
  test.each(Object.entries(sets))("%s", (prefix, words) => {
    for (const w of words) expect(texts.kk[`${prefix}.${w}`], `${prefix}.${w}`).toBeTruthy();
  });
});

test("the same variables stand in each language", () => {
  const vars = (s: string) => [...s.matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  for (const key of Object.keys(texts.kk)) for (const lang of langs) expect(vars(texts[lang][key] ?? ""), `${lang} ${key}`).toBe(vars(texts.ru[key] ?? ""));
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
