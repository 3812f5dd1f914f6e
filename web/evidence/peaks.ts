/** The shape of a side's sound: fetched and decoded here, so that nothing else must be trusted. */

/** Larger files are not drawn: decoding them would stop the page and fill its memory. */
export const largest = 50 * 1024 * 1024;

/** Longer ones neither, in milliseconds: speech of many hours fits a small file, but not the memory. */
export const longest = 2 * 3_600_000;

const rate = 8000; // samples a second; enough for a shape, an hour is 115 MB while it is decoded

export const drawable = (m: { durationMs: number }): boolean => m.durationMs <= longest;

export class TooLarge extends Error {}

/** Pure: the greatest size of a sample in each of n equal stretches. */
export function peaks(samples: Float32Array, n: number): Float32Array {
  const out = new Float32Array(n);
  for (let i = 0; i < samples.length; i++) {
    const at = Math.min(n - 1, Math.floor((i * n) / samples.length));
    out[at] = Math.max(out[at] ?? 0, Math.abs(samples[i] ?? 0));
  }
  return out;
}

/** Reads a body up to a limit; one that says it is larger is not begun. */
export async function bounded(r: Response, limit: number): Promise<ArrayBuffer> {
  if (!r.ok) throw new Error(`answered ${r.status}`);
  if (Number(r.headers.get("Content-Length") ?? 0) > limit) {
    await r.body?.cancel();
    throw new TooLarge();
  }
  const parts: Uint8Array[] = [];
  let total = 0;
  const reader = r.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    total += value.byteLength;
    if (total > limit) {
      await reader?.cancel();
      throw new TooLarge();
    }
    parts.push(value);
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.byteLength;
  }
  return all.buffer;
}

/** The shape of one file's sound and how long it is in seconds. */
export interface Shape { peaks: Float32Array; seconds: number }

export async function shapeOf(url: string, n: number, signal: AbortSignal): Promise<Shape> {
  const body = await bounded(await fetch(url, { signal }), largest);
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(body);
  const all = new Float32Array(n);
  for (let c = 0; c < sound.numberOfChannels; c++) {
    peaks(sound.getChannelData(c), n).forEach((v, i) => {
      all[i] = Math.max(all[i] ?? 0, v);
    });
  }
  return { peaks: all, seconds: sound.duration };
}

/** Draws a shape over the whole canvas. Quiet speech is seen too: the height is the root of the size. */
export function draw(canvas: HTMLCanvasElement, shape: Float32Array, colour: string): void {
  const g = canvas.getContext("2d");
  if (!g) return;
  const { width, height } = canvas;
  g.clearRect(0, 0, width, height);
  g.fillStyle = colour;
  const w = width / shape.length;
  shape.forEach((v, i) => {
    const h = Math.max(1, Math.sqrt(Math.min(1, v)) * height);
    g.fillRect(i * w, (height - h) / 2, Math.max(1, w), h);
  });
}
