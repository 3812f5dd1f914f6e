import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Bodies, Welcome } from "../lib/wire.gen";
import { Desk, undoMs } from "./desk";
import { card, moment, offer, welcome } from "./fixtures";
import type { Link, PeerPort, SessionPort } from "./ports";

/** A gateway in memory: it notes what it was asked and answers as told. */
class FakeSession implements SessionPort {
  link: Link = "open";
  readonly asked: [string, unknown][] = [];
  readonly refuse = new Map<string, object>();
  readonly #heard = new Map<string, ((body: never) => void)[]>();
  closed = false;

  start(): void {}
  close(): void {
    this.closed = true;
  }

  on<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void {
    this.#heard.set(type, [...(this.#heard.get(type) ?? []), fn as (body: never) => void]);
    return () => this.#heard.delete(type);
  }

  onLink(fn: (link: Link) => void): () => void {
    fn(this.link);
    return () => undefined;
  }

  async request(type: string, body: unknown): Promise<unknown> {
    this.asked.push([type, body]);
    const no = this.refuse.get(type);
    if (no) throw no;
    return type === "chat.send" ? { id: (body as { id: string }).id, chatSeq: 5, atMs: moment } : {};
  }

  say<T extends keyof Bodies>(type: T, body: Bodies[T]): void {
    for (const fn of this.#heard.get(type) ?? []) fn(body as never);
  }

  types(): string[] {
    return this.asked.map(([type]) => type);
  }
}

class FakePeer implements PeerPort {
  readonly did: string[] = [];
  mic: MediaStreamTrack | null = null;
  async warm(): Promise<void> {
    this.did.push("warm");
  }
  setMic(track: MediaStreamTrack | null): void {
    this.mic = track;
    this.did.push("mic");
  }
  setCamera(track: MediaStreamTrack | null): void {
    this.did.push(track ? "camera on" : "camera off");
  }
  onRemote(): () => void {
    return () => undefined;
  }
  onLine(): () => void {
    return () => undefined;
  }
  onTune(): () => void {
    return () => undefined;
  }
  async level(): Promise<undefined> {}
  close(): void {
    this.did.push("close");
  }
}

function fakeTrack() {
  return { enabled: true, stopped: false, stop(this: { stopped: boolean }) { this.stopped = true; }, addEventListener() {} };
}

const node = { connect: (n: unknown) => n, disconnect() {} };
class FakeAudio {
  state = "running";
  currentTime = 0;
  destination = node;
  async resume() {}
  async close() {}
  createMediaStreamSource = () => node;
}
class FakeNode {
  gain = { setValueAtTime() {}, linearRampToValueAtTime() {} };
  fftSize = 32;
  connect = (n: unknown) => n;
  start() {}
  stop() {}
}

function desk(tab = new Map<string, string>()) {
  const session = new FakeSession();
  const peer = new FakePeer();
  const track = fakeTrack();
  const devices = { getUserMedia: vi.fn(async () => ({ getTracks: () => [track] }) as unknown as MediaStream) };
  const storage = {
    getItem: (k: string) => tab.get(k) ?? null, setItem: (k: string, v: string) => void tab.set(k, v), removeItem: (k: string) => void tab.delete(k),
  } as Storage;
  const d = new Desk({ session, makePeer: () => peer, devices, tab: storage, now: () => moment });
  d.start();
  return { d, session, peer, track, devices, tab };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("AudioContext", FakeAudio);
  for (const name of ["OscillatorNode", "GainNode", "AnalyserNode"]) vi.stubGlobal(name, FakeNode);
  vi.stubGlobal("MediaStream", class {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function onDuty(w: Welcome = welcome({ me: { state: "ready" } })) {
  const all = desk(new Map([["jedel.console.duty", '{"state":"ready"}']]));
  all.session.say("welcome", w);
  return all;
}

describe("going on duty", () => {
  test("is ready only after microphone and transport", async () => {
    const { d, session, peer } = desk();
    session.say("welcome", welcome({ me: { state: "off" } }));
    await d.goOnDuty();
    expect(peer.did).toEqual(["mic", "warm"]);
    expect(session.types()).toEqual(["media.status", "duty.set"]);
    expect(d.seat).toMatchObject({ mic: "on", onDuty: true, starting: false });
  });

  test("without a microphone says why and is not ready", async () => {
    const { d, session, devices } = desk();
    session.say("welcome", welcome({ me: { state: "off" } }));
    devices.getUserMedia.mockRejectedValueOnce(new DOMException("", "NotAllowedError"));
    await d.goOnDuty();
    expect(session.types()).not.toContain("duty.set");
    expect(d.seat).toMatchObject({ mic: "denied", onDuty: false });
  });

  test("survives a reload without a click, and is asked for again when the gateway forgot", async () => {
    const { d, session, peer } = onDuty(welcome({ me: { state: "off" } }));
    await settled();
    expect(session.asked).toContainEqual(["duty.set", { state: "ready" }]);
    expect(peer.did).toContain("warm");
    expect(d.seat.onDuty).toBe(true);
  });

  test("a reload without a microphone takes no calls", async () => {
    const all = desk(new Map([["jedel.console.duty", '{"state":"ready"}']]));
    all.devices.getUserMedia.mockRejectedValueOnce(new DOMException("", "NotFoundError"));
    all.session.say("welcome", welcome({ me: { state: "ready" } }));
    await settled();
    expect(all.session.asked).toContainEqual(["duty.set", { state: "busy" }]);
    expect(all.d.seat).toMatchObject({ mic: "none", onDuty: false });
  });

  test("one who missed calls is not made ready by a reload", async () => {
    const { session } = onDuty(welcome({ me: { state: "not_responding" } }));
    await settled();
    expect(session.types()).not.toContain("duty.set");
  });

  test("a supervisor opens no microphone", async () => {
    const { session, devices } = onDuty(welcome({ roles: ["supervisor"] }));
    await settled();
    expect(devices.getUserMedia).not.toHaveBeenCalled();
    expect(session.types()).toEqual([]);
  });

  test("off duty ends microphone and transport", async () => {
    const { d, peer, track, tab } = onDuty();
    await settled();
    await d.setDuty({ state: "off" });
    expect(peer.did).toContain("close");
    expect(track.stopped).toBe(true);
    expect(tab.size).toBe(0);
  });
});

describe("an offer", () => {
  test("of a silent caller is answered with the microphone off", async () => {
    const { d, session, track } = onDuty();
    await settled();
    session.say("offer.made", offer({ kind: "silent", epoch: 2 }));
    const answered = d.accept();
    expect(track.enabled).toBe(false);
    await answered;
    expect(session.asked).toContainEqual(["offer.accept", { call: offer().call, epoch: 2 }]);
  });

  test("answered too late says so and rings on", async () => {
    const { d, session } = onDuty();
    await settled();
    const words = { kk: "кк", ru: "рр", en: "ee" };
    session.refuse.set("offer.accept", { code: "offer_expired", words });
    session.say("offer.made", offer());
    await d.accept();
    expect(d.view.answering).toBe(false);
    expect(d.seat.toast).toMatchObject({ words, bad: true });
  });

  test("is answered once however often the key is pressed", async () => {
    const { d, session } = onDuty();
    await settled();
    session.say("offer.made", offer());
    await Promise.all([d.accept(), d.accept(), d.accept()]);
    expect(session.types().filter((x) => x === "offer.accept")).toHaveLength(1);
  });
});

describe("a call", () => {
  test("of a silent caller stays muted over a reload", async () => {
    const { d, track } = onDuty(welcome({ card: card({ kind: "silent" }) }));
    await settled();
    expect(d.seat.muted).toBe(true);
    expect(track.enabled).toBe(false);
  });

  test("mute and own picture do not go on into the next one", async () => {
    const { d, session, peer } = onDuty();
    await settled();
    session.say("call.card", { card: card({ rev: 1 }) });
    d.mute(true);
    await d.camera(true);
    session.say("call.card", { card: card({ rev: 2, phase: "wrapup" }) });
    await settled();
    expect(d.seat).toMatchObject({ muted: false, camera: "off" });
    expect(peer.did.at(-1)).toBe("camera off");
  });

  test("a chat line stands once, and one that was not taken can be sent again under its id", async () => {
    const { d, session } = onDuty(welcome({ card: card({ chat: [] }) }));
    await settled();
    await d.chat(card().call, "Қару бар ма?", "x1");
    session.say("chat.posted", { call: card().call, item: { id: "x1", chatSeq: 5, from: "operator", text: "Қару бар ма?", atMs: moment } });
    expect(d.view.card?.chat).toHaveLength(1);
    expect(d.seat.outbox).toHaveLength(0);
    session.refuse.set("chat.send", new Error("no answer"));
    await d.chat(card().call, "тағы", "x2");
    expect(d.seat.outbox).toMatchObject([{ id: "x2", failed: true }]);
    session.refuse.clear();
    await d.chat(card().call, "тағы", "x2");
    expect(d.seat.outbox).toHaveLength(0);
  });
});

describe("a call-back task", () => {
  test("is closed after ten seconds", async () => {
    const { d, session } = onDuty();
    await settled();
    d.closeCallBack("cb-1", "reached");
    expect(d.seat.closing).toEqual(["cb-1"]);
    await vi.advanceTimersByTimeAsync(undoMs - 1);
    expect(session.types()).not.toContain("callback.done");
    await vi.advanceTimersByTimeAsync(2);
    expect(session.asked).toContainEqual(["callback.done", { call: "cb-1", outcome: "reached" }]);
  });

  test("can be taken back before that", async () => {
    const { d, session } = onDuty();
    await settled();
    d.closeCallBack("cb-1", "reached");
    d.seat.toast?.undo?.();
    await vi.advanceTimersByTimeAsync(undoMs * 2);
    expect(session.types()).not.toContain("callback.done");
    expect(d.seat.closing).toEqual([]);
  });
});

test("a replaced tab lets go of microphone and transport and rings no more", async () => {
  const { d, session, peer, track } = onDuty();
  await settled();
  session.say("session.replaced", {});
  expect(d.view.replaced).toBe(true);
  expect(peer.did).toContain("close");
  expect(track.stopped).toBe(true);
});
