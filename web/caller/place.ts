/** The phone's position during a call. It starts with the call and ends with it. */
import type { Fix } from "../lib/wire.gen";
import { type PlaceState, worthSending } from "./view";

const patience = 8000;

export class Place {
  readonly #found: (f: Fix) => void;
  readonly #state: (s: PlaceState) => void;
  #watch: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Fix | null = null;

  constructor(found: (f: Fix) => void, state: (s: PlaceState) => void) {
    this.#found = found;
    this.#state = state;
  }

  start(): void {
    if (this.#watch !== undefined) return;
    if (!navigator.geolocation) {
      this.#state("denied");
      return;
    }
    this.#last = null;
    this.#state("asking");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#last || this.#state("slow"), patience);
    this.#watch = navigator.geolocation.watchPosition(
      (p) => this.#take(p),
      (err) => this.#state(err.code === err.PERMISSION_DENIED ? "denied" : "slow"),
      { enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 },
    );
  }

  /** Asks the phone anew: the next fix is sent whatever it says. */
  again(): void {
    this.stop("asking");
    this.start();
  }

  stop(state: PlaceState): void {
    if (this.#watch !== undefined) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = undefined;
    clearTimeout(this.#timer);
    this.#state(state);
  }

  /** A point the person placed on the map counts until the phone is asked again. */
  static pin(lat: number, lon: number): Fix {
    return { lat, lon, accuracyM: 0, source: "pin", clientMs: Date.now(), serverMs: 0 };
  }

  #take(p: GeolocationPosition): void {
    const c = p.coords;
    const fix: Fix = { lat: c.latitude, lon: c.longitude, accuracyM: c.accuracy, source: "device", clientMs: Math.round(p.timestamp), serverMs: 0 };
    if (c.altitude !== null) fix.altM = c.altitude;
    if (c.heading !== null && !Number.isNaN(c.heading)) fix.heading = c.heading;
    if (c.speed !== null) fix.speedMps = c.speed;
    this.#state("on");
    if (!worthSending(this.#last, fix)) return;
    this.#last = fix;
    this.#found(fix);
  }
}
