import { expect, test } from "vitest";
import { allLayers, cost, type Entry, entries, isStale, linesOf, marksOf, measured, needOf, patrolOrder, placeOf, staleMs } from "./rules";
import type { CaseRow, PatrolRow, Proposal } from "./types";

const aCase = (id: string, more: Partial<CaseRow> = {}): CaseRow => ({
  case: id, number: `26-${id}`, version: 1, lane: "report", kind: "noise", priority: 1, unit: "", status: "registered", owner: "", ownerName: "", into: "", openedMs: 1000, sinceMs: 1000,
  closedMs: 0, lat: 54.87, lon: 69.16, ...more,
});
const aPatrol = (id: string, more: Partial<PatrolRow> = {}): PatrolRow => ({
  patrol: id, name: id, unit: "", state: "available", case: "", number: "", late: false, sinceMs: 0, accuracyM: 8, fixMs: 100_000, lat: 54.88, lon: 69.16, ...more,
});
const ids = (list: Entry[]) => list.map((e) => e.row.case).join();

test("cases stand by priority, then by what asks for an act, then by how long they wait", () => {
  const patrols = [aPatrol("p", { case: "sent", state: "en_route" }), aPatrol("q", { case: "late", state: "assigned", late: true })];
  const list = entries([
    aCase("calm", { priority: 3, openedMs: 1 }), aCase("sent", { openedMs: 2 }), aCase("young", { openedMs: 9 }), aCase("old", { openedMs: 3 }), aCase("late", { openedMs: 8 }),
    aCase("life", { priority: 0, openedMs: 99 }), aCase("gone", { status: "closed" }), aCase("folded", { into: "life" }),
  ], patrols);
  expect(ids(list)).toBe("life,late,old,young,sent,calm");
  expect(list.map((e) => e.need)).toEqual(["assign", "late", "assign", "assign", "en_route", "assign"]);
});

test("the word of a case is the furthest of its patrols, unless one has not answered", () => {
  const c = aCase("c");
  const at = (...states: string[]) => states.map((state, i) => aPatrol(String(i), { case: "c", state }));
  expect(needOf(c, at("assigned", "on_scene"))).toBe("on_scene");
  expect(needOf(c, at("accepted", "assigned"))).toBe("accepted");
  expect(needOf(c, [...at("on_scene"), aPatrol("x", { case: "c", state: "assigned", late: true })])).toBe("late");
  expect(needOf(c, [])).toBe("assign");
  expect(needOf(aCase("c", { status: "patrol_sent" }), [])).toBe("en_route"); // its patrol is of a unit that is not seen here
});

test("patrols stand free first and are counted as people count", () => {
  const list = patrolOrder([aPatrol("P-14"), aPatrol("P-2"), aPatrol("P-1", { state: "on_scene" }), aPatrol("P-9", { state: "off" }), aPatrol("P-3", { state: "en_route" })]);
  expect(list.map((p) => p.name)).toEqual(["P-2", "P-14", "P-3", "P-1"]);
});

test("a position is live for a minute, by the gateway's clock", () => {
  const p = aPatrol("p", { fixMs: 5000 });
  expect(isStale(p, 5000 + staleMs)).toBe(false);
  expect(isStale(p, 5001 + staleMs)).toBe(true);
  expect(isStale(aPatrol("p", { fixMs: 0 }), 1e12)).toBe(false); // nobody knows: that is another word
});

test("what is on the map says state by shape; an old position is never as a live one", () => {
  const patrols = [aPatrol("fresh"), aPatrol("old", { fixMs: 1 }), aPatrol("none", { lat: undefined, lon: undefined }), aPatrol("late", { state: "assigned", late: true, case: "c" })];
  const seen = { entries: entries([aCase("c", { priority: 0 }), aCase("d", { lat: undefined, lon: undefined })], patrols), patrols, cameras: [{ camera: "k", label: "K", at: { lat: 54, lon: 69 } }], chosen: "c", layers: allLayers, nowMs: 120_000 };
  const words = { aCase: (e: Entry) => e.row.number, patrol: (p: PatrolRow) => p.name };
  const marks = marksOf(seen, words, () => 12);
  expect(marks.map((m) => [m.id, m.shape, m.stale ?? false, m.chosen ?? false])).toEqual([
    ["camera:k", "camera", false, false], ["patrol:fresh", "available", false, false], ["patrol:old", "available", true, false], ["patrol:late", "late", false, false], ["case:c", "case1", false, true],
  ]);
  expect(marksOf({ ...seen, layers: { cases: false, patrols: false, cameras: true } }, words, () => 0).map((m) => m.id)).toEqual(["camera:k"]);
});

test("a line leads to the first proposed patrol until one is sent", () => {
  const proposed: Proposal = { ...aPatrol("p"), metres: 900, seconds: 0, by: "straight", words: { kk: "", ru: "", en: "" } };
  const alone = entries([aCase("c")], [])[0];
  expect(linesOf(alone, proposed, () => "900 m").map((l) => l.label)).toEqual(["900 m"]);
  const sent = entries([aCase("c")], [aPatrol("q", { case: "c", state: "en_route" })])[0];
  expect(linesOf(sent, proposed, () => "").map((l) => l.label)).toEqual(["q"]);
  expect(linesOf(entries([aCase("c", { lat: undefined, lon: undefined })], [])[0], proposed, () => "")).toEqual([]);
});

test("what a proposal costs is minutes by road or metres", () => {
  const p = (by: string, metres: number, seconds: number) => cost({ ...aPatrol("p"), by, metres, seconds, words: { kk: "", ru: "", en: "" } });
  expect([p("road", 5000, 181), p("road", 1, 5), p("straight", 940, 0), p("straight", 2340, 0), p("no_place", 0, 0)]).toEqual([
    { unit: "min", n: "4" }, { unit: "min", n: "1" }, { unit: "m", n: "940" }, { unit: "km", n: "2.3" }, { unit: "", n: "" },
  ]);
});

test("the place that counts is the newest that a person set", () => {
  const line = (id: string, source: string, lat: number | undefined, gone = false) => ({
    id, what: "place", atMs: 0, by: "", name: "", text: "", gone, place: { source, accuracyM: 9, words: id, ...(lat === undefined ? {} : { lat, lon: 69 }) },
  });
  const card = [line("words", "words", undefined), line("fix", "device", 1), line("pin", "operator", 2), line("late", "device", 3), line("withdrawn", "operator", 4, true)];
  expect(placeOf(card)?.words).toBe("pin");
  expect(placeOf(card.slice(0, 2))?.words).toBe("fix");
  expect(placeOf([])).toBeUndefined();
  const joined = { ...line("joined", "caller", 5), merged: true };
  expect(placeOf([...card.slice(0, 2), joined])?.words).toBe("fix");
  expect(placeOf([...card.slice(0, 1), joined])?.words).toBe("joined");
});

test("the length of a way is the sum of its parts", () => {
  expect(Math.round(measured([{ lat: 54, lon: 69 }, { lat: 54.01, lon: 69 }, { lat: 54.02, lon: 69 }]))).toBe(2224);
  expect(measured([])).toBe(0);
});
