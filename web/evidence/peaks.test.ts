import { describe, expect, test } from "vitest";
import { bounded, drawable, peaks, TooLarge } from "./peaks";

describe("peaks", () => {
  test("each stretch has its greatest size, whatever the sign", () => {
    expect([...peaks(Float32Array.of(0.5, -0.75, 0, 0.25), 2)]).toEqual([0.75, 0.25]);
  });
  test("a burst stands where it was said", () => {
    const samples = new Float32Array(8000);
    samples.fill(0.5, 4000, 4080);
    const shape = [...peaks(samples, 100)];
    expect(shape.indexOf(0.5)).toBe(50);
    expect(shape.filter((v) => v > 0).length).toBe(1);
  });
  test("fewer samples than stretches, and none, are drawn as silence between", () => {
    expect([...peaks(Float32Array.of(1, 1), 4)]).toEqual([1, 0, 1, 0]);
    expect([...peaks(new Float32Array(0), 3)]).toEqual([0, 0, 0]);
  });
});

test("hours of speech in a small file are not decoded", () => {
  expect(drawable({ durationMs: 7_200_000 })).toBe(true);
  expect(drawable({ durationMs: 7_200_001 })).toBe(false);
});

describe("what is fetched is bounded", () => {
  const body = (n: number, head?: number) => new Response(new Uint8Array(n), head ? { headers: { "Content-Length": String(head) } } : {});
  test("a small one is read whole", async () => expect((await bounded(body(10), 10)).byteLength).toBe(10));
  test("one that says it is large is refused at once", async () => expect(bounded(body(1, 11), 10)).rejects.toBeInstanceOf(TooLarge));
  test("one that is large without saying so is cut off", async () => expect(bounded(body(11), 10)).rejects.toBeInstanceOf(TooLarge));
  test("a refusal is no sound", async () => expect(bounded(new Response("", { status: 403 }), 10)).rejects.toThrow("403"));
});
