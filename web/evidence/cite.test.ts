import { expect, test } from "vitest";
import { cite } from "./cite";

const words = { call: "Call", root: "root", noRoot: "not sealed, not verified" };
const moment = { number: "26-000007", call: "0190aa", stream: "Caller", ms: 62_345, openedMs: Date.UTC(2026, 10, 23, 9, 12, 40, 5), root: "q83v=", leaves: 1102 };

test("a citation has number, stream, both times and the root", () => {
  expect(cite(moment, words)).toBe("Call № 26-000007 (0190aa) · Caller · 0:01:02.345 · 2026-11-23 09:13:42.350 UTC · root q83v= (1102)");
});

test("without a root it says so instead of leaving it out", () => {
  expect(cite({ ...moment, root: "" }, words)).toMatch(/· not sealed, not verified$/);
});
