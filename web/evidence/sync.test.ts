import { describe, expect, it } from "vitest";
import { callClock, follow, lastAt } from "./sync";

describe("the master clock", () => {
  it("leaves small drift alone, chases middling, jumps over large", () => {
    expect(follow(10, 9.05, 1, 20, true, 1)).toEqual({ play: true, rate: 1 });
    expect(follow(10, 9.2, 1, 20, true, 1)).toEqual({ play: true, rate: 0.95 });
    expect(follow(10, 8.8, 1, 20, true, 1)).toEqual({ play: true, rate: 1.05 });
    expect(follow(10, 8, 1, 20, true, 2)).toEqual({ play: true, seek: 9, rate: 2 });
  });
  it("keeps silent before a stream begins and after it ends", () => {
    expect(follow(0.5, 0, 1, 20, true, 1).play).toBe(false);
    expect(follow(22, 20, 1, 20, true, 1).play).toBe(false);
  });
  it("stands exactly where it is paused", () => {
    expect(follow(5, 4.5, 0, 20, false, 1)).toEqual({ play: false, seek: 5, rate: 1 });
  });
  it("reads the clock", () => {
    expect(callClock(3723045)).toBe("1:02:03.045");
    expect(lastAt([{ ms: 1 }, { ms: 5 }], 4)).toEqual({ ms: 1 });
    expect(lastAt([{ ms: 1 }], 0)).toBeUndefined();
  });
});
