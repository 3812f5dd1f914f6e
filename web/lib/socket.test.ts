import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Session } from "./socket";

/** A socket whose other end is the test. */
class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string; seq: number }[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  constructor() {
    FakeSocket.all.push(this);
  }
  send(x: string): void {
    this.sent.push(JSON.parse(x));
  }
  close(): void {
    this.closed = true;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(type: string, re = 0, body: unknown = {}): void {
    this.onmessage?.({ data: JSON.stringify({ type, re, seq: 1, body }) });
  }
  ends(code = 1006): void {
    this.onclose?.({ code });
  }
}

let session: Session;

/** A session in a call, welcomed over the first socket. */
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  const kept = new Map<string, string>();
  session = new Session({ role: "caller", lang: "kk", url: "ws://x", storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v) } });
  session.start();
  session.attentive = true;
  FakeSocket.all[0]?.opens();
  FakeSocket.all[0]?.says("welcome", 1, { client: "c", key: "k", iceServers: [] });
});

afterEach(() => {
  session.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const at = (i: number) => FakeSocket.all[i] as FakeSocket;

test("the first socket that opens takes over, and says hello as the same client", async () => {
  const lost = session.request("chat.send", { call: "c", id: "1", text: "help" }, { again: true });
  session.hurry();
  session.hurry(); // once is enough
  expect(FakeSocket.all.length).toBe(2);
  expect(session.link).toBe("open");
  at(1).opens();
  expect(at(0).closed).toBe(true);
  expect(at(1).sent[0]).toMatchObject({ type: "hello", seq: 1, body: { resume: { client: "c", key: "k" } } });
  at(1).says("welcome", 1, { client: "c", key: "k", iceServers: [] });
  expect(session.link).toBe("open");
  const again = at(1).sent.find((m) => m.type === "chat.send");
  expect(again, "what was not answered is asked again").toBeDefined();
  at(1).says("chat.sent", again?.seq, { id: "1" });
  await expect(lost).resolves.toEqual({ id: "1" });
});

test("what need not wait for the welcome goes out behind the hello, once, and nothing else does", async () => {
  const early = session.request("media.offer", { pc: "p", sdp: "v=0" }, { again: true, early: true });
  void session.request("chat.send", { call: "c", id: "1", text: "help" }, { again: true }).catch(() => undefined);
  const gone = new AbortController();
  const given = session.request("media.offer", { pc: "q", sdp: "v=0" }, { again: true, early: true, signal: gone.signal });
  gone.abort();
  await expect(given).rejects.toThrow("unavailable");
  session.hurry();
  at(1).opens();
  expect(at(1).sent.map((m) => m.type)).toEqual(["hello", "media.offer"]);
  at(1).says("welcome", 1, { client: "c", key: "k", iceServers: [] });
  expect(at(1).sent.map((m) => m.type)).toEqual(["hello", "media.offer", "chat.send"]);
  at(1).says("media.answer", 2, { sdp: "v=0" });
  await expect(early).resolves.toEqual({ sdp: "v=0" });
});

test("a socket that speaks after all is kept, and the others are let go", () => {
  session.hurry();
  at(0).says("pong", 0);
  expect(at(1).closed).toBe(true);
  at(1).opens();
  expect(at(1).sent).toEqual([]);
  expect(at(0).closed).toBe(false);
});

test("a dead network gets a few sockets, ever later, and not one after the other for ever", () => {
  session.hurry();
  vi.advanceTimersByTime(60_000);
  const spares = FakeSocket.all.filter((s) => s.sent.length === 0).length;
  expect(spares).toBeGreaterThan(3);
  expect(spares).toBeLessThan(30); // with the ordinary attempts beside them
});

test("in a call a socket that closes is replaced at once", () => {
  at(0).ends();
  expect(FakeSocket.all.length).toBe(2);
  at(1).ends();
  expect(FakeSocket.all.length, "but not again and again").toBe(2);
});
