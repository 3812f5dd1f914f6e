/** A call in one datagram, as internal/sos of the gateway lays it out (docs/PROTOCOL.md, "One datagram"). */
import type { CallKind, Fix } from "../lib/wire.gen";

export const maxFrame = 200;
/** Bytes of UTF-8 that one sealed datagram carries. */
export const maxText = 104;
const headLength = 34;
const bodyLength = 46;
const tagLength = 16;
const magic = [0x0e, 0x53, 0x4f, 0x53];
const kinds: CallKind[] = ["silent", "voice", "video"];
const langs = ["kk", "ru", "en"];

export interface Message {
  ref: Uint8Array; // 16 bytes
  n: number;
  sentMs: number;
  kind: CallKind;
  lang: string;
  battery: number | null; // percent
  poll?: boolean;
  fix: Fix | null;
  have?: number;
  part?: number;
  text: string;
}

export interface Receipt {
  status: "registered" | "unreadable" | "wait" | "unavailable" | "over";
  answered: boolean;
  n: number;
  number: string;
  line: number;
  part: number;
  last: boolean;
  more: boolean;
  text: string;
}

/** Who sends: sealed by the client's key, or in the open by a claim. */
export interface Sender {
  from: Uint8Array;
  key: CryptoKey | null;
}

export function hex(b: Uint8Array): string {
  return [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
}

export function unhex(s: string): Uint8Array<ArrayBuffer> {
  const clean = s.replaceAll("-", "");
  return Uint8Array.from({ length: clean.length / 2 }, (_, i) => Number.parseInt(clean.slice(2 * i, 2 * i + 2), 16));
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The 128 bits of an identifier. */
export function bitsOf(id: string): Uint8Array<ArrayBuffer> {
  let n = 0n;
  for (const c of id) n = (n << 5n) | BigInt(alphabet.indexOf(c));
  return unhex((n & ((1n << 128n) - 1n)).toString(16).padStart(32, "0"));
}

/** The seal of a client; null where the browser has no cryptography (plain http). */
export async function sealOf(clientKey: string): Promise<CryptoKey | null> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const text = new TextEncoder();
  const mac = await subtle.importKey("raw", text.encode(clientKey), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const raw = await subtle.sign("HMAC", mac, text.encode("jedel sos 1"));
  return subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

function body(m: Message, pad: number): Uint8Array<ArrayBuffer> {
  const words = new TextEncoder().encode(m.text);
  const b = new Uint8Array(Math.max(bodyLength + words.length, pad));
  const v = new DataView(b.buffer);
  b.set(m.ref, 0);
  v.setUint16(16, m.n);
  v.setUint16(18, Math.floor(m.sentMs / 2 ** 32));
  v.setUint32(20, m.sentMs % 2 ** 32);
  b[24] = (kinds.indexOf(m.kind) + 1) | (m.fix ? 16 : 0) | (m.poll ? 32 : 0);
  b[25] = Math.max(0, langs.indexOf(m.lang));
  b[26] = m.battery === null ? 255 : Math.round(m.battery);
  if (m.fix) {
    b[27] = m.fix.source === "pin" ? 1 : 0;
    v.setInt32(28, Math.round(m.fix.lat * 1e7));
    v.setInt32(32, Math.round(m.fix.lon * 1e7));
    v.setUint16(36, Math.min(65535, Math.round(m.fix.accuracyM)));
    v.setUint16(38, Math.min(65535, Math.max(0, Math.round((m.sentMs - m.fix.clientMs) / 1000))));
  }
  v.setUint32(40, m.have ?? 0);
  b[44] = m.part ?? 0;
  b[45] = words.length;
  b.set(words, bodyLength);
  return b;
}

function head(form: number, from: Uint8Array, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...magic, 1, form, ...from, ...nonce]);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a, 0);
  out.set(b, a.length);
  return out;
}

/** Makes a datagram of at least pad bytes. nonce is random; tests give their own. */
export async function frame(s: Sender, m: Message, pad = 0, nonce = crypto.getRandomValues(new Uint8Array(12))): Promise<Uint8Array<ArrayBuffer>> {
  if (!s.key) return joined(head(2, s.from, new Uint8Array(12)), body(m, pad - headLength));
  const h = head(1, s.from, nonce);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: h }, s.key, body(m, pad - headLength - tagLength));
  return joined(h, new Uint8Array(sealed));
}

const statuses = ["registered", "unreadable", "wait", "unavailable", "over"] as const;

/** Reads the receipt of what s sent; null for what is none, or what anybody could have made. */
export async function receipt(s: Sender, b: Uint8Array<ArrayBuffer>): Promise<Receipt | null> {
  if (b.length < headLength || magic.some((x, i) => b[i] !== x) || b[4] !== 1 || hex(b.slice(6, 22)) !== hex(s.from)) return null;
  let rest = b.slice(headLength);
  if (b[5] === 0x81) {
    if (!s.key) return null;
    try {
      rest = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: b.slice(22, headLength), additionalData: b.slice(0, headLength) }, s.key, rest));
    } catch {
      return null;
    }
  } else if (b[5] !== 0x82) return null;
  const numbers = rest[10] ?? 0;
  const words = rest[11] ?? 0;
  const status = statuses[(rest[0] ?? 0) - 1];
  if (rest.length < 12 + numbers + words || !status || (s.key && b[5] === 0x82 && status !== "unreadable")) return null;
  const v = new DataView(rest.buffer);
  const text = new TextDecoder();
  const flags = rest[9] ?? 0;
  return {
    status, answered: rest[1] === 3, n: v.getUint16(2), line: v.getUint32(4), part: rest[8] ?? 0, last: (flags & 1) !== 0, more: (flags & 2) !== 0,
    number: text.decode(rest.slice(12, 12 + numbers)), text: text.decode(rest.slice(12 + numbers, 12 + numbers + words)),
  };
}
