/** How often a connection may be made anew. The gateway takes about ten a minute of one client and
 * refuses more, which would leave none for when it matters. Pure but for what it remembers. */

const most = 8; // a minute
const pauses = [0, 900, 1200, 2000, 4000, 8000]; // after so many within the last 20 s
const lately = 20_000;

export class Pace {
  #made: number[] = [];

  /** Whether one may be made now; if so it counts. sure: something new is known, such as another network. */
  take(now: number, sure = false): boolean {
    if (now < this.next(now, sure)) return false;
    this.#made.push(now);
    return true;
  }

  /** The earliest moment at which one may be made. */
  next(now: number, sure = false): number {
    this.#made = this.#made.filter((at) => now - at < 60_000);
    const last = this.#made.at(-1) ?? Number.NEGATIVE_INFINITY;
    const recent = this.#made.filter((at) => now - at < lately).length;
    const pause = sure ? 0 : (pauses[Math.min(recent, pauses.length - 1)] ?? 0);
    const full = this.#made.length >= most ? (this.#made[0] ?? 0) + 60_000 : 0;
    return Math.max(now, last + pause, full);
  }
}
