import type { Text } from "../lib/wire.gen";
import type { LatLon } from "../map/geo";
import { RestError } from "./rest";

/** A camera of the site, as the gateway lists it. */
export interface CameraRow {
  camera: string;
  name: Text;
  state: "idle" | "connecting" | "live" | "failed";
  code: string;
  words: Text;
  codec: string;
  sinceMs: number;
  width: number;
  height: number;
  viewers: number;
  at?: LatLon;
  headingDeg?: number;
  distanceM?: number;
}

/** How a clip stands. */
export interface ClipState {
  clip: string;
  camera: string;
  state: "taking" | "keeping" | "kept" | "dropped" | "failed";
  code: string;
  words: Text;
  progress: number;
  fromMs: number;
  untilMs: number;
  beginsMs: number;
  endsMs: number;
  complete: boolean;
  gaps: { fromMs: number; untilMs: number; code: string; words: Text }[];
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const r = await fetch(`/api/v1${path}`, init).catch(() => {
    throw new RestError("unreachable");
  });
  const answer = await r.json().catch(() => undefined);
  if (!r.ok) throw new RestError(answer?.error?.code ?? `http_${r.status}`, answer?.error?.words);
  return answer as T;
}

/** The cameras, the nearest first where a place is given. */
export async function cameras(near?: LatLon): Promise<CameraRow[]> {
  const query = near ? `?lat=${near.lat}&lon=${near.lon}` : "";
  return (await call<{ cameras: CameraRow[] }>("GET", `/cameras${query}`)).cameras;
}

const clips = (camera: string) => `/cameras/${encodeURIComponent(camera)}/clips`;

/** Seconds of a clip before and after the press of its button. */
export const clipBack = 20;
export const clipOn = 20;

/** Begins a clip; sent again with its id it is the same clip. */
export function makeClip(camera: string, recording: string, id: string): Promise<ClipState> {
  return call("POST", clips(camera), { id, recording, backS: clipBack, seconds: clipOn });
}

export function clipState(camera: string, id: string): Promise<ClipState> {
  return call("GET", `${clips(camera)}/${id}`);
}

/** Takes one's own clip back while it is being taken. */
export function dropClip(camera: string, id: string): Promise<ClipState> {
  return call("DELETE", `${clips(camera)}/${id}`);
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A fresh identifier in the shape that the gateway takes: 26 characters, the first at most 7. */
export function freshID(random: Uint8Array = crypto.getRandomValues(new Uint8Array(26))): string {
  return [...random].map((b, i) => alphabet[i === 0 ? b & 7 : b & 31]).join("");
}

/** "340 m" or "1.2 km". */
export function distance(m: number): { n: string; unit: "m" | "km" } {
  return m < 1000 ? { n: String(Math.round(m / 10) * 10), unit: "m" } : { n: (m / 1000).toFixed(1), unit: "km" };
}
