import { expect, test } from "vitest";
import { type Hangup, idle, step } from "./hangup";

/** Plays presses and ticks; tells at which times the call was ended. */
function play(script: [number, "down" | "up" | "tick"][]): number[] {
  let h: Hangup = idle;
  const ended: number[] = [];
  for (const [now, e] of script) {
    const s = step(h, e, now);
    h = s.next;
    if (s.end) ended.push(now);
  }
  return ended;
}

test("a short press does not end the call", () => {
  expect(play([[0, "down"], [100, "up"], [700, "tick"], [4000, "tick"]])).toEqual([]);
});

test("a press held for 0.6 s ends it once", () => {
  expect(play([[0, "down"], [500, "tick"], [600, "tick"], [700, "tick"], [800, "up"]])).toEqual([600]);
});

test("a second press within 3 s ends it, a later one begins anew", () => {
  expect(play([[0, "down"], [50, "up"], [900, "down"], [950, "up"]])).toEqual([900]);
  expect(play([[0, "down"], [50, "up"], [3100, "tick"], [3200, "down"], [3250, "up"]])).toEqual([]);
});

test("repeats of a held key count as one press", () => {
  expect(play([[0, "down"], [30, "down"], [60, "down"], [90, "up"]])).toEqual([]);
});
