/** Pure: the citizen's code, and what is derived from it. The twin of internal/tips/code.go. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bech32 } from "@scure/base";

export const codeSize = 12;
const consonants = "bdfghjklmnprstvz";
const vowels = "aiou";
const latin = consonants + vowels;
const cyrillic = "бдфгхжклмнпрствзаиоу";
const utf8 = new TextEncoder();

/** The six words, in Latin letters or their Cyrillic counterparts. */
export function wordsOf(code: Uint8Array, script: "latin" | "cyrillic"): string[] {
  const words: string[] = [];
  for (let i = 0; i < codeSize; i += 2) {
    const n = ((code[i] ?? 0) << 8) | (code[i + 1] ?? 0);
    const word = [consonants[n >> 12], vowels[(n >> 10) & 3], consonants[(n >> 6) & 15], vowels[(n >> 4) & 3], consonants[n & 15]].join("");
    words.push(script === "latin" ? word : [...word].map((l) => cyrillic[latin.indexOf(l)]).join(""));
  }
  return words;
}

/** Reads a code however it was typed; null where it is none. */
export function readCode(text: string): Uint8Array | null {
  if (text.length > 256) return null;
  const letters = [...text.toLowerCase().replace(/[\s\u00a0-]/g, "")].map((l) => (cyrillic.includes(l) ? latin[cyrillic.indexOf(l)] ?? "" : l));
  if (letters.length !== (codeSize / 2) * 5) return null;
  const code = new Uint8Array(codeSize);
  for (let i = 0; i < codeSize / 2; i++) {
    let n = 0;
    for (let j = 0; j < 5; j++) {
      const at = (j % 2 ? vowels : consonants).indexOf(letters[i * 5 + j] ?? "");
      if (at < 0) return null;
      n = (n << (j % 2 ? 2 : 4)) | at;
    }
    code[2 * i] = n >> 8;
    code[2 * i + 1] = n & 255;
  }
  return code;
}

export function newCode(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(codeSize));
}

function derive(code: Uint8Array, use: string): Uint8Array {
  return hkdf(sha256, code, utf8.encode("jedel.tips.code/1"), utf8.encode(use), 32);
}

/** The mailbox's key: all that the gateway is shown of the code. */
export function mailboxKey(code: Uint8Array): Uint8Array {
  return derive(code, "mailbox");
}

/** The mailbox's address: all that the gateway keeps. */
export function mailboxOf(key: Uint8Array): Uint8Array {
  return sha256(join(utf8.encode("jedel.tips.mailbox/1\n"), key));
}

/** The age identity to which replies are sealed. It never leaves the page. */
export function identityOf(code: Uint8Array): string {
  return bech32.encodeFromBytes("age-secret-key-pq-", derive(code, "identity")).toUpperCase();
}

/** What people compare with paper: five groups of the hash of the unit's keys. */
export function fingerprint(recipients: string[]): string {
  const sum = sha256(utf8.encode([...recipients].sort().join("\n")));
  return hex(sum.subarray(0, 10)).replace(/(.{4})(?=.)/g, "$1 ");
}

export function hex(raw: Uint8Array): string {
  return Array.from(raw, (b) => b.toString(16).padStart(2, "0")).join("");
}

export function base64url(raw: Uint8Array): string {
  return btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
