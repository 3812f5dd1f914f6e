/** Pure: the letter that is sealed. The twin of internal/tips/letter.go. */
import type { Lang } from "../lib/i18n";
import { join } from "./code";

export const maxText = 20000; // bytes
export const maxFiles = 20;
const maxName = 200; // bytes
const intro = new TextEncoder().encode("jedel-letter/1\n");

export interface Part {
  name: string;
  type: string;
  data: Uint8Array;
}

export interface Letter {
  kind: "tip" | "reply";
  text: string;
  lang: Lang;
  reply: string;
  files: Part[];
}

/** A name that fits, cut between letters. */
export function fitting(name: string): string {
  const utf8 = new TextEncoder();
  let out = "";
  for (const l of name || "?") {
    if (utf8.encode(out + l).length > maxName) break;
    out += l;
  }
  return out;
}

/** The letter padded to the smallest class it fits; null where it fits none. */
export function pack(l: Letter, classes: number[]): Uint8Array | null {
  const head = new TextEncoder().encode(
    JSON.stringify({ kind: l.kind, text: l.text, lang: l.lang, reply: l.reply, files: l.files.map((f) => ({ name: fitting(f.name), type: f.type.slice(0, 60), bytes: f.data.length })) }),
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, head.length);
  const body = join(intro, length, head, ...l.files.map((f) => f.data));
  const size = classes.find((c) => body.length <= c);
  if (size === undefined) return null;
  const out = new Uint8Array(size);
  out.set(body);
  return out;
}

/** The words of an opened reply; null where it is none. */
export function readReply(raw: Uint8Array): string | null {
  if (raw.length < intro.length + 4 || intro.some((b, i) => raw[i] !== b)) return null;
  const n = new DataView(raw.buffer, raw.byteOffset).getUint32(intro.length);
  if (n > raw.length - intro.length - 4) return null;
  try {
    const head = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw.subarray(intro.length + 4, intro.length + 4 + n))) as Partial<Letter>;
    return head.kind === "reply" && typeof head.text === "string" ? head.text : null;
  } catch {
    return null;
  }
}
