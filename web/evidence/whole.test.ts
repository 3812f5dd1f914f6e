import { expect, test } from "vitest";
import { saidOf } from "./Course";
import type { CourseStep, Report } from "./rest";
import { cameTo } from "./Whole";

const report = (exit: number): Report => ({ levels: [], exit, findings: [], root: "", leaves: 1, sealed: true });

test("a fault at any level is a fault, and what could not all be checked is not called proven", () => {
  expect(cameTo(report(0))).toBe("proven");
  expect(cameTo(report(2))).toBe("sofar");
  for (const exit of [1, 4, 8, 32, 2 + 4]) expect(cameTo(report(exit))).toBe("faulty");
});

test("a step says its outcome in words and the reply as it was written", () => {
  const step = (fact: string, more: Partial<CourseStep>): CourseStep => ({ atMs: 0, fact, by: "", whom: "", what: "", text: "", saidMs: 0, status: "in_work", ...more });
  const words = { kind: (c: string) => `kind ${c}`, outcome: (c: string) => `outcome ${c}` };
  expect(saidOf(step("shut", { what: "fined", text: "Протокол" }), words)).toBe("outcome fined: Протокол");
  expect(saidOf(step("classified", { what: "noise" }), words)).toBe("kind noise");
  expect(saidOf(step("opened", { text: "снова" }), words)).toBe("снова");
});
