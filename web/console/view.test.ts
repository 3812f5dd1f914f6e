import { describe, expect, test } from "vitest";
import { card, consoleState, fix, item, offer, welcome } from "./fixtures";
import { answers, live, next, nothing, ringing, serverNow } from "./view";

const at = 1_000_000;
const known = next(nothing, { type: "welcome", body: welcome() }, at);

test("a welcome is the whole state: what was known before is forgotten", () => {
  const inCall = next(known, { type: "call.card", body: { card: card() } }, at);
  const again = next(inCall, { type: "welcome", body: welcome() }, at);
  expect(again.card).toBeUndefined();
  expect(again.known).toBe(true);
});

test("a reload in mid-call finds its card in the welcome", () => {
  const v = next(nothing, { type: "welcome", body: welcome({ card: card({ phase: "talking" }) }) }, at);
  expect(v.card?.phase).toBe("talking");
  expect(live(v.card)).toBe(true);
});

test("the skew of the clocks is kept from the welcome", () => {
  const v = next(nothing, { type: "welcome", body: { ...welcome(), nowMs: at + 5000 } }, at);
  expect(serverNow(v, at + 10)).toBe(at + 5010);
});

describe("offers", () => {
  const rung = next(known, { type: "offer.made", body: offer({ epoch: 3, expiresMs: at + 12_000 }) }, at);

  test("an offer rings until it expires even if its withdrawal is lost", () => {
    const v = { ...rung, skewMs: 0 };
    expect(ringing(v, at)?.epoch).toBe(3);
    expect(ringing(v, at + 12_500)?.epoch).toBe(3);
    expect(ringing(v, at + 14_000)).toBeUndefined();
  });

  test("a withdrawal says why and by whom", () => {
    const v = next(rung, { type: "offer.withdrawn", body: { call: rung.offer?.call ?? "", epoch: 3, why: "taken", by: "Ерлан Т." } }, at);
    expect(v.offer).toBeUndefined();
    expect(v.gone).toMatchObject({ why: "taken", by: "Ерлан Т." });
  });

  test("the ring that ends because we answered is not told as another's", () => {
    const answering = next(rung, { type: "local.answering", epoch: 3, on: true }, at);
    const v = next(answering, { type: "offer.withdrawn", body: { call: rung.offer?.call ?? "", epoch: 3, why: "taken", by: "Ерлан Т." } }, at);
    expect(v.offer).toBeUndefined();
    expect(v.gone).toBeUndefined();
  });

  test("the withdrawal of an older offer of the same call changes nothing", () => {
    const v = next(rung, { type: "offer.withdrawn", body: { call: rung.offer?.call ?? "", epoch: 2, why: "expired" } }, at);
    expect(v).toBe(rung);
  });

  test("an older offer that comes late does not replace the newer", () => {
    expect(next(rung, { type: "offer.made", body: offer({ epoch: 2 }) }, at).offer?.epoch).toBe(3);
  });

  test("answering ends when the card comes, and can be taken back after a refusal", () => {
    const answering = next(rung, { type: "local.answering", epoch: 3, on: true }, at);
    expect(answering.answering).toBe(true);
    expect(next(answering, { type: "local.answering", epoch: 3, on: false }, at).answering).toBe(false);
    const v = next(answering, { type: "call.card", body: { card: card({ call: rung.offer?.call ?? "" }) } }, at);
    expect(v).toMatchObject({ answering: false, offer: undefined });
    expect(v.card?.call).toBe(rung.offer?.call);
  });

  test("a replaced tab rings no more", () => {
    expect(next(rung, { type: "session.replaced", body: {} }, at)).toMatchObject({ replaced: true, offer: undefined });
  });
});

describe("the card", () => {
  const talking = next(known, { type: "call.card", body: { card: card({ rev: 7, chat: [item("a", 1)], track: [fix({ serverMs: 10 })] }) } }, at);

  test("an older card of the call is ignored", () => {
    expect(next(talking, { type: "call.card", body: { card: card({ rev: 6, note: "old" }) } }, at)).toBe(talking);
  });

  test("an ended card leaves the desk, the ended card of another call does not", () => {
    expect(next(talking, { type: "call.card", body: { card: card({ rev: 8, phase: "ended" }) } }, at).card).toBeUndefined();
    expect(next(talking, { type: "call.card", body: { card: card({ call: "other", rev: 99, phase: "ended" }) } }, at).card).toBe(talking.card);
  });

  test("a position is added once it is newer, up to the limit of the protocol", () => {
    const moved = next(talking, { type: "position.moved", body: { call: talking.card?.call ?? "", fix: fix({ serverMs: 20 }) } }, at);
    expect(moved.card?.track.map((f) => f.serverMs)).toEqual([10, 20]);
    const late = next(moved, { type: "position.moved", body: { call: talking.card?.call ?? "", fix: fix({ serverMs: 15 }) } }, at);
    expect(late.card?.track).toHaveLength(2);
    let v = talking;
    for (let i = 0; i < 300; i++) v = next(v, { type: "position.moved", body: { call: v.card?.call ?? "", fix: fix({ serverMs: 100 + i }) } }, at);
    expect(v.card?.track).toHaveLength(200);
    expect(v.card?.track.at(-1)?.serverMs).toBe(399);
  });

  test("news of another call changes nothing", () => {
    const v = next(talking, { type: "position.moved", body: { call: "other", fix: fix({ serverMs: 99 }) } }, at);
    expect(v).toBe(talking);
  });

  test("a chat line told twice stands once, in its order", () => {
    const call = talking.card?.call ?? "";
    let v = next(talking, { type: "chat.posted", body: { call, item: item("c", 3) } }, at);
    v = next(v, { type: "chat.posted", body: { call, item: item("b", 2) } }, at);
    v = next(v, { type: "chat.posted", body: { call, item: item("b", 2) } }, at);
    expect(v.card?.chat.map((i) => i.id)).toEqual(["a", "b", "c"]);
    expect(v.unread).toBe(2);
    expect(next(v, { type: "local.seen" }, at).unread).toBe(0);
  });

  test("the list that says we are idle since after the card takes the card away", () => {
    const since = talking.card?.sinceMs ?? 0;
    const idle = (sinceMs: number) => next(talking, { type: "console.state", body: consoleState({ state: "ready", sinceMs }) }, at);
    expect(idle(since - 1).card).toBeDefined();
    expect(idle(since + 1).card).toBeUndefined();
  });

  test("an older list is ignored", () => {
    const v = next(talking, { type: "console.state", body: { ...consoleState(), rev: 0 } }, at);
    expect(v).toBe(talking);
  });
});

test("a supervisor looks on, an operator or a dispatcher answers", () => {
  expect(answers({ staff: "s", name: "", roles: ["dispatcher"] })).toBe(true);
  for (const role of ["camera", "navigation"]) expect(answers({ staff: "s", name: "", roles: [role] })).toBe(false);
  expect(answers({ staff: "s", name: "", roles: ["supervisor"] })).toBe(false);
  expect(answers({ staff: "s", name: "", roles: ["supervisor", "operator"] })).toBe(true);
  expect(answers(undefined)).toBe(false);
});
