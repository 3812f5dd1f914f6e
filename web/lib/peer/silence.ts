/** Whose silence is it? A voice is sent all the time, muted or not, so a gap is a line that is dead, or
 * somebody who was taken off it; which of the two only the gateway knows, and it is asked. Decides by
 * what it is told: no clock, no timer, no socket. All times are milliseconds of one clock. */

/** What the gateway says: how long ago it last sent this page a voice and last heard its own; -1: never. */
export interface Heard {
  sentMs: number;
  heardMs: number;
}

/** none: no voice so far. flows: one is heard. own: our line is dead. far: the gateway has nothing for us. */
export type Line = "none" | "flows" | "own" | "far";

/** ask the gateway; replace the connection; renew also the socket, which is as silent as the voice. */
export type Act = "ask" | "replace" | "renew";

/** A gap shorter than this is jitter. Longer costs words when a line dies, shorter makes connections for
 * nothing: bursts of 200 ms are common on mobile links. */
export const gapMs = 250;
/** Gaps that healed by themselves make the next one wait longer, up to this. */
export const longestGapMs = 900;
const askShare = 0.8; // of the gap, so that the answer is there when it is over
const cutShare = 0.5; // of the gap, beside a socket that ends; on a lossy line, where sockets end and packets are missing by themselves, all of it
const fresh = 150; // what the gateway sent this recently would have arrived
const deafAfter = 300; // of our own voice at the gateway
// Where the gateway lets words be waited for longer than this, a fifth of them or more is lost, or the way is long. Of a line
// that loses half twenty packets in a row are missing now and then: a silence must be so many times as long as that wait. A
// new connection there costs more than it gives.
const poorWait = 200;
const poorTimes = 2.5;
const memory = 10_000; // of gaps that healed
const patienceMs = 120; // for an answer, at least; at most longestPatience
const longestPatience = 900;
const lost = 2000; // a question on hold that is not answered is asked anew
const again = 1000; // between questions, and between attempts, of one silence
const soon = 300; // before the second question
const stall = 200; // between two looks, of a page that is busy or in the background
const settled = 600; // of a new connection, before its silence says anything

export class Silence {
  #last = 0; // when the newest packet of any voice arrived
  #since = 0; // when the present connection began
  #asked = 0; // when the gateway was last asked; 0: not in this silence
  #open = 0; // when a question was asked that has no answer yet; 0: there is none
  #answered = true;
  #questions = 0;
  #acted = 0;
  #tick = 0;
  #watched = 0; // the longest quiet that a look has found since the newest packet
  #dead = false; // the last answer said so
  #deaf = false;
  #rtt = 100;
  readonly #healed: { at: number; ms: number }[] = [];
  #line: Line = "none";
  /** How long late words are waited for on this line; 0: it is not known to lose packets. */
  waitMs = 0;

  get line(): Line {
    return this.#line;
  }

  /** Round trip of the questions so far. */
  get rttMs(): number {
    return this.#rtt;
  }

  /** How long nothing was heard; 0 before the first voice. */
  quiet(now: number): number {
    return this.#last > 0 ? Math.max(0, now - this.#last) : 0;
  }

  /** A connection took the place of another: its silence counts from here. */
  began(now: number): void {
    this.#since = now;
    if (this.#line === "own") this.#line = "far"; // until a voice says otherwise, or the gateway
    this.#forget();
  }

  /** The newest packet of any voice arrived at this time. */
  heard(at: number): void {
    if (at <= this.#last) return;
    const gap = this.#watched; // not what passed between two looks: the page may have stood still
    this.#watched = 0;
    if (this.#last > 0 && this.#since < this.#last && gap > 100 && gap < 2 * longestGapMs) this.#healed.push({ at, ms: gap });
    while (this.#healed[0] && this.#healed[0].at < at - memory) this.#healed.shift();
    this.#last = at;
    this.#line = "flows";
    this.#dead = false;
    this.#answered = true;
    this.#asked = this.#questions = 0;
  }

  /** How long a silence must be before it counts. */
  limit(): number {
    return Math.min(longestGapMs, Math.max(gapMs, this.#poorGap(), 1.25 * Math.max(0, ...this.#healed.map((h) => h.ms))));
  }

  /** Whether so much may be lost that a silence, and what is said of one, must be looked at twice. */
  get poor(): boolean {
    return this.waitMs > poorWait;
  }

  #poorGap(): number {
    return this.poor ? poorTimes * this.waitMs : 0;
  }

  /** What is to be done now. expected: there is a call, so that a voice may come any moment. */
  tick(now: number, expected: boolean): Act | undefined {
    const late = now - this.#tick > stall; // the page itself stood still: an answer may wait to be read
    this.#tick = now;
    if (this.#deaf && (this.#acted === 0 || now - this.#acted >= again)) {
      this.#deaf = false;
      this.#acted = now;
      return "replace";
    }
    const quiet = this.#quietOf(now);
    if (!late) this.#watched = quiet;
    if (quiet < askShare * this.limit()) return undefined;
    if (this.#line === "none" && !expected) return undefined;
    if (!this.#answered) {
      const waited = now - this.#asked;
      if (this.#line === "far" || this.#line === "none") return waited < lost ? undefined : this.#repeat(now, expected);
      if (waited < this.#patience() || (late && waited < again) || quiet < this.limit()) return undefined;
      this.#answered = true;
      return this.#act(now, "renew");
    }
    if (this.#dead && quiet >= this.limit()) {
      this.#dead = false;
      return this.#act(now, "replace");
    }
    return this.#repeat(now, expected);
  }

  /** The gateway's answer. sending: our own voice has been on its way for a while. told: it was asked because it had said
   * that it does not hear us, for which it has reckoned with the loss by itself. */
  answered(now: number, a: Heard, sending: boolean, told = false): void {
    if (this.#open > 0) this.#rtt = (this.#rtt + now - this.#open) / 2;
    this.#open = 0;
    this.#answered = true;
    this.#deaf = sending && now - this.#since > settled && (a.heardMs < 0 || a.heardMs > (told ? deafAfter : Math.max(deafAfter, this.#poorGap())));
    if (this.#quietOf(now) < askShare * this.limit()) return;
    this.#dead = a.sentMs >= 0 && a.sentMs < fresh && now - this.#since > settled;
    if (!this.#dead && this.#line !== "none") this.#line = "far";
  }

  /** The socket has ended. Where the voice has stopped as well the line is dead, and nobody need be asked. */
  cut(now: number): Act | undefined {
    const share = this.waitMs > 0 ? 1 : cutShare;
    return this.#line === "flows" && this.quiet(now) >= share * this.limit() ? this.#act(now, "replace") : undefined;
  }

  #quietOf(now: number): number {
    return now - Math.max(this.#last, this.#line === "none" ? this.#since : 0);
  }

  #patience(): number {
    return Math.min(longestPatience, Math.max(patienceMs, 1.5 * this.#rtt));
  }

  #repeat(now: number, expected: boolean): Act | undefined {
    const pause = this.#questions === 0 ? 0 : this.#questions === 1 ? soon : again;
    if (now - this.#asked < pause || (this.#questions > 2 && !expected)) return undefined;
    this.#asked = this.#open = now;
    this.#answered = false;
    this.#questions++;
    return "ask";
  }

  #act(now: number, what: Act): Act | undefined {
    this.#line = "own";
    if (this.#acted > 0 && now - this.#acted < again) return undefined;
    this.#acted = now;
    return what;
  }

  #forget(): void {
    this.#dead = this.#deaf = false;
    this.#answered = true;
    this.#asked = this.#questions = 0;
  }
}
