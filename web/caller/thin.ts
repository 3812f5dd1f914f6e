/** Keeps a call on the rung that its network carries: measures, decides by lib/ladder, and lets sound and pictures go or
 * come again. */
import { begin, type Ladder, probeAfter, rank, type Signs, soundKbps, step, widthKbps, wordy } from "../lib/ladder";
import type { Peer } from "../lib/peer";
import type { Session } from "../lib/socket";
import type { Quality, Rung } from "../lib/wire.gen";

const tick = 1000;
const stuckAfter = 15000; // of a connection that is being made
const probePatience = 20000;
const exchangeBytes = 9000; // offer and answer
// What repetition and redundancy bring back at least of lost sound where there is room: of half of all packets all but a tenth. Our
// own ear tells what is left; of our voice at the gateway only what was lost is known.
const repaired = 0.25;

export interface ThinWays {
  session: Session;
  peer: Peer;
  /** Whether a call is open, or has been tapped. */
  open: () => boolean;
  heard: () => boolean;
  quality: () => Quality | null;
  changed: (now: Rung, was: Rung) => void;
}

export class Thin {
  readonly #w: ThinWays;
  #ladder: Ladder | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #comingMs = 0;
  #probed = false;
  #probing = false;
  #feeling = false;

  constructor(w: ThinWays) {
    this.#w = w;
  }

  get rung(): Rung {
    return this.#ladder?.rung ?? "video";
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), tick);
    this.#w.session.on("welcome", () => void this.#welcomed());
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The first word tells how slow words are: on a thin line nothing is made that a call would have to wait for. */
  async #welcomed(): Promise<void> {
    if (this.#feeling || (this.#ladder && (this.#w.open() || !wordy(this.rung)))) return;
    let s = this.#signs(Date.now());
    if (!s.slow && wordy(begin(s, 0).rung)) { // one word may have waited for this machine and not for the line
      this.#feeling = true;
      const ms = await this.#w.session.feel();
      this.#feeling = false;
      s = { ...this.#signs(Date.now()), rttMs: Math.min(s.rttMs, ms) };
    }
    this.#ladder = begin(s, Date.now());
    if (wordy(this.rung)) this.#w.changed(this.rung, "video");
    else void this.#w.peer.warm().catch(() => undefined);
  }

  #signs(now: number): Signs {
    const { session, peer } = this.#w;
    const state = peer.state;
    if (state === "connecting" || state === "lost") this.#comingMs ||= now;
    else this.#comingMs = 0;
    const stuck = this.#comingMs > 0 && now - this.#comingMs > stuckAfter;
    const network = (navigator as { connection?: { effectiveType?: string } }).connection?.effectiveType ?? "";
    const up = state === "connected";
    return {
      link: session.link === "open" && this.#w.heard(),
      // Where packets are lost words wait to be sent again, the voice does not: its own round trip counts while it flows.
      rttMs: up && peer.latest?.rttMs ? Math.min(session.rttMs, peer.latest.rttMs) : session.rttMs,
      media: up ? "up" : stuck ? "stuck" : this.#comingMs > 0 ? "coming" : "none",
      loss: up ? Math.max((this.#w.quality()?.lossUp ?? 0) - repaired, peer.latest?.concealed ?? 0) : 0,
      picture: peer.tune?.video ?? "on",
      slow: network.endsWith("2g"),
      probed: this.#probed,
    };
  }

  #look(): void {
    if (!this.#ladder || !this.#w.open()) return;
    const now = Date.now();
    const was = this.#ladder.rung;
    this.#ladder = step(this.#ladder, this.#signs(now), now);
    const is = this.#ladder.rung;
    if (is !== was) this.#move(is, was);
    else if (is === "notes" && !this.#probing && now - this.#ladder.movedMs > probeAfter(this.#ladder)) void this.#probe(now);
  }

  #move(is: Rung, was: Rung): void {
    if (wordy(is) && !wordy(was)) this.#w.peer.rest();
    if (!wordy(is)) {
      this.#probed = false;
      if (wordy(was)) void this.#w.peer.warm().catch(() => undefined);
    }
    this.#w.changed(is, was);
  }

  /** Tries the way of sound although words are slow. Its set-up is nine thousand bytes: how long they take tells how wide
   * the line is. */
  async #probe(now: number): Promise<void> {
    const { peer, session } = this.#w;
    if (session.busy || session.link !== "open") return;
    this.#probing = true;
    try {
      await Promise.race([peer.warm(), new Promise((_, no) => setTimeout(() => no(new Error("late")), probePatience))]);
      this.#probed = peer.state !== "closed" && widthKbps(exchangeBytes, Date.now() - now, session.rttMs) >= soundKbps;
    } catch {
      this.#probed = false;
    } finally {
      this.#probing = false;
    }
    if (!this.#ladder || this.#probed) return;
    if (wordy(this.rung)) peer.rest();
    this.#ladder = { ...this.#ladder, falls: this.#ladder.falls + 1, movedMs: Date.now() };
  }

  /** Whether sound goes or will go. */
  get sounds(): boolean {
    return rank(this.rung) >= rank("audio");
  }
}
