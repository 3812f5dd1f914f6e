// What the gateway says of a weak line (media.tune) is done by the page, told to people, and taken back by
// itself. The word is put on the caller's own socket, as the gateway's would come: whether it comes is tested
// beside the rate (media); here it is what becomes of it in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as d from "./dying.mjs";
import * as w from "./world.mjs";

let g;
let b;
let caller;
let operator;

before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
  const co = await w.context(b, { lang: "ru-RU", viewport: { width: 1366, height: 768 }, theme: "dark" });
  await w.sockets(co);
  operator = await co.newPage();
  await w.onDuty(operator, g);
});

after(async () => {
  await b?.close();
  await g?.stop();
});

let rev = 1000;
/** Says so by the socket that the page listens to: one that it has only begun to open beside it may be newer. */
const says = async (page, tune) => {
  await page.waitForFunction(() => window.__sockets.some((s) => s.readyState === 1 && s.onmessage));
  await page.evaluate((body) => window.__sockets.findLast((s) => s.readyState === 1 && s.onmessage).onmessage({ data: JSON.stringify({ type: "media.tune", seq: 0, body: { ...body, pc: window.__pc } }) }),
    { rev: ++rev, red: false, jitterMs: 0, video: "on", videoKbps: 0, leastKbps: 0, shown: "on", why: "", ...tune });
};

/** What the page sends and how it listens. */
const media = (page) =>
  page.evaluate(async () => {
    const pc = window.__pcs.filter((p) => p.connectionState === "connected").at(-1);
    const sent = async () => {
      const out = {};
      (await pc.getStats()).forEach((s) => s.type === "outbound-rtp" && (out[s.kind] = { bytes: s.bytesSent, packets: s.packetsSent }));
      return out;
    };
    const a = await sent();
    await new Promise((r) => setTimeout(r, 700));
    const z = await sent();
    const video = pc.getSenders().find((s) => s.track?.kind === "video");
    return {
      perPacket: (z.audio.bytes - a.audio.bytes) / Math.max(1, z.audio.packets - a.audio.packets),
      pictures: (z.video?.packets ?? 0) - (a.video?.packets ?? 0),
      encoding: video?.getParameters().encodings[0],
      prefers: video?.getParameters().degradationPreference,
      hint: video?.track.contentHint,
      targets: pc.getReceivers().filter((r) => r.track.kind === "audio").map((r) => r.jitterBufferTarget),
      nack: /a=rtcp-fb:111 nack/.test(pc.remoteDescription.sdp),
      least: Number(/x-google-min-bitrate=(\d+)/.exec(pc.remoteDescription.sdp)?.[1] ?? 0),
    };
  });

for (const [lang, words] of [["kk-KZ", "Байланыс әлсіз: қазір тек дауыс беріледі"], ["ru-RU", "Слабая связь: сейчас идёт только голос"], ["en-US", "Weak connection: only the voice goes"]]) {
  test(`a weak line: done, told and taken back, in ${lang}`, async () => {
    const dark = lang === "ru-RU";
    const c = await w.context(b, { lang, viewport: lang === "en-US" ? { width: 1280, height: 800 } : { width: 390, height: 844 }, theme: dark ? "dark" : "light", permissions: ["geolocation", "microphone", "camera"] });
    await w.sockets(c);
    caller = await c.newPage();
    await caller.goto(g.url);
    await caller.locator('.linkline[data-open="true"]').waitFor();
    await caller.locator(".callbutton").click();
    await operator.locator(".offer .go").waitFor();
    await operator.keyboard.press("F2");
    await w.hears(operator, 440);
    await caller.locator("video.preview").waitFor();
    const plain = await media(caller);
    const full = lang === "kk-KZ"; // what is done is the same in every language
    assert.ok(plain.nack, "audio may be asked for again");
    assert.equal(plain.least, 0);
    assert.equal(plain.hint, "motion");
    assert.ok(plain.pictures > 0);

    if (full) {
      await says(caller, { red: true, jitterMs: 200, video: "thin", videoKbps: 150, leastKbps: 100, why: "loss" });
      await w.until("the word is obeyed", async () => (await media(caller)).encoding.maxFramerate === 20);
      const thin = await media(caller);
      assert.deepEqual([thin.encoding.maxBitrate, thin.encoding.scaleResolutionDownBy, thin.encoding.active], [150000, 2, true]);
      assert.equal(thin.prefers, "maintain-framerate");
      assert.ok(thin.targets.every((t) => t === 200), `${thin.targets}`);
      assert.equal(thin.least, 100, "what is lost is repeated at no less");
      assert.ok(thin.perPacket > 1.4 * plain.perPacket, `RED is sent: ${plain.perPacket} -> ${thin.perPacket} bytes a packet`);
      await w.hears(operator, 440);
      assert.equal(await caller.locator(".heldback").count(), 0, "thin video is no news");
    }

    await says(caller, { red: true, jitterMs: 200, video: "off", shown: "off", why: "slow" });
    await says(operator, { video: "on", shown: "off", why: "slow" });
    await caller.getByText(words).waitFor();
    await operator.locator(".stage .held").waitFor();
    await operator.locator('.linenow[data-line="voice"]').waitFor();
    if (full) {
      await d.later(4500); // longer than a pause in speech
      await operator.locator('.linenow[data-line="voice"]').waitFor();
      await w.until("no picture is sent", async () => (await media(caller)).pictures === 0);
      await w.hears(operator, 440);
    }
    await w.shot(caller, `weak-${lang}`);
    await w.shot(operator, `weak-console-${lang}`);

    await says(caller, {});
    await says(operator, {});
    await w.until("pictures are sent again", async () => (await media(caller)).pictures > 0);
    await caller.locator("video.preview").waitFor();
    assert.equal(await caller.locator(".heldback").count(), 0);
    assert.equal(await operator.locator(".stage .held").count(), 0);
    const again = full ? await media(caller) : plain;
    if (full) assert.ok(again.targets.every((t) => t === null), `${again.targets}`);
    if (full) assert.ok(again.perPacket < 1.2 * plain.perPacket, "plain Opus again");
    if (full) assert.equal(again.least, 0);
    if (full) await w.hears(operator, 440);
    assert.equal((await d.ways(caller)).made, 1, "nothing of it needs a new connection");
    await w.hangUp(caller);
    await c.close();
    await w.wrapUp(operator);
  });
}
