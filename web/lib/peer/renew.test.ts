import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Peer } from "../peer";
import { Session } from "../socket";

/** What happened, in its order: sockets, what they carry, connections. */
let log: string[] = [];
const rtt = 40;

class FakeSocket {
  static all: FakeSocket[] = [];
  /** Whether the network carries anything now. */
  static alive = true;
  readyState = 0;
  dead = false; // of an address that is gone
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  readonly n = FakeSocket.all.length;
  constructor() {
    FakeSocket.all.push(this);
    log.push(`socket ${this.n}`);
    // TCP and the upgrade: two round trips.
    setTimeout(() => {
      if (this.dead || !FakeSocket.alive) return;
      this.readyState = 1;
      log.push(`open ${this.n}`);
      this.onopen?.();
    }, 2 * rtt);
  }
  send(x: string): void {
    const m = JSON.parse(x) as { type: string; seq: number; body: { pc?: string } };
    if (["hello", "media.offer", "media.check"].includes(m.type)) log.push(`${m.type} on ${this.n}`);
    if (this.dead) return;
    setTimeout(() => this.#answer(m), rtt);
  }
  #answer(m: { type: string; seq: number; body: { pc?: string } }): void {
    if (this.dead || !this.onmessage) return;
    if (m.type === "hello") this.#says("welcome", m.seq, { client: "c", key: "k", iceServers: [], pc: known });
    else if (m.type === "media.offer") {
      known = m.body.pc ?? "";
      this.#says("media.answer", m.seq, { sdp: "v=0" });
    } else if (m.type === "media.check") this.#says("media.checked", m.seq, { pc: known, sentMs: 10, heardMs: 10 });
    else this.#says("pong", m.seq, {});
  }
  #says(type: string, re: number, body: unknown): void {
    if (type === "welcome") log.push(`welcome on ${this.n}`);
    this.onmessage?.({ data: JSON.stringify({ type, re, seq: 1, body }) });
  }
  close(): void {
    this.onmessage = null;
  }
}
let known = ""; // the gateway's newest connection

class FakePC {
  static all: FakePC[] = [];
  connectionState = "new";
  signalingState = "stable";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  packets = 0;
  readonly #transceivers: unknown[] = [];
  readonly n = FakePC.all.length;
  constructor() {
    FakePC.all.push(this);
    log.push(`connection ${this.n}`);
  }
  addTransceiver(kind: string, o: { direction: string }) {
    this.#transceivers.push({ direction: o.direction, sender: { replaceTrack: async () => undefined, getParameters: () => ({}) }, receiver: { track: { kind } } });
    return this.#transceivers.at(-1);
  }
  createDataChannel() {
    return { readyState: "connecting" };
  }
  getTransceivers() {
    return this.#transceivers;
  }
  getReceivers() {
    return this.#transceivers.map((t) => (t as { receiver: unknown }).receiver);
  }
  async getStats() {
    return [{ id: "a", type: "inbound-rtp", kind: "audio", packetsReceived: this.packets }];
  }
  async createOffer() {
    return { sdp: "v=0" };
  }
  setConfiguration(): void {}
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d;
  }
  async setRemoteDescription() {
    log.push(`answer for ${this.n}`);
    this.connectionState = "connecting";
    setTimeout(() => {
      if (this.connectionState !== "connecting") return;
      this.connectionState = "connected";
      log.push(`connected ${this.n}`);
      this.onconnectionstatechange?.();
    }, 3 * rtt); // ICE and DTLS
  }
  close(): void {
    if (this.connectionState !== "closed") log.push(`closed ${this.n}`);
    this.connectionState = "closed";
  }
}

let session: Session;
let peer: Peer;

/** Time goes on; a voice comes in by these connections. */
async function passes(ms: number, ...voices: FakePC[]) {
  for (let t = 0; t < ms; t += 10) {
    for (const p of voices) if (t % 20 === 0 && p.connectionState === "connected") p.packets++;
    await vi.advanceTimersByTimeAsync(10);
  }
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("RTCPeerConnection", FakePC);
  vi.stubGlobal("navigator", {});
  FakeSocket.all = [];
  FakePC.all = [];
  FakeSocket.alive = true;
  known = "";
  const kept = new Map<string, string>();
  session = new Session({ role: "caller", lang: "kk", url: "ws://x", storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v) } });
  peer = new Peer(session, "caller");
  session.start();
  session.attentive = peer.active = true;
  await passes(500);
  void peer.warm();
  await passes(500);
  await passes(2000, at(0));
  log = [];
});

afterEach(() => {
  peer.close();
  session.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const at = (n: number) => FakePC.all[n] as FakePC;

test("voice and socket die together: one new connection, whose offer goes out behind the hello without waiting for the welcome", async () => {
  expect(peer.state).toBe("connected");
  for (const s of FakeSocket.all) s.dead = true;
  await passes(1000); // of a round trip of 40 ms: silence and question 350, TCP and upgrade 80, hello and offer 40, ICE and DTLS 120
  const order = ["media.check on 0", "socket 1", "connection 1", "media.offer on 0", "open 1", "hello on 1", "media.offer on 1", "welcome on 1", "answer for 1", "connected 1"];
  expect(log.filter((x) => order.includes(x))).toEqual(order);
  expect(FakePC.all.length, "none is made that is not used").toBe(2);
  expect(peer.state).toBe("connected");
  await passes(800, at(1));
  expect(log.at(-1)).toBe("closed 0");
});

test("a socket that is reset with the line tells more than a question: nothing is asked, and no second socket is opened", async () => {
  await passes(200); // of silence, less than the gap
  const s = FakeSocket.all[0] as FakeSocket;
  s.dead = true;
  s.onclose?.({ code: 1006 });
  await passes(100);
  expect(log.filter((x) => x !== "media.check on 0").slice(0, 2).sort()).toEqual(["connection 1", "socket 1"]);
  await passes(600);
  expect(log.filter((x) => x.startsWith("socket")).length).toBe(1);
  expect(log.filter((x) => x.startsWith("connection")).length).toBe(1);
  const order = ["open 1", "hello on 1", "media.offer on 1", "welcome on 1", "answer for 1", "connected 1"];
  expect(log.filter((x) => order.includes(x))).toEqual(order);
});

test("a socket ends while the page has not looked for long: the voice is looked at before anything is made", async () => {
  vi.setSystemTime(Date.now() + 400);
  at(0).packets += 20; // they came while the page stood still
  const real = performance.now.bind(performance);
  const shifted = vi.spyOn(performance, "now").mockImplementation(() => real() + 400);
  const s = FakeSocket.all[0] as FakeSocket;
  s.dead = true;
  s.onclose?.({ code: 1006 });
  await passes(600, at(0));
  shifted.mockRestore();
  expect(log.filter((x) => x.startsWith("welcome")).length).toBe(1);
  expect(log.filter((x) => x.startsWith("connection"))).toEqual([]);
});

test("a socket that was opened anew since the voice stopped is not opened once more", async () => {
  const s = FakeSocket.all[0] as FakeSocket;
  s.dead = true;
  s.onclose?.({ code: 1006 }); // too soon to tell that the voice has stopped
  await passes(1000);
  expect(log.filter((x) => x.startsWith("socket")).length).toBe(1);
  expect(log.filter((x) => x.startsWith("connected")).length).toBe(1);
  expect(log.filter((x) => x.startsWith("media.offer")).length).toBe(1);
});

test("the socket is away for long: few connections are made for nobody, and the welcome has a fresh one", async () => {
  for (const s of FakeSocket.all) s.dead = true;
  FakeSocket.alive = false;
  await passes(30_000);
  const meanwhile = FakePC.all.length;
  expect(meanwhile, "connections made for nobody").toBeLessThan(5);
  FakeSocket.alive = true;
  for (const s of FakeSocket.all) s.dead = true; // SYNs of the dead network
  for (let i = 0; i < 100; i++) await passes(100, ...FakePC.all.slice(1));
  expect(log.some((x) => x.startsWith("welcome"))).toBe(true);
  expect(peer.state).toBe("connected");
  expect(FakePC.all.filter((p) => p.connectionState === "connected").length).toBe(1);
  const offers = log.slice(log.findIndex((x) => x.startsWith("hello"))).filter((x) => x.startsWith("media.offer"));
  expect(offers.length, "the one that waited, and the fresh one").toBeLessThanOrEqual(2);
});

test("the socket alone dies: the connection stays, and no offer is made", async () => {
  for (const s of FakeSocket.all) s.dead = true;
  await passes(8000, at(0));
  expect(session.link).toBe("open");
  expect(FakeSocket.all.length).toBeGreaterThan(1);
  expect(log.filter((x) => x.startsWith("media.offer") || x.startsWith("connection"))).toEqual([]);
});
