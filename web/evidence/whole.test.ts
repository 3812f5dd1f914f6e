import { expect, test } from "vitest";
import { saidOf } from "./Course";
import type { CourseStep, Report } from "./rest";
import { cameTo } from "./Whole";

const report = (sealed: boolean, ...states: Report["levels"][number]["state"][]): Report =>
  ({ levels: states.map((state, i) => ({ level: `V${i}`, state, text: "", notes: [] })), exit: 0, findings: [], root: "", leaves: 1, sealed });

test("a fault at any level is a fault, and what waits for the log is not proven yet", () => {
  expect(cameTo(report(true, "passed", "passed", "absent"))).toBe("proven");
  expect(cameTo(report(true, "passed", "not_checked", "passed"))).toBe("sofar");
  expect(cameTo(report(true, "passed", "partial"))).toBe("sofar");
  expect(cameTo(report(false, "passed", "passed"))).toBe("sofar");
  expect(cameTo(report(false, "passed", "failed"))).toBe("faulty");
});

test("a step says its outcome in words and the reply as it was written", () => {
  const step = (fact: string, more: Partial<CourseStep>): CourseStep => ({ atMs: 0, fact, by: "", whom: "", what: "", text: "", saidMs: 0, status: "in_work", ...more });
  const words = { kind: (c: string) => `kind ${c}`, outcome: (c: string) => `outcome ${c}` };
  expect(saidOf(step("shut", { what: "fined", text: "Протокол" }), words)).toBe("outcome fined: Протокол");
  expect(saidOf(step("classified", { what: "noise" }), words)).toBe("kind noise");
  expect(saidOf(step("opened", { text: "снова" }), words)).toBe("снова");
});
