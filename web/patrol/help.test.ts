import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PatrolAlarm } from "../lib/wire.gen";
import { Help } from "./help";

const alarm = (ref: string, by = ""): PatrolAlarm => ({ ref, patrol: "p1", name: "P-14", atMs: 1, accuracyM: 0, fixMs: 0, case: "", number: "", by, answeredMs: by ? 2 : 0 });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function world() {
  const disk = new Map<string, string>();
  const keep = { getItem: (k: string) => disk.get(k) ?? null, setItem: (k: string, v: string) => void disk.set(k, v), removeItem: (k: string) => void disk.delete(k) } as unknown as Storage;
  const asked: string[] = [];
  const net = { up: true };
  const make = (who = "p1") => new Help(who, () => undefined, () => undefined, async (ref) => {
    asked.push(ref);
    if (!net.up) throw new Error("no network");
    return alarm(ref);
  }, keep);
  return { make, asked, net, disk };
}

test("a call for help is tried each second until it is heard, by a restart too, and is one call", async () => {
  const w = world();
  w.net.up = false;
  const first = w.make();
  first.raise();
  await vi.advanceTimersByTimeAsync(3500);
  expect(w.asked.length).toBeGreaterThanOrEqual(4);
  expect([first.unheard, first.alarm]).toEqual([true, undefined]);
  first.close();
  const second = w.make();
  second.wake();
  w.net.up = true;
  await vi.advanceTimersByTimeAsync(1500);
  expect(second.alarm?.ref).toBe(w.asked[0]);
  expect(new Set(w.asked).size).toBe(1);
  expect([second.waiting, second.unheard, w.disk.size]).toEqual(["", false, 0]);
  second.close();
});

test("what another patrol left on the phone is not called for", () => {
  const w = world();
  w.net.up = false;
  const theirs = w.make("p2");
  theirs.raise();
  theirs.close();
  expect(w.make("p1").waiting).toBe("");
});

test("held again it is the same call while nobody has answered, and a new one afterwards", async () => {
  const w = world();
  const h = w.make();
  h.raise();
  await vi.advanceTimersByTimeAsync(10);
  h.raise();
  await vi.advanceTimersByTimeAsync(10);
  expect(new Set(w.asked).size).toBe(1);
  h.heard(alarm(w.asked[0] ?? "", "Dispatcher"));
  expect(h.alarm?.by).toBe("Dispatcher");
  h.raise();
  await vi.advanceTimersByTimeAsync(10);
  expect(new Set(w.asked).size).toBe(2);
  h.close();
});
