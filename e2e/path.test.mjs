// The way between caller and gateway dies in the middle of a call. The caller's browser lives in a
// network of its own behind a NAT and 40 ms of round trip (dying.mjs), so that a table can be lost, UDP
// blocked, an address really go and a wire really be cut. What both sides hear is timed in their pages.
// One run of each; node paths.mjs repeats them and holds the goals.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as d from "./dying.mjs";
import * as w from "./world.mjs";

const l = await d.line();
const skip = l.why || false;
let call;

before(async () => {
  if (!skip) call = await d.talking(l);
});

after(async () => {
  await call?.close();
  l.close();
});

async function sameCall() {
  await call.caller.getByText("Operator connected").waitFor();
  assert.match(await call.caller.locator(".facts").innerText(), new RegExp(call.number));
  await call.operator.locator(".callno").getByText(call.number).waitFor();
  await w.hears(call.operator, 440);
  await w.hears(call.caller, 880);
}

/** Times one death and prints it. The limits are those of a machine that does other things too: a page that
 * stood still meanwhile has its standing still forgiven. */
async function dies(what, fn, limit) {
  const r = await d.happens(call, fn);
  const told = (x) => `${x.packets} ms without a packet, ${x.sound} ms without a sound`;
  console.log(`${what}: the operator ${told(r.up)}; the caller ${told(r.down)}; ${r.made} new connections, ${r.way}; pages stood still ${r.up.stall} and ${r.down.stall} ms`);
  await sameCall();
  assert.ok(r.up.packets < limit + 2 * r.up.stall, `the operator hears again after ${r.up.packets} ms`);
  assert.ok(r.down.packets < limit + 2 * r.down.stall, `the caller hears again after ${r.down.packets} ms`);
  return r;
}

test("the socket dies in the middle of a call: the same call, and not a word is lost", { skip }, async () => {
  const was = await d.ways(call.caller);
  const sockets = await call.caller.evaluate(() => window.__sockets.length);
  await d.steady(call.operator);
  const since = await d.mark(call.operator);
  await call.caller.evaluate(() => window.__sockets.at(-1).close(4999));
  await w.until("a new socket is open", () => call.caller.evaluate((n) => window.__sockets.length > n && window.__sockets.at(-1).readyState === 1, sockets));
  await call.caller.locator('main.call[data-stage="talking"]').waitFor();
  await d.later(1000);
  const gap = await d.gaps(call.operator, since);
  assert.ok(gap.packets < 400 + gap.stall, `voice went on without the socket: ${gap.packets} ms without a packet`);
  assert.deepEqual(await d.ways(call.caller), was, "the media way is the same");
  await call.caller.locator(".chat form input:not([type=file])").fill("after the socket");
  await call.caller.keyboard.press("Enter");
  await call.operator.locator(".chat").getByText("after the socket").waitFor();
});

test("on hold nobody speaks, and nothing is made anew for that", { skip }, async () => {
  const was = await d.ways(call.caller);
  const hold = call.operator.locator('.callhead button[aria-pressed]').nth(1);
  await hold.click();
  await call.caller.locator('main.call[data-stage="hold"]').waitFor();
  await d.later(2500);
  await hold.click();
  await d.steady(call.caller, 800);
  assert.equal((await d.ways(call.caller)).made, was.made);
});

test("a NAT loses its table: heard again within a moment", { skip }, () => dies("NAT rebinding", () => l.rebind(true), 2000));

test("the caller is heard no more, but hears: the gateway tells", { skip }, async () => {
  const r = await dies("UDP dead towards the gateway", () => l.set({ blockUDP: true }, {}), 2500);
  assert.match(r.way, /-> (tcp|relay)/);
  await l.heal();
});

test("UDP is blocked in both directions: goes on by another way, and by UDP when it can", { skip }, async () => {
  await w.until("UDP is the way again", async () => (await d.ways(call.caller)).now?.protocol === "udp", 30_000).catch(() => undefined);
  const r = await dies("UDP blocked", () => l.set({ blockUDP: true }), 2500);
  assert.match(r.way, /-> (tcp|relay)/);
  await l.heal();
});

test("the address changes: the same call goes on from the new one", { skip }, async () => {
  await dies("address changed", () => l.address(3), 4000);
  assert.doesNotMatch(l.inside("ip", "addr"), new RegExp(`${l.client}/`), "the old address is gone, so this is the new one");
});

test("the wire is cut for 3 s: told while it lasts, the same call right after", { skip }, async () => {
  await call.caller.evaluate(() => (window.__told = []));
  const began = Date.now();
  await dies("cut for 3 s", async () => {
    await l.set({ blackout: true });
    await d.later(3000);
    await l.heal();
  }, 4500);
  const told = (await call.caller.evaluate(() => window.__told)).find((x) => x.stage === "lost");
  assert.ok(told, "told while it lasts"); // how soon is printed: a figure, not a verdict
  console.log(`told ${told.at - began} ms after the cut`);
});
