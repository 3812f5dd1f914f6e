// A line that dies in a call.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
let b2;
let operator;
before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
  b2 = await w.browser({ wav: w.tone(880) });
});
after(async () => {
  await b?.close();
  await b2?.close();
  await g?.stop();
});

async function duty() {
  operator = await (await w.context(b2, { viewport: { width: 1366, height: 768 } })).newPage();
  await w.onDuty(operator, g);
}

async function answered(options = {}, script) {
  const c = await w.context(b, { lang: "en-GB", ...options });
  await c.addInitScript(() => {
    window.__locks = [];
    // A machine without a screen has no lock to give: what the page asks for is what counts.
    Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
      const l = { kind, released: false, release: async () => void (l.released = true) };
      window.__locks.push(l);
      return l;
    } } });
    const Real = WebSocket;
    window.__sockets = [];
    window.WebSocket = class extends Real { constructor(...a) { super(...a); window.__sockets.push(this); } };
    window.__constraints = [];
    const take = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (want) => { window.__constraints.push(JSON.stringify(want)); return take(want); };
  });
  if (script) await c.addInitScript(script.fn, script.arg);
  const page = await c.newPage();
  await page.goto(g.url);
  await page.locator(".callbutton").click();
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  return page;
}

async function over(page) {
  await page.locator(".end").click();
  await page.locator(".end").click();
  await page.locator(".ended").waitFor();
  await operator.getByText("Результат").first().waitFor();
  await operator.locator("label", { hasText: "Другое" }).first().click();
  await operator.locator("label", { hasText: "Дана консультация" }).first().click();
  await operator.keyboard.press("F10");
  await operator.getByText("Звонок оформлен").first().waitFor();
}

test("an operator goes on duty", duty);

test("another network, a dead socket, a silent gateway: the same call, no tap", async () => {
  const page = await answered();
  await w.hears(operator, 440);
  const number = /\d\d-\d{6}/.exec(await page.locator(".facts").innerText())[0];
  // A word of another network while the voice flows changes nothing: what really changes is in path.test.mjs.
  const ways = () => page.evaluate(() => window.__pcs.filter((p) => p.connectionState !== "closed").map((p) => /ice-ufrag:(\S+)/.exec(p.localDescription.sdp)[1]).join());
  const was = await ways();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await w.hears(operator, 440);
  assert.equal(await ways(), was, "the way that carries the voice is kept");
  await page.locator(".chat form input:not([type=file])").fill("typed before the loss");
  await page.evaluate(() => window.__sockets.at(-1).close());
  await w.until("a new socket", () => page.evaluate(() => window.__sockets.length > 1 && window.__sockets.at(-1).readyState === 1));
  assert.equal(await page.locator(".chat form input:not([type=file])").inputValue(), "typed before the loss", "typed text is kept");
  await page.keyboard.press("Enter");
  await page.locator(".chat form button[type=submit]").click().catch(() => undefined);
  await operator.getByText("typed before the loss").first().waitFor();
  process.kill(g.child.pid, "SIGSTOP");
  const stopped = Date.now();
  await page.getByText("Connection lost. Reconnecting… Your call is kept.").first().waitFor({ timeout: 20000 });
  const told = Date.now() - stopped;
  process.kill(g.child.pid, "SIGCONT");
  const back = Date.now();
  await w.hears(operator, 440);
  console.log(`goal 7: loss told after ${told} ms, voice back ${Date.now() - back} ms after the return (half a second of it is listening)`);
  assert.equal(/\d\d-\d{6}/.exec(await page.locator(".facts").innerText())[0], number);
  await over(page);
});
