/** How often a connection may be made anew. The gateway takes twenty of one client in a minute and refuses
 * more. Some are there at once, for when it matters; then there is one every few seconds, so that nobody is
 * left without a way for long. No clock of its own. */

const burst = 8;
const refillMs = 6000; // of one
const pauses = [0, 900, 1200, 2000, 4000]; // after so many within the last 20 s
const lately = 20_000;

export class Pace {
  #made: number[] = [];
  #left = burst;
  #at = 0; // when that many were left

  /** Whether one may be made now; if so it counts. sure: something new is known, such as another network. */
  take(now: number, sure = false): boolean {
    if (now < this.next(now, sure)) return false;
    this.#left = this.#stock(now) - 1;
    this.#at = now;
    this.#made = [...this.#made.filter((at) => now - at < lately), now];
    return true;
  }

  /** The earliest moment at which one may be made. */
  next(now: number, sure = false): number {
    const stock = this.#stock(now);
    const filled = stock >= 1 ? now : now + (1 - stock) * refillMs;
    const recent = this.#made.filter((at) => now - at < lately);
    const pause = sure || recent.length === 0 ? 0 : (pauses[Math.min(recent.length, pauses.length - 1)] ?? 0);
    return Math.max(now, filled, (recent.at(-1) ?? Number.NEGATIVE_INFINITY) + pause);
  }

  #stock(now: number): number {
    return Math.min(burst, this.#left + Math.max(0, now - this.#at) / refillMs);
  }
}
