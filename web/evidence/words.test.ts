import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { format } from "../lib/i18n";
import { clockMs, megabytes, seconds } from "./words";
import { acts } from "./keys";
import { phrase, streamName } from "./words";

const langs = ["kk", "ru", "en"] as const;
const read = (lang: string) => JSON.parse(readFileSync(new URL(`../locales/evidence/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
const texts = Object.fromEntries(langs.map((l) => [l, read(l)])) as Record<(typeof langs)[number], Record<string, string>>;
const sayIn = (lang: (typeof langs)[number]) => (key: string, vars: Record<string, string | number> = {}) => format(texts[lang][key] ?? key, vars, lang);

test("every text is there in all three languages and none is left in English", () => {
  for (const lang of langs) expect(Object.keys(texts[lang])).toEqual(Object.keys(texts.kk));
  const words = (s: string) => s.replace(/\{.*?\}/g, "");
  for (const lang of ["kk", "ru"] as const) {
    expect(Object.keys(texts[lang]).filter((k) => texts[lang][k] === texts.en[k] && /\p{L}{2}/u.test(words(texts[lang][k] ?? "")))).toEqual([]);
  }
});

test("every text that the page asks for exists", () => {
  const source = readdirSync(new URL(".", import.meta.url)).filter((n) => /\.tsx?$/.test(n) && !n.includes("test"))
    .map((n) => readFileSync(new URL(n, import.meta.url), "utf8")).join("\n");
  const whole = [...source.matchAll(/\bt\("([a-z][\w.]*)"/g)].map((m) => m[1] ?? "");
  expect(whole.length).toBeGreaterThan(40);
  expect(whole.filter((k) => !(k in texts.kk))).toEqual([]);
  for (const m of source.matchAll(/\bt\(`([a-z][\w.]*)\$\{/g)) expect(Object.keys(texts.kk).some((k) => k.startsWith(m[1] ?? "")), m[1]).toBe(true);
});

test("every key, and every reason of the recorder, has words", () => {
  const reasons = ["loss", "no_keyframe", "ssrc_change", "overlap", "other_codec", "recorder_restart", "no_space", "write_error", "slow_disk"];
  for (const k of [...acts.map((a) => `act.${a}`), ...reasons.map((r) => `why.${r}`)]) expect(texts.kk[k], k).toBeTruthy();
});

test("the same variables stand in each language", () => {
  const vars = (s: string) => [...new Set([...s.matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]))].sort().join();
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

describe("what the verifier says", () => {
  const fault = { code: "read.failed", args: { file: "00001.evr", bytes: 70, offset: 9, cause: "cause.crc" }, text: "English" };
  test("is said in the language of the page, causes and streams too", () => {
    expect(phrase(fault, sayIn("ru"))).toBe("00001.evr: с позиции 9 не читается байт: 70: контрольная сумма не совпадает");
    expect(phrase({ code: "found.dropped", args: { stream: "caller video", records: 3 }, text: "" }, sayIn("en"))).toBe("caller · video: records dropped by the recorder: 3.");
    expect(phrase({ code: "found.restarts", args: { restarts: 2 }, text: "" }, sayIn("ru"))).toContain("2 раза");
    expect(streamName("stream 7", sayIn("kk"))).toBe("ағын · 7");
  });
  test("keeps its own text where the code, or the cause, is of a newer verifier", () => {
    expect(phrase({ code: "v9.new", text: "Something new." }, sayIn("kk"))).toBe("Something new.");
    expect(phrase({ ...fault, args: { ...fault.args, cause: "cause.new" } }, sayIn("ru"))).toMatch(/cause\.new$/);
  });
  test("cannot smuggle a template", () => {
    expect(phrase({ code: "file.size", args: { file: "{bytes}", bytes: 1, sealed: 2 }, text: "" }, sayIn("en"))).toBe("{bytes}: has 1 bytes, sealed were 2");
  });
});

test("a time of the call is read as it is written", () => {
  expect(["", "7", "1:05", "1:02:03", "0:01,5"].map(clockMs)).toEqual([0, 7000, 65_000, 3_723_000, 1500]);
  for (const bad of ["x", "1:", ":1", "1:2:3:4", "-1", "1e3"]) expect(clockMs(bad), bad).toBeUndefined();
});

test("a size is written for people", () => expect(megabytes(1_250_000, "en")).toBe("1.3 MB"));

test("lengths are as exact as they are", () => {
  expect([0, 20, 999, 1040, 12_345].map(seconds)).toEqual(["0.00", "0.02", "1.00", "1.04", "12.3"]);
});
