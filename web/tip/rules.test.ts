import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { identityToRecipient } from "age-encryption";
import { base64url, fingerprint, hex, identityOf, mailboxKey, mailboxOf, newCode, readCode, wordsOf } from "./code";
import { fitting, pack, readReply } from "./letter";
import { bits, letterId, seedOf, stamp, zeros } from "./stamp";
import { strip } from "./strip";

/** What the gateway's own tests hold too. */
const v = JSON.parse(readFileSync(new URL("../../internal/tips/testdata/vectors.json", import.meta.url), "utf8")) as {
  words: string; key: string; mailbox: string; identity: string; recipient: string; letterStart: string; letterID: string; challenge: string; stampBits: number; stamp: string; fingerprint: string; classes: number[];
};
const code = readCode(v.words) ?? new Uint8Array();

test("a code gives here what it gives the gateway", async () => {
  expect(wordsOf(code, "latin").join(" ")).toBe(v.words);
  expect(base64url(mailboxKey(code))).toBe(v.key);
  expect(hex(mailboxOf(mailboxKey(code)))).toBe(v.mailbox);
  expect(identityOf(code)).toBe(v.identity);
  expect(await identityToRecipient(identityOf(code))).toBe(v.recipient);
  expect(fingerprint(["age1pq1b", "age1pq1a"])).toBe(v.fingerprint);
});

test("a code is read however it is typed", () => {
  const own = newCode();
  for (const script of ["latin", "cyrillic"] as const) {
    const words = wordsOf(own, script);
    for (const typed of [words.join(" "), words.join("").toUpperCase(), ` ${words.join("-")}\n`]) expect(readCode(typed), typed).toEqual(own);
  }
  for (const bad of ["", "babad", `${v.words}x`, v.words.replace("a", "e"), v.words.slice(1), " ".repeat(300)]) expect(readCode(bad), bad).toBeNull();
});

test("a letter is packed here as the gateway packs it", () => {
  const letter = pack({ kind: "tip", text: "Алаң", lang: "kk", reply: "age1pq1x", files: [{ name: "a.txt", type: "text/plain", data: new TextEncoder().encode("12345") }] }, v.classes);
  expect(letter?.length).toBe(v.classes[0]);
  expect(new TextDecoder().decode(letter?.subarray(19, 19 + new TextEncoder().encode(v.letterStart).length))).toBe(v.letterStart);
  expect(letterId(letter ?? new Uint8Array()).text).toBe(v.letterID);
  const big = (n: number) => pack({ kind: "tip", text: "", lang: "kk", reply: "r", files: [{ name: "a", type: "", data: new Uint8Array(n) }] }, v.classes)?.length;
  expect([big(60_000), big(70_000), big(300_000), big(5e6), big(2e7)]).toEqual([65536, 262144, 1048576, 16777216, undefined]);
  expect(fitting("ы".repeat(150))).toBe("ы".repeat(100));
});

test("only a reply is read as one", () => {
  const reply = pack({ kind: "reply", text: "жауап", lang: "kk", reply: "", files: [] }, v.classes) ?? new Uint8Array();
  expect(readReply(reply)).toBe("жауап");
  for (const bad of [new Uint8Array(), new Uint8Array(70000), reply.subarray(1), pack({ kind: "tip", text: "x", lang: "kk", reply: "r", files: [] }, v.classes) ?? reply]) expect(readReply(bad)).toBeNull();
  const long = reply.slice();
  long[15] = 255;
  expect(readReply(long)).toBeNull();
});

test("the work is the gateway's", async () => {
  const box = Uint8Array.from(v.mailbox.match(/../g) ?? [], (x) => Number.parseInt(x, 16));
  const id = Uint8Array.from(v.letterID.match(/../g) ?? [], (x) => Number.parseInt(x, 16));
  expect(await stamp(v.challenge, v.stampBits, box, id, new AbortController().signal)).toBe(v.stamp);
  expect(zeros(seedOf(v.challenge, box, id), Number.parseInt(v.stamp.split(".")[1] ?? "", 16))).toBeGreaterThanOrEqual(v.stampBits);
  expect(v.classes.map((c) => bits(18, c, v.classes))).toEqual([18, 18, 19, 19, 20]);
  const stopped = new AbortController();
  stopped.abort();
  await expect(stamp(v.challenge, 32, box, id, stopped.signal)).rejects.toThrow();
});

const utf8 = (s: string) => [...new TextEncoder().encode(s)];
const segment = (marker: number, body: number[]) => [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body];
const has = (raw: Uint8Array | null, text: string) => Buffer.from(raw ?? []).includes(text);

test("what a camera adds to a JPEG is cut off, and which way is up stays", () => {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 2, 1, 0x0f, 0, 2, 0, 0, 0, 4, ...utf8("SECR"), 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
  const raw = Uint8Array.from([
    0xff, 0xd8, ...segment(0xe0, utf8("JFIF SECRET")), ...segment(0xe1, [...utf8("Exif\0\0"), ...tiff]), ...segment(0xe2, utf8("ICC SECRET")), ...segment(0xfe, utf8("SECRET")), ...segment(0xed, utf8("SECRET")),
    ...segment(0xdb, utf8("table")), ...segment(0xc0, utf8("frame")), ...segment(0xda, utf8("scan")), 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, ...segment(0xda, utf8("next")), 5, 6, 0xff, 0xd9, ...utf8("SECRET video after the end"),
  ]);
  const cut = strip(raw);
  expect(has(cut, "SECR")).toBe(false);
  for (const kept of ["table", "frame", "scan", "next"]) expect(has(cut, kept), kept).toBe(true);
  expect(Buffer.from(cut ?? []).includes(Buffer.from([1, 2, 0xff, 0, 3, 0xff, 0xd0, 4]))).toBe(true);
  expect(Buffer.from(cut ?? []).includes(Buffer.from([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6]))).toBe(true);
  expect([...(cut ?? [])].slice(-2)).toEqual([0xff, 0xd9]);
  expect(strip(cut ?? raw)).toEqual(cut);
});

test("a PNG keeps its picture alone", () => {
  const chunk = (kind: string, body: number[]) => [0, 0, 0, body.length, ...utf8(kind), ...body, 0, 0, 0, 0];
  const raw = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...chunk("IHDR", [1]), ...chunk("tEXt", utf8("SECRET")), ...chunk("eXIf", utf8("SECRET")), ...chunk("IDAT", utf8("data")), ...chunk("IEND", []), ...utf8("SECRET")]);
  const cut = strip(raw);
  expect(has(cut, "SECRET")).toBe(false);
  expect(has(cut, "data")).toBe(true);
});

test("bytes that are no picture are not cut at random, and never break the page", () => {
  for (let i = 0; i < 3000; i++) {
    const raw = crypto.getRandomValues(new Uint8Array(4 + (i % 200)));
    if (i % 2) raw.set([0xff, 0xd8, 0xff, [0xe1, 0xda, 0xc0, 0xff][i % 4] ?? 0]);
    else raw.set([0x89, 0x50, 0x4e, 0x47]);
    const out = strip(raw);
    expect(out === null || out.length <= raw.length + 40).toBe(true);
  }
});

const langs = ["kk", "ru", "en"] as const;
const texts = Object.fromEntries(langs.map((l) => [l, JSON.parse(readFileSync(new URL(`../locales/tip/${l}.json`, import.meta.url), "utf8"))])) as Record<(typeof langs)[number], Record<string, string>>;

test("every text is there in three languages, none is asked for in vain, none is left over", () => {
  for (const l of langs) expect(Object.keys(texts[l])).toEqual(Object.keys(texts.kk));
  let source = "";
  for (const f of readdirSync(new URL(".", import.meta.url)).filter((n) => n.endsWith(".tsx"))) source += readFileSync(new URL(f, import.meta.url), "utf8");
  const whole = [...source.matchAll(/say\("([a-z][\w.]*)"/g), ...source.matchAll(/say\(\w+ \? "([\w.]+)" : "[\w.]+"/g), ...source.matchAll(/say\(\w+ \? "[\w.]+" : "([\w.]+)"/g)].map((m) => m[1] ?? "");
  const starts = [...source.matchAll(/say\(`([a-z][\w.]*)\$\{/g)].map((m) => m[1] ?? "");
  expect(whole.filter((k) => !(k in texts.kk))).toEqual([]);
  expect(Object.keys(texts.kk).filter((k) => !whole.includes(k) && !starts.some((s) => k.startsWith(s)))).toEqual([]);
  const vars = (s: string) => [...s.matchAll(/\{(\w+)[,}]/g)].map((m) => m[1]).sort().join();
  for (const k of Object.keys(texts.kk)) {
    for (const l of langs) expect(vars(texts[l][k] ?? ""), `${l} ${k}`).toBe(vars(texts.ru[k] ?? ""));
    if (k !== "file.size") expect(new Set(langs.map((l) => texts[l][k])).size, k).toBe(3); // a unit of measure may be the same
  }
});

test("no word mixes letters of two scripts", () => {
  for (const l of langs)
    for (const [k, text] of Object.entries(texts[l]))
      for (const word of text.replace(/\{[^}]*\}/g, " ").match(/\p{L}+/gu) ?? []) expect(/\p{Script=Latin}/u.test(word) && /\p{Script=Cyrillic}/u.test(word), `${l} ${k}: ${word}`).toBe(false);
});
