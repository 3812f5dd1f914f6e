/** Takes from a picture what tells where, when and with what it was taken. */
import type { Part } from "./letter";
import { strip } from "./strip";

/** Longest side in pixels of a picture that is drawn anew; enough to read a page of text. */
const longest = 2560;

/** What became of a file: drawn anew, cut, or sent as it is. */
export type Cleaned = "drawn" | "cut" | "asis";

export interface Prepared {
  part: Part;
  cleaned: Cleaned;
}

const suffixes: Record<string, string> = { "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf", "video/mp4": ".mp4", "audio/mp4": ".m4a", "text/plain": ".txt" };

/** Prepares a file under a name of ours: that of the file may tell who made it. */
export async function prepare(f: File, n: number, keepName: boolean): Promise<Prepared> {
  const name = (type: string) => (keepName ? f.name : `${n}${suffixes[type] ?? /\.[a-z0-9]{1,5}$/i.exec(f.name)?.[0].toLowerCase() ?? ""}`);
  const raw = new Uint8Array(await f.arrayBuffer());
  if (f.type.startsWith("image/") && f.type !== "image/svg+xml") {
    const drawn = await draw(f);
    if (drawn) return { part: { name: keepName ? f.name : `${n}.jpg`, type: "image/jpeg", data: drawn }, cleaned: "drawn" };
    const cut = strip(raw);
    if (cut) return { part: { name: name(f.type), type: f.type, data: cut }, cleaned: "cut" };
  }
  return { part: { name: name(f.type), type: f.type, data: raw }, cleaned: "asis" };
}

async function draw(f: File): Promise<Uint8Array | null> {
  try {
    if (!readsTrue()) return null;
    const bitmap = await createImageBitmap(f, { imageOrientation: "from-image" });
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob?.type === "image/jpeg" ? new Uint8Array(await blob.arrayBuffer()) : null;
  } catch {
    return null; // not a picture that this browser knows
  }
}

/** Whether what is drawn can be read back: Tor Browser gives noise instead. */
function readsTrue(): boolean {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 16;
  const c = canvas.getContext("2d");
  if (!c) return false;
  const colours = [[200, 30, 60], [10, 220, 90], [0, 0, 0], [90, 120, 250]];
  colours.forEach(([r, g, b], i) => {
    c.fillStyle = `rgb(${r} ${g} ${b})`;
    c.fillRect(i * 4, 0, 4, 16);
  });
  const seen = c.getImageData(0, 0, 16, 16).data;
  return colours.every((rgb, i) => rgb.every((v, k) => [0, 5, 15].every((y) => seen[(y * 16 + i * 4 + 1) * 4 + k] === v)));
}
