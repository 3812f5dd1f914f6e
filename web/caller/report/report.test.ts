import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ago } from "./Told";

test("an age is told in the words of the language, and never from the future", () => {
  expect(ago(0, 4 * 60_000 + 59_000, "en")).toBe("4 min. ago");
  expect(ago(0, 3 * 3_600_000, "ru")).toBe("3 ч назад");
  expect(ago(10_000, 0, "en")).toBe("0 sec. ago");
  expect(ago(0, 2 * 86_400_000, "en")).toBe("2 days ago");
  expect(ago(0, 5 * 60_000, "kk")).not.toBe(ago(0, 5 * 60_000, "en"));
});

test("every text of the lane that is asked for exists, with the same variables in each language", () => {
  const read = (l: string) => JSON.parse(readFileSync(`locales/lane/${l}.json`, "utf8")) as Record<string, string>;
  const [kk, ru, en] = [read("kk"), read("ru"), read("en")];
  const sources = readdirSync("caller/report").filter((n) => /\.tsx?$/.test(n) && !n.includes("test")).map((n) => readFileSync(`caller/report/${n}`, "utf8")).join("\n");
  const shared = new Set(Object.keys(JSON.parse(readFileSync("locales/caller/kk.json", "utf8")) as Record<string, string>));
  for (const m of sources.matchAll(/\bt\("([a-z][\w.]*)"/g)) expect((m[1] ?? "") in kk || shared.has(m[1] ?? ""), m[1]).toBe(true);
  for (const k of ["denied", "service", "unsupported", "unreachable"]) expect(kk[`notices.${k}`]).toBeTruthy();
  const vars = (s: string | undefined) => [...(s ?? "").matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  for (const k of Object.keys(kk)) expect([vars(kk[k]), vars(en[k])], k).toEqual([vars(ru[k]), vars(ru[k])]);
});

test("a notice names no police, no matter and no person", () => {
  const worker = readFileSync("caller/sw.js", "utf8");
  const words = /const news = (\{.*\});/.exec(worker)?.[1] ?? "";
  expect(words.match(/[а-яәғқңөұүһі]{3,}|[a-z]{4,}/gi)).toEqual(["Жаңалық", "бар", "Есть", "новости", "There", "news"]);
});
