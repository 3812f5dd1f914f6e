import { expect, test } from "vitest";
import { Guest, type GuestLine } from "./guest";
import type { Bodies, GuestView } from "./wire.gen";

const view = (change: Partial<GuestView> = {}): GuestView => ({
  call: "c1", number: "26-000001", kind: "video", phase: "talking", rev: 5, as: "supervisor", mode: "listen", operator: "A.", guests: [], recording: { state: "recording", lagMs: 0 }, ...change,
});

/** A session that answers at once, and a page that notes what its devices were told. */
function world(mic = true) {
  const did: string[] = [];
  const heard = new Map<string, (b: never) => void>();
  let rev = 5;
  let refuse = "";
  const line: GuestLine = {
    on: (type, fn) => {
      heard.set(type, fn as (b: never) => void);
      return () => heard.delete(type);
    },
    request: async (type, body) => {
      did.push(`${type} ${(body as { mode?: string }).mode ?? ""}`.trim());
      if (type === refuse) throw new Error("refused");
      if (type === "call.join") return { view: view({ rev: ++rev, mode: (body as Bodies["call.join"]).mode }) };
      if (type === "call.mode") tell(view({ rev: ++rev, mode: (body as Bodies["call.mode"]).mode }));
      if (type === "call.leave") tell(view({ rev: ++rev, mode: undefined, why: "left" }));
      return {};
    },
  };
  const tell = (v: GuestView) => heard.get("guest.state")?.({ view: v } as never);
  const welcome = (guest?: GuestView) => heard.get("welcome")?.({ guest } as never);
  const guest = new Guest(line, {
    hear: async () => void did.push("hear"),
    speak: async (on) => {
      did.push(on ? "mic on" : "mic off");
      return mic || !on;
    },
  });
  return { guest, did, tell, welcome, refuse: (type: string) => void (refuse = type) };
}

test("one tap listens, without a microphone; speaking opens it", async () => {
  const w = world();
  await w.guest.join("c1");
  expect(w.did).toEqual(["hear", "call.join listen"]);
  await w.guest.setMode("speak");
  expect(w.did.slice(2)).toEqual(["call.mode speak", "mic on"]);
  expect(w.guest.view?.mode).toBe("speak");
});

test("the microphone is shut before nobody hears it", async () => {
  const w = world();
  await w.guest.join("c1", "whisper");
  await w.guest.setMode("listen");
  expect(w.did.slice(-2)).toEqual(["mic off", "call.mode listen"]);
  await w.guest.leave();
  expect(w.guest.view).toBeUndefined();
  expect(w.guest.out?.why).toBe("left");
});

test("without a microphone one listens, and is told", async () => {
  const w = world(false);
  await w.guest.join("c1");
  await expect(w.guest.setMode("speak")).rejects.toThrow("no microphone");
  expect(w.guest.view?.mode).toBe("listen");
});

test("a refusal opens no microphone and changes nothing", async () => {
  const w = world();
  w.refuse("call.join");
  await expect(w.guest.join("c1", "speak")).rejects.toThrow();
  expect(w.did).not.toContain("mic on");
  expect(w.guest.view).toBeUndefined();
});

test("an older view is ignored; the end shuts the microphone and says why", async () => {
  const w = world();
  await w.guest.join("c1", "speak");
  w.tell(view({ rev: 1, mode: "whisper" }));
  expect(w.guest.view?.mode).toBe("speak");
  w.tell(view({ rev: 99, mode: undefined, why: "unassigned" }));
  expect(w.guest.out?.why).toBe("unassigned");
  expect(w.did.at(-1)).toBe("mic off");
});

test("whoever owns the call now keeps the microphone", async () => {
  const w = world();
  await w.guest.join("c1", "speak");
  w.tell(view({ rev: 99, mode: undefined, why: "owner" }));
  expect(w.did).not.toContain("mic off");
});

test("a page that comes back hears at once and speaks only after a tap", async () => {
  const w = world();
  w.welcome(view({ mode: "speak" }));
  await Promise.resolve();
  expect(w.did).toContain("hear");
  expect(w.did).toContain("call.mode listen");
  expect(w.did).not.toContain("mic on");
  w.welcome(undefined);
  expect(w.guest.out?.why).toBe("ended");
});
