/** Pure: takes from a picture's bytes all that cameras add, without drawing it. For browsers that do not
 * let pages read what they drew (Tor Browser). */
import { join } from "./code";

/** The picture without what stands beside it; null where the bytes are not understood. */
export function strip(raw: Uint8Array): Uint8Array | null {
  if (raw[0] === 0xff && raw[1] === 0xd8) return jpeg(raw);
  if ([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((b, i) => raw[i] === b)) return png(raw);
  return null;
}

/** JPEG (ITU-T T.81 annex B): tables, frames and scans stay; of all else only which way is up. What follows
 * the end of the picture goes. */
function jpeg(raw: Uint8Array): Uint8Array | null {
  const parts = [raw.subarray(0, 2)];
  let turned = 1;
  for (let at = 2; at + 4 <= raw.length; ) {
    if (raw[at] !== 0xff) return null;
    const marker = raw[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xd9) break;
    const end = at + 2 + (((raw[at + 2] ?? 0) << 8) | (raw[at + 3] ?? 0));
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8) || end < at + 4 || end > raw.length) return null;
    const seen = raw.subarray(at, end);
    const extra = (marker >= 0xe0 && marker <= 0xef && marker !== 0xee) || marker === 0xfe || marker >= 0xf0; // 0xee says how colours are coded
    if (marker === 0xe1) turned = orientation(seen) ?? turned;
    if (!extra) parts.push(seen);
    at = end;
    if (marker !== 0xda) continue;
    const scan = at; // a scan goes on to the next marker that is neither a stuffed byte nor a restart
    while (at + 1 < raw.length && !(raw[at] === 0xff && raw[at + 1] !== 0 && !((raw[at + 1] ?? 0) >= 0xd0 && (raw[at + 1] ?? 0) <= 0xd7))) at++;
    if (at + 1 >= raw.length) return null;
    parts.push(raw.subarray(scan, at));
  }
  if (parts.length < 4) return null;
  if (turned > 1) parts.splice(1, 0, upright(turned));
  return join(...parts, Uint8Array.of(0xff, 0xd9));
}

/** The orientation in an Exif segment (TIFF tag 0x0112 of the first directory). */
function orientation(segment: Uint8Array): number | null {
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0];
  if (segment.length < 18 || exif.some((b, i) => segment[4 + i] !== b)) return null;
  const v = new DataView(segment.buffer, segment.byteOffset + 10, segment.length - 10);
  const little = v.getUint16(0) === 0x4949;
  const dir = v.getUint32(4, little);
  if (dir + 2 > v.byteLength) return null;
  const n = v.getUint16(dir, little);
  for (let i = 0, at = dir + 2; i < n && at + 12 <= v.byteLength; i++, at += 12) {
    if (v.getUint16(at, little) !== 0x0112) continue;
    const turn = v.getUint16(at + 8, little);
    return turn >= 1 && turn <= 8 ? turn : null;
  }
  return null;
}

/** An Exif segment with an orientation and nothing else. */
function upright(turn: number): Uint8Array {
  return Uint8Array.of(0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0, 0, 0, 0, 0);
}

/** PNG (section 5): the chunks without which there is no picture. */
function png(raw: Uint8Array): Uint8Array | null {
  const keep = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
  const parts = [raw.subarray(0, 8)];
  const v = new DataView(raw.buffer, raw.byteOffset, raw.length);
  for (let at = 8; at + 12 <= raw.length; ) {
    const end = at + 12 + v.getUint32(at);
    if (end > raw.length) return null;
    const kind = String.fromCharCode(...raw.subarray(at + 4, at + 8));
    if (keep.has(kind)) parts.push(raw.subarray(at, end));
    if (kind === "IEND") return join(...parts);
    at = end;
  }
  return null;
}
