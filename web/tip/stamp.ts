/** The work that takes the place of limits by address. The twin of internal/tips/stamp.go. */
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64url, hex, join } from "./code";

/** How long the page may stand still for it, in milliseconds. */
const slice = 30;

export function bits(base: number, size: number, classes: number[]): number {
  return base + Math.floor(classes.indexOf(size) / 2);
}

export function seedOf(challenge: string, mailbox: Uint8Array, letter: Uint8Array): Uint8Array {
  return sha256(join(new TextEncoder().encode("jedel.tips.stamp/1\n"), fromBase64url(challenge), mailbox, letter));
}

export function zeros(seed: Uint8Array, nonce: number): number {
  const input = new Uint8Array(40);
  input.set(seed);
  const view = new DataView(input.buffer);
  view.setUint32(32, Math.floor(nonce / 2 ** 32));
  view.setUint32(36, nonce >>> 0);
  const sum = sha256(input);
  const top = new DataView(sum.buffer, sum.byteOffset).getUint32(0);
  return Math.clz32(top);
}

/** Does the work in slices, so that the page answers meanwhile. */
export async function stamp(challenge: string, need: number, mailbox: Uint8Array, letter: Uint8Array, signal: AbortSignal): Promise<string> {
  const seed = seedOf(challenge, mailbox, letter);
  for (let nonce = 0; ; ) {
    for (const end = performance.now() + slice; performance.now() < end; ) {
      for (let i = 0; i < 256; i++, nonce++) {
        if (zeros(seed, nonce) < need) continue;
        return `${challenge}.${nonce.toString(16).padStart(16, "0")}`;
      }
    }
    await new Promise((r) => setTimeout(r));
    signal.throwIfAborted();
  }
}

export function letterId(sealed: Uint8Array): { raw: Uint8Array; text: string } {
  const raw = sha256(sealed);
  return { raw, text: hex(raw) };
}
