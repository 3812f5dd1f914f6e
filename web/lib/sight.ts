/** When a camera's picture is asked for over another connection beside the present one. A camera sends all the time, so a gap that is
 * long for it is a dead line or a dead camera; another connection tells which, and costs nobody a picture. Pure: no clock, no
 * connection. Times are milliseconds of one clock. */

/** A connection that is not up by then may never be: another is made with the relays, too. */
export const upPatience = 1500;
/** A gap shorter than this is jitter, or a camera that sends few pictures. */
export const shortestGap = 700;
const longestGap = 5000;
const usual = 4; // of the longest gap lately
const memory = 10_000; // of gaps that healed
const steady = 2000; // of pictures, until the next gap is a new one
const pauses = [0, 1000, 2000, 5000, 10_000]; // between attempts
const longestShift = 4;

export class Sight {
  #made = 0;
  #first = 0; // when pictures began after the last attempt
  #last = 0; // when the newest packet was seen; 0: none yet
  #asked = 0; // when the last attempt was made
  #tries = 0;
  #count = 0;
  #fresh = true; // the present one has brought nothing yet
  #gaps: { at: number; ms: number }[] = [];

  /** A connection is the present one now. */
  began(now: number): void {
    this.#made = now;
    this.#count = 0;
    this.#fresh = true;
  }

  /** Packets of pictures that the present connection has brought so far. */
  packets(now: number, n: number): void {
    if (n <= this.#count) return;
    this.#count = n;
    if (!this.#fresh) this.#gaps.push({ at: now, ms: now - this.#last });
    while (this.#gaps[0] && this.#gaps[0].at < now - memory) this.#gaps.shift();
    this.#fresh = false;
    if (this.#first === 0) this.#first = now;
    this.#last = now;
    if (now - this.#first >= steady) this.#tries = 0;
  }

  /** Whether the pictures have stopped. */
  stopped(now: number): boolean {
    return this.#last > 0 && now - this.#last >= this.limit();
  }

  limit(): number {
    return Math.min(longestGap, Math.max(shortestGap, usual * Math.max(0, ...this.#gaps.map((g) => g.ms))));
  }

  /** Whether another connection is to be made now; if so it counts as made. state is that of the present one. */
  due(now: number, state: "coming" | "up" | "broken"): boolean {
    if (state === "coming" && now - this.#made < upPatience) return false;
    if (state === "up" && !this.stopped(now)) return false;
    if (this.#tries > 0 && now - this.#asked < (pauses[Math.min(this.#tries, longestShift)] ?? 0)) return false;
    this.#tries++;
    this.#asked = now;
    this.#first = 0;
    return true;
  }
}
