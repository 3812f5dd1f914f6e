/** The patrol's own position while it is on duty: watched, thinned out, and told. */
import type { Fix } from "../lib/wire.gen";
import { distanceM } from "../map/geo";

/** How often a position is told, in milliseconds: on the move, and at rest. */
export const movingMs = 3000;
export const stillMs = 15000;

export type OwnState = "off" | "asking" | "on" | "denied" | "none";

/** Pure: whether a fix is to be told now. Slower positions leave the board behind the car, faster ones
 * cost the battery and tell nothing. */
export function due(last: { fix: Fix; atMs: number } | undefined, fix: Fix, nowMs: number): boolean {
  if (!last) return true;
  const moved = (fix.speedMps ?? 0) > 1 || distanceM(last.fix, fix) > Math.max(8, Math.min(fix.accuracyM, 50) / 2);
  return nowMs - last.atMs >= (moved ? movingMs : stillMs);
}

/** Pure: a position of the browser as the gateway takes it. */
export function fixOf(p: GeolocationPosition): Fix {
  const c = p.coords;
  const fix: Fix = { lat: c.latitude, lon: c.longitude, accuracyM: c.accuracy, source: "device", clientMs: Math.round(p.timestamp), serverMs: 0 };
  if (c.heading !== null && !Number.isNaN(c.heading)) fix.heading = c.heading;
  if (c.speed !== null && !Number.isNaN(c.speed)) fix.speedMps = c.speed;
  return fix;
}

/** Watches the position. tell resolves to whether the gateway has it; what it does not take is replaced
 * by the next. */
export class Own {
  state: OwnState = "off";
  fix: Fix | undefined; // the newest
  told: { fix: Fix; atMs: number } | undefined; // the newest that the gateway has
  readonly #tell: (f: Fix) => Promise<boolean>;
  readonly #changed: () => void;
  #watch: number | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #busy = false;

  constructor(tell: (f: Fix) => Promise<boolean>, changed: () => void) {
    this.#tell = tell;
    this.#changed = changed;
  }

  start(): void {
    if (this.#watch !== undefined) return;
    if (!navigator.geolocation) return this.#set("none");
    this.#set("asking");
    this.#watch = navigator.geolocation.watchPosition((p) => this.#take(p), (e) => this.#failed(e), { enableHighAccuracy: true, maximumAge: 2000, timeout: 30000 });
    // A device at rest reports nothing by itself; its age would grow as if it were lost.
    this.#beat = setInterval(() => this.#again(), 1000);
  }

  stop(): void {
    if (this.#watch !== undefined) navigator.geolocation.clearWatch(this.#watch);
    clearInterval(this.#beat);
    this.#watch = undefined;
    this.fix = this.told = undefined;
    this.#set("off");
  }

  #set(s: OwnState): void {
    this.state = s;
    this.#changed();
  }

  #failed(e: GeolocationPositionError): void {
    if (e.code === e.PERMISSION_DENIED) this.#set("denied");
    else if (!this.fix) this.#set("none");
  }

  #again(): void {
    if (this.fix && Date.now() - this.fix.clientMs >= stillMs) {
      navigator.geolocation.getCurrentPosition((p) => this.#take(p), () => undefined, { enableHighAccuracy: true, maximumAge: 5000, timeout: 10000 });
    }
    if (this.fix) void this.#send(this.fix);
  }

  #take(p: GeolocationPosition): void {
    if (this.#watch === undefined) return; // it came after the end of duty
    this.fix = fixOf(p);
    this.#set("on");
    void this.#send(this.fix);
  }

  async #send(fix: Fix): Promise<void> {
    const now = Date.now();
    if (this.#busy || (this.told && this.told.fix.clientMs >= fix.clientMs) || !due(this.told, fix, now)) return;
    this.#busy = true;
    const ok = await this.#tell(fix);
    this.#busy = false;
    if (ok && this.#watch !== undefined) {
      this.told = { fix, atMs: now };
      this.#changed();
    }
  }
}
