import { describe, expect, test } from "vitest";
import { Line } from "./line";
import { Refused } from "./rest";
import { after, ahead, buttons, fate, mayDecline, request, type Said, standing, type Word } from "./words";

let n = 0;
const word = (w: Word, change: Partial<Said> = {}): Said => ({ id: `w${++n}`, who: "p1", case: "c1", number: "26-1", atMs: 1000 + n, what: "word", word: w, ...change } as Said);
const note = (text: string): Said => ({ id: `n${++n}`, who: "p1", case: "c1", number: "26-1", atMs: n, what: "note", text });
const end = (): Said => ({ id: `e${++n}`, who: "p1", case: "c1", number: "26-1", atMs: n, what: "close", outcome: "measures", text: "Done." });

describe("how far a task is", () => {
  test("counts what waits to be told, and never goes back", () => {
    expect(ahead("assigned", [], "c1")).toBe("assigned");
    expect(ahead("assigned", [word("accepted"), word("en_route")], "c1")).toBe("en_route");
    expect(ahead("on_scene", [word("accepted")], "c1")).toBe("on_scene");
    expect(ahead("assigned", [word("on_scene", { case: "c2" })], "c1")).toBe("assigned");
    expect(ahead("on_scene", [word("cleared")], "c1")).toBe("over");
    expect(ahead("assigned", [word("declined")], "c1")).toBe("over");
    expect(ahead("on_scene", [note("x"), end()], "c1")).toBe("over");
  });
  test("makes exactly one button the next", () => {
    for (const step of ["assigned", "accepted", "en_route", "on_scene"] as const) {
      const how = buttons.map((b) => standing(step, b));
      expect(how.filter((h) => h === "next")).toHaveLength(1);
      expect(how.lastIndexOf("done")).toBeLessThan(how.indexOf("next"));
    }
    expect(buttons.map((b) => standing("en_route", b))).toEqual(["done", "done", "next", "later"]);
    expect(buttons.map((b) => standing("over", b))).toEqual(["done", "done", "done", "done"]);
    expect([mayDecline("assigned"), mayDecline("accepted"), mayDecline("en_route"), mayDecline("over")]).toEqual([true, true, false, false]);
  });
});

test("a saying is asked for as the gateway takes it, with its own time", () => {
  expect(request(word("en_route", { atMs: 77 }))).toEqual({ path: "/patrol/cases/c1/words", body: { what: "en_route", atMs: 77 } });
  const n1 = note("Шу тоқтады");
  expect(request(n1)).toEqual({ path: "/cases/c1/acts", body: { act: "add", line: { id: n1.id, what: "note", text: "Шу тоқтады" } } });
  expect(request(end()).body).toEqual({ act: "close", outcome: "measures", text: "Done." });
});

test("what is refused for now waits, what never will be taken does not", () => {
  expect([0, 401, 408, 429, 500, 503].map(fate)).toEqual(Array(6).fill("waits"));
  expect([200, 201, 204].map(fate)).toEqual(["taken", "taken", "taken"]);
  expect([400, 403, 404, 409, 413].map(fate)).toEqual(Array(5).fill("refused"));
});

test("a task that is over takes its other words along, and nobody else's", () => {
  const [a, b, other, alien] = [word("on_scene"), word("cleared"), word("accepted", { case: "c2" }), word("accepted", { who: "p2" })];
  expect(after([a, b, other, alien], a, "refused", "task_over")).toEqual([other, alien]);
  expect(after([a, b, other], a, "refused", "wrong_state")).toEqual([b, other]);
  expect(after([a, b], a, "taken")).toEqual([b]);
});

/** A shelf and a gateway of which either may fail. */
function world(kept: Said[] = []) {
  let disk = [...kept];
  const told: string[] = [];
  let up = true;
  let refuse: Record<string, [number, string]> = {};
  const line = new Line(
    { keepSaid: async (l) => ((disk = [...l]), true), said: async () => [...disk] },
    () => undefined,
    async (_, path, body) => {
      if (!up) throw new Refused("", 0);
      const what = (body as { what?: string; act?: string }).what ?? (body as { act: string }).act;
      const no = refuse[what];
      if (no) throw new Refused(no[1], no[0]);
      told.push(`${path.split("/")[1]} ${what}`);
      return {};
    },
  );
  const settled = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };
  return { line, told, disk: () => disk, settled, net: (on: boolean) => void (up = on), refuse: (r: typeof refuse) => void (refuse = r) };
}

describe("the line of words", () => {
  test("keeps what is said without a network on the phone and tells it in order, once", async () => {
    const w = world();
    await w.line.start("p1");
    w.net(false);
    for (const s of [word("accepted"), word("en_route"), note("x"), word("on_scene")]) await w.line.say(s);
    await w.settled();
    expect(w.told).toEqual([]);
    expect(w.disk()).toHaveLength(4);
    w.net(true);
    w.line.wake();
    w.line.wake();
    await w.settled();
    expect(w.told).toEqual(["patrol accepted", "patrol en_route", "cases add", "patrol on_scene"]);
    expect(w.disk()).toEqual([]);
    w.line.close();
  });
  test("is found again after a restart, and tells only what this person said", async () => {
    const theirs = word("accepted", { who: "p2" });
    const w = world([word("on_scene"), theirs]);
    await w.line.start("p1");
    await w.settled();
    expect(w.told).toEqual(["patrol on_scene"]);
    expect(w.disk()).toEqual([theirs]);
    w.line.close();
  });
  test("stops at a word that must wait, so that none overtakes it", async () => {
    const w = world();
    await w.line.start("p1");
    w.refuse({ accepted: [503, "unavailable"] });
    await w.line.say(word("accepted"));
    await w.line.say(word("on_scene"));
    await w.settled();
    expect(w.told).toEqual([]);
    w.refuse({});
    w.line.wake();
    await w.settled();
    expect(w.told).toEqual(["patrol accepted", "patrol on_scene"]);
    w.line.close();
  });
  test("says what was not taken and why, and goes on", async () => {
    const w = world();
    await w.line.start("p1");
    w.refuse({ close: [409, "patrol_there"] });
    await w.line.say(end());
    await w.line.say(word("cleared"));
    await w.settled();
    expect(w.line.refused?.code).toBe("patrol_there");
    expect(w.told).toEqual(["patrol cleared"]);
    w.line.read();
    expect(w.line.refused).toBeUndefined();
    w.line.close();
  });
});
