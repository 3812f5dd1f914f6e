import { expect, test } from "vitest";
import { dayEnd, type Keep, offers } from "./keeping";

const base: Keep = {
  call: "c", number: "26-1", stage: "kept", class: "normal", classWords: { kk: "a", ru: "b", en: "c" }, openedMs: 1000, untilMs: 9000, holds: [], root: "", endedMs: 0,
  may: { extend: "", shorten: "", request: "retention_running", approve: "wrong_state", cancel: "" },
};

test("an act that the role does not have is not there, one that must wait is explained", () => {
  expect(offers(base)).toEqual({ now: ["extend", "shorten"], not: [{ act: "request", code: "retention_running" }] });
  expect(offers({ ...base, may: { hold: "" } })).toEqual({ now: ["hold"], not: [] });
});

test("a deletion on its way can be approved or taken back, not asked for again", () => {
  const asked: Keep = { ...base, stage: "deletion_proposed", may: { ...base.may, request: "wrong_state", approve: "second_person" } };
  expect(offers(asked)).toEqual({ now: ["extend", "shorten", "cancel"], not: [{ act: "approve", code: "second_person" }] });
  expect(offers({ ...asked, may: { ...asked.may, approve: "" } }).now).toContain("approve");
});

test("nothing is offered for what is destroyed", () => {
  for (const stage of ["destroying", "destroyed"] as const) expect(offers({ ...base, stage })).toEqual({ now: [], not: [] });
});

test("an earlier end is never before the call", () => {
  const opened = new Date("2026-11-23T15:00:00").getTime();
  expect(dayEnd("2026-11-23", "shorten", opened)).toBe(opened);
  expect(dayEnd("2026-11-24", "shorten", opened)).toBe(new Date("2026-11-24T00:00:00").getTime());
  expect(dayEnd("2026-11-24", "extend", opened)).toBe(new Date("2026-11-24T00:00:00").getTime() + 86_400_000);
});
