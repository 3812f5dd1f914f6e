import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Bodies } from "../../lib/wire.gen";
import type { Api } from "./api";
import { BoardModel } from "./model";
import type { CaseView, PatrolRow, Proposals } from "./types";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const view = (id: string, version = 1, more: Partial<CaseView> = {}): CaseView => ({
  case: id, number: `26-${id}`, version, lane: "call", kind: "", priority: 0, unit: "", status: "registered", owner: "", ownerName: "", into: "", openedMs: 1, sinceMs: 1, closedMs: 0,
  citizen: { name: "", phone: "", lang: "kk" }, card: [], sendings: [], recordings: [], reply: "", undoMs: 0, ...more,
});
const patrol = (id: string, state = "available", fixMs = 1): PatrolRow => ({ patrol: id, name: id, unit: "", state, case: "", number: "", late: false, sinceMs: 0, accuracyM: 5, fixMs, lat: 54, lon: 69 });

/** A gateway of some cases that counts what it is asked. */
class Fake implements Api {
  cases = new Map<string, CaseView>();
  units: PatrolRow[] = [];
  asked: string[] = [];
  gate: Promise<void> = Promise.resolve();
  heard = new Map<string, (b: never) => void>();

  hear = <T extends keyof Bodies>(type: T, fn: (b: Bodies[T]) => void) => {
    this.heard.set(type, fn as (b: never) => void);
    return () => this.heard.delete(type);
  };

  tell<T extends keyof Bodies>(type: T, body: Bodies[T]): void {
    this.heard.get(type)?.(body as never);
  }

  async openCases() {
    this.asked.push("list");
    const list = [...this.cases.values()].filter((c) => c.status !== "closed");
    await this.gate;
    return list;
  }

  async lastClosed() {
    return 77;
  }

  async aCase(id: string) {
    this.asked.push(id);
    const c = this.cases.get(id);
    if (!c) throw new Error("none");
    return c;
  }

  async patrols() {
    const list = [...this.units];
    await this.gate;
    return list;
  }

  async proposals(id: string): Promise<Proposals> {
    this.asked.push(`for ${id}`);
    return { patrols: [], others: [] };
  }
}

const news = (v: CaseView) => ({ case: v.case, number: v.number, version: v.version, lane: v.lane, status: v.status, priority: v.priority, owner: v.owner, unit: v.unit });
const boardOf = (fake: Fake) => new BoardModel(fake, fake, () => undefined);

test("a case is on the board as soon as the gateway tells of it, and gone when it is closed", async () => {
  const fake = new Fake();
  const board = boardOf(fake);
  board.start();
  await vi.advanceTimersByTimeAsync(0);
  expect([board.state.known, board.state.entries.length, board.state.lastClosedMs]).toEqual([true, 0, 77]);
  fake.cases.set("a", view("a"));
  fake.tell("case.news", news(view("a")));
  await vi.advanceTimersByTimeAsync(200);
  expect(board.state.entries.map((e) => e.row.case)).toEqual(["a"]);
  const closed = view("a", 2, { status: "closed", closedMs: 99 });
  fake.cases.set("a", closed);
  fake.tell("case.news", news(closed));
  await vi.advanceTimersByTimeAsync(200);
  expect([board.state.entries.length, board.state.lastClosedMs]).toEqual([0, 99]);
  board.close();
});

test("news that overtakes the list wins over it", async () => {
  const fake = new Fake();
  fake.units = [patrol("p")];
  let open = () => undefined as void;
  fake.gate = new Promise((resolve) => (open = resolve));
  const board = boardOf(fake);
  board.start();
  fake.tell("patrols.moved", { patrols: [patrol("p", "assigned", 2)] });
  open();
  await vi.advanceTimersByTimeAsync(0);
  expect(board.state.patrols[0]?.state).toBe("assigned");
  board.close();
});

test("proposals follow patrols that move all the time once a second, and only for the chosen case", async () => {
  const fake = new Fake();
  fake.cases.set("a", view("a"));
  const board = boardOf(fake);
  board.start();
  await vi.advanceTimersByTimeAsync(0);
  board.choose("a");
  for (let i = 0; i < 50; i++) {
    fake.tell("patrols.moved", { patrols: [patrol("p", "available", i)] });
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(fake.asked.filter((a) => a === "for a").length).toBeGreaterThanOrEqual(5);
  expect(fake.asked.filter((a) => a === "for a").length).toBeLessThanOrEqual(7);
  board.choose(undefined);
  fake.asked = [];
  fake.tell("patrols.moved", { patrols: [patrol("p")] });
  await vi.advanceTimersByTimeAsync(5000);
  expect(fake.asked).toEqual([]);
  board.close();
});

test("whoever was sent just now is not proposed again before the next look", async () => {
  const fake = new Fake();
  fake.cases.set("a", view("a"));
  const board = boardOf(fake);
  board.start();
  await vi.advanceTimersByTimeAsync(0);
  board.choose("a");
  await vi.advanceTimersByTimeAsync(100);
  const free = (id: string) => ({ ...patrol(id), metres: 1, seconds: 0, by: "straight", words: { kk: "", ru: "", en: "" } });
  board.state.proposals = { patrols: [free("p"), free("q")], others: [] };
  const sent = { patrol: "p", name: "p", atMs: 1, acceptedMs: 0, enRouteMs: 0, onSceneMs: 0, endedMs: 0, why: "", late: false };
  board.took(view("a", 2, { status: "patrol_sent", sendings: [sent] }));
  expect(board.state.proposals?.patrols.map((x) => x.patrol)).toEqual(["q"]);
  board.close();
});

test("a flood of news is read as one list", async () => {
  const fake = new Fake();
  const board = boardOf(fake);
  board.start();
  await vi.advanceTimersByTimeAsync(0);
  fake.asked = [];
  for (let i = 0; i < 40; i++) {
    fake.cases.set(String(i), view(String(i)));
    fake.tell("case.news", news(view(String(i))));
  }
  await vi.advanceTimersByTimeAsync(300);
  expect(fake.asked).toEqual(["list"]);
  expect(board.state.entries.length).toBe(40);
  board.close();
});

test("an older answer does not undo a newer one, and a closed board is silent", async () => {
  const fake = new Fake();
  fake.cases.set("a", view("a", 5, { kind: "new" }));
  let told = 0;
  const board = new BoardModel(fake, fake, () => told++);
  board.start();
  await vi.advanceTimersByTimeAsync(0);
  board.took(view("a", 4, { kind: "old" }));
  expect(board.state.entries[0]?.row.kind).toBe("new");
  board.close();
  const before = told;
  fake.tell("patrols.moved", { patrols: [patrol("p")] });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(told).toBe(before);
});
