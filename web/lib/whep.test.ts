import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { shortestGap, Sight } from "./sight";
import { Look, type LookState, relaysOf } from "./whep";

/** A connection whose line is the test's. */
class FakePC {
  static all: FakePC[] = [];
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((e: unknown) => void) | null = null;
  count = 0;
  readonly relays: RTCIceServer[];
  constructor(c: { iceServers: RTCIceServer[] }) {
    this.relays = c.iceServers;
    FakePC.all.push(this);
  }
  addTransceiver(): void {}
  async createOffer() {
    return { sdp: "offer" };
  }
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d;
  }
  async setRemoteDescription() {
    this.ontrack?.({ streams: [`stream ${FakePC.all.indexOf(this)}`] });
  }
  async getStats() {
    return [{ type: "inbound-rtp", kind: "video", packetsReceived: this.count }];
  }
  close(): void {
    this.connectionState = "closed";
  }
  is(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const relay = '<turns:a.kz:443?transport=tcp>; rel="ice-server"; username="1:v"; credential="pw"; credential-type="password"';
let asked: { method: string; url: string }[] = [];
let status = 201;
let states: LookState[] = [];
let shown: unknown[] = [];
let l: Look;

beforeEach(async () => {
  vi.useFakeTimers();
  await vi.advanceTimersByTimeAsync(5000); // a page is never at 0
  FakePC.all = [];
  asked = [];
  states = [];
  shown = [];
  status = 201;
  vi.stubGlobal("RTCPeerConnection", FakePC);
  vi.stubGlobal("fetch", async (url: string, o: { method: string }) => {
    asked.push({ method: o.method, url });
    const headers = new Headers({ Location: `${url}/${asked.length}`, Link: `${relay}, ${relay.replace("turns:", "turn:")}` });
    return { status, headers, text: async () => "answer", json: async () => ({ error: { code: "too_many" } }) };
  });
  l = new Look("yard", { state: (s) => states.push(s), stream: (s) => shown.push(s) });
});

afterEach(() => {
  l.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pc = (i: number) => FakePC.all[i] as FakePC;

/** Time goes on while these bring pictures. */
async function passes(ms: number, ...bring: FakePC[]) {
  for (let t = 0; t < ms; t += 100) {
    for (const p of bring) p.count += 3;
    await vi.advanceTimersByTimeAsync(100);
  }
}

test("nothing comes up: a second connection beside it has the relays that the first answer lent", async () => {
  await passes(1300);
  expect(FakePC.all.length).toBe(1);
  expect(pc(0).relays).toEqual([]);
  await passes(500);
  expect(FakePC.all.length).toBe(2);
  expect(pc(1).relays.map((r) => r.urls)).toEqual(["turns:a.kz:443?transport=tcp", "turn:a.kz:443?transport=tcp"]);
  expect(pc(0).connectionState, "the first may come up yet").not.toBe("closed");
  pc(1).is("connected");
  await passes(400, pc(1));
  expect(pc(0).connectionState).toBe("closed");
  expect(states.at(-1)).toBe("live");
  expect(shown.at(-1)).toBe("stream 1");
  expect(asked.filter((a) => a.method === "DELETE").map((a) => a.url)).toEqual(["/api/v1/cameras/yard/whep/1"]);
});

test("the picture stops: asked for beside at once, long before ICE says so, and the old one is shown until the new one moves", async () => {
  pc(0).is("connected");
  await passes(3000, pc(0));
  expect(states).toEqual(["live"]);
  await passes(1100); // limit, and a look
  expect(FakePC.all.length).toBe(2);
  expect(pc(0).connectionState).toBe("connected");
  expect(states.at(-1)).toBe("lost");
  expect(shown).toEqual(["stream 0"]);
  pc(1).is("connected");
  await passes(400, pc(1));
  expect([states.at(-1), shown.at(-1), pc(0).connectionState]).toEqual(["live", "stream 1", "closed"]);
});

test("the line comes back by itself: the old connection is kept", async () => {
  pc(0).is("connected");
  await passes(3000, pc(0));
  await passes(1100);
  await passes(600, pc(0));
  expect([states.at(-1), pc(0).connectionState, pc(1).connectionState]).toEqual(["live", "connected", "closed"]);
});

test("a camera that is silent is asked for less and less often, and its line is kept", async () => {
  pc(0).is("connected");
  await passes(3000, pc(0));
  for (let s = 0; s < 60; s++) {
    await passes(1000);
    for (const p of FakePC.all) if (p.connectionState === "new") p.is("connected");
  }
  expect(pc(0).connectionState).toBe("connected");
  expect(FakePC.all.length).toBeGreaterThan(4);
  expect(FakePC.all.length).toBeLessThanOrEqual(10);
  expect(FakePC.all.slice(1).filter((p) => p.connectionState !== "closed").length).toBeLessThanOrEqual(1);
});

test("who is refused is told so, and asks no more", async () => {
  l.close();
  status = 429;
  states = [];
  const n = FakePC.all.length;
  l = new Look("yard", { state: (s) => states.push(s), stream: () => undefined });
  await passes(10_000);
  expect(states).toEqual(["refused"]);
  expect(FakePC.all.length).toBe(n + 1);
});

test("a camera of few pictures is no silence, once it is known", () => {
  const s = new Sight();
  s.began(0);
  let n = 0;
  const asks: number[] = [];
  for (let t = 0; t < 60_000; t += 200) {
    if (t % 1000 === 0) s.packets(t, ++n);
    if (s.due(t, "up")) asks.push(t);
  }
  expect(asks.length).toBeLessThanOrEqual(3);
  expect(Math.max(...asks)).toBeLessThan(5000);
  expect(s.limit()).toBeGreaterThan(shortestGap);
});

test("a header of links that are none of relays gives none", () => {
  expect(relaysOf("")).toEqual([]);
  expect(relaysOf('<https://a/b>; rel="next", <turn:a>; rel="ice-server"')).toEqual([{ urls: "turn:a" }]);
});
