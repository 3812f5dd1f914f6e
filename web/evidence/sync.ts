/** The master clock of the player. Pure: it says what each element should do. */
export interface Want {
  /** Whether the element should play at this moment of the call. */
  play: boolean;
  /** Where to jump to, in seconds of the element; undefined to go on. */
  seek?: number;
  /** Playback rate that brings it back into step. */
  rate: number;
}

const near = 0.08; // seconds of drift that nobody hears
const far = 0.4; // beyond it a jump is kinder than a chase

/** What an element that began at offset and lasts so long should do at call time now. */
export function follow(now: number, at: number, offset: number, length: number, playing: boolean, speed: number): Want {
  const should = now - offset;
  if (should < 0 || should > length) return { play: false, rate: speed, ...(should < 0 && at > 0.05 ? { seek: 0 } : {}) };
  const drift = at - should;
  if (Math.abs(drift) > far || (!playing && Math.abs(drift) > 0.02)) return { play: playing, seek: should, rate: speed };
  if (Math.abs(drift) > near) return { play: playing, rate: speed * (drift > 0 ? 0.95 : 1.05) };
  return { play: playing, rate: speed };
}

/** h:mm:ss.mmm of the call. */
export function callClock(ms: number): string {
  const s = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}.${String(Math.floor(ms % 1000)).padStart(3, "0")}`;
}

/** The last of a sorted list that is not after ms. */
export function lastAt<T extends { ms: number }>(list: T[], ms: number): T | undefined {
  let found: T | undefined;
  for (const x of list) if (x.ms <= ms) found = x;
  return found;
}
