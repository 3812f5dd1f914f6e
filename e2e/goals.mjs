// Prints what the caller's page reaches of its goals: weight, time to the button, time to the ring,
// taps, permissions. The link of the caller is a slow one of our own (TCP through a relay that delays
// and meters), because the browser's throttling leaves WebSockets alone; the processor is slowed by
// the browser. Media goes its own way, undelayed: what is said of voice is without the distance.
import net from "node:net";
import { matrix } from "./matrix.mjs";
import * as w from "./world.mjs";

const rtt = 400;
const kbit = 400;
const slower = 4;
const runs = Number(process.env.RUNS ?? 20);
const rows = [];
const row = (goal, what, value, limit, ok) => rows.push({ goal, what, value, limit, ok });
const p95 = (list) => [...list].sort((a, b) => a - b)[Math.ceil(list.length * 0.95) - 1];
const later = (ms) => new Promise((r) => setTimeout(r, ms));

/** A relay to the gateway: half a round trip each way, one more at the opening, so many bits a second
 * for all connections of one direction together. */
function relay(port) {
  const pass = (from, to, lane, extra) => {
    from.on("data", (b) => {
      const now = Date.now();
      lane.free = Math.max(lane.free, now) + (b.length * 8) / kbit;
      const at = lane.free + rtt / 2 + extra();
      from.pause();
      setTimeout(() => from.resume(), Math.max(0, lane.free - now));
      setTimeout(() => to.writable && to.write(b), at - now);
    });
    from.on("end", () => setTimeout(() => to.end(), rtt / 2));
    from.on("error", () => to.destroy());
  };
  const up = { free: 0 };
  const down = { free: 0 };
  const server = net.createServer({ highWaterMark: 4096 }, (a) => {
    const b = net.connect({ port, host: "127.0.0.1", highWaterMark: 4096 });
    const opened = Date.now();
    pass(a, b, up, () => Math.max(0, rtt - (Date.now() - opened))); // SYN and its answer
    pass(b, a, down, () => 0);
  });
  return new Promise((ok) => server.listen(0, "127.0.0.1", () => ok({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() })));
}

/** Counts the bytes of a page and slows its processor. */
async function metered(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: slower });
  const m = { bytes: 0, foreign: 0 };
  cdp.on("Network.loadingFinished", (e) => (m.bytes += e.encodedDataLength));
  page.on("request", (r) => !r.url().startsWith("http://127.0.0.1") && !r.url().startsWith("blob:") && m.foreign++);
  return m;
}

const painted = (page) => page.evaluate(() => new Promise((ok) => {
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const look = () => (seen() ? ok(seen()) : setTimeout(look, 20));
  look();
}));

/** When the page's own script has drawn, by the page's clock; noted as it happens. */
const noteDrawn = () =>
  addEventListener("DOMContentLoaded", () => new MutationObserver((_, o) => {
    if (!document.querySelector(".linkline")) return;
    window.__drawn = performance.now();
    o.disconnect();
  }).observe(document, { subtree: true, childList: true }));

async function weightAndPaint(link, b) {
  const c = await w.context(b, { lang: "kk-KZ", viewport: { width: 360, height: 740 } });
  await c.addInitScript(noteDrawn);
  const page = await c.newPage();
  const m = await metered(page);
  await page.goto(link.url, { waitUntil: "commit" });
  const fcp = await painted(page);
  await page.locator('.linkline[data-open="true"]').waitFor({ timeout: 60000 });
  row(1, "bytes over the wire until the link is open", m.bytes, 60 * 1024, m.bytes <= 60 * 1024);
  row(1, "requests to others", m.foreign, 0, m.foreign === 0);
  row(2, "button painted, cold, ms", Math.round(fcp), 1800, fcp <= 1800);
  const drawn = await page.evaluate(() => window.__drawn);
  row(2, "script drawn, cold, ms (a tap counts from the paint on)", Math.round(drawn), 2000, drawn <= 2000);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await later(3000);
  await page.reload({ waitUntil: "commit" });
  await page.locator('.linkline[data-open="true"]').waitFor({ timeout: 60000 });
  const again = await painted(page);
  row(2, "button painted, from the service worker, ms", Math.round(again), 300, again <= 300);
  await c.close();
}

async function signIn(g, b) {
  const page = await (await w.context(b, { lang: "en-US", viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${g.url}/console`);
  await page.locator("input").nth(0).fill("operator");
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText("Go on duty").waitFor();
  await page.evaluate(() => new MutationObserver(() => {
    if (document.querySelector(".offer .go")) window.__rang ??= Date.now();
  }).observe(document, { subtree: true, childList: true }));
  await page.keyboard.press("F2");
  return page;
}

async function ring(g, link, b, operator) {
  const c = await w.context(b, { lang: "en-US", viewport: { width: 360, height: 740 } });
  const page = await c.newPage();
  await metered(page);
  await page.goto(link.url);
  await page.locator('.linkline[data-open="true"]').waitFor({ timeout: 60000 });
  await page.evaluate(() => {
    addEventListener("click", (e) => {
      if (!e.target.closest(".callbutton")) return;
      window.__tap = Date.now();
      const begin = performance.now();
      new MutationObserver((_, o) => {
        if (!document.querySelector("main.call")) return;
        o.disconnect();
        requestAnimationFrame(() => (window.__felt = performance.now() - begin));
      }).observe(document, { subtree: true, childList: true });
    }, true);
    window.__voice = new Promise((ok) => {
      const look = async () => {
        for (const pc of window.__pcs) {
          for (const s of (await pc.getStats()).values()) if (s.type === "outbound-rtp" && s.kind === "audio" && s.packetsSent > 0 && window.__tap) return ok(Date.now() - window.__tap);
        }
        setTimeout(look, 20);
      };
      void look();
    });
  });
  const out = { ring: [], felt: [], voice: [] };
  for (let i = 0; i < runs; i++) {
    await later(1500);
    await operator.evaluate(() => (window.__rang = undefined));
    await page.locator(".callbutton").click();
    const rang = await w.until("the console rings", () => operator.evaluate(() => window.__rang), 20000);
    const t = await page.evaluate(async (first) => ({ tap: window.__tap, felt: window.__felt, voice: first ? await window.__voice : 0 }), i === 0);
    out.ring.push(rang - t.tap);
    out.felt.push(t.felt);
    if (t.voice) out.voice.push(t.voice);
    await page.locator(".end").click();
    await page.locator('.end[data-sure="true"]').click();
    await page.locator(".ended").waitFor();
    await page.locator(".ended button").last().click();
    await w.until("the offer is gone", async () => (await operator.locator(".offer .go").count()) === 0);
  }
  await c.close();
  row(3, `tap to ring, p95 of ${runs}, ms`, p95(out.ring), 1000, p95(out.ring) <= 1000);
  row(3, `tap to the page's own answer, p95 of ${runs}, ms`, Math.round(p95(out.felt)), 100, p95(out.felt) <= 100);
  row(4, "tap to the first voice packet leaving (fast media), ms", out.voice[0], 500, out.voice[0] <= 500);
}

async function taps(g, b) {
  let bad = 0;
  let n = 0;
  for (const lang of ["kk-KZ", "ru-RU", "en-US"]) for (const width of [320, 430]) for (const theme of ["light", "dark"]) {
    const c = await w.context(b, { lang, theme, viewport: { width, height: 740 } });
    await c.addInitScript(() => {
      window.__acts = 0;
      for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, (e) => e.isTrusted && window.__acts++, true);
    });
    const page = await c.newPage();
    await page.goto(g.url);
    await page.locator(".callbutton").click();
    await page.getByText(/\d\d-\d{6}/).first().waitFor();
    n++;
    if ((await page.evaluate(() => window.__acts)) !== 1) bad++;
    await page.locator(".end").click();
    await page.locator('.end[data-sure="true"]').click();
    await page.locator(".ended").waitFor();
    await c.close();
  }
  row(5, `one act to a registered call, of ${n} (3 languages, 320 and 430 px, 2 themes)`, n - bad, n, bad === 0);
}

const g = await w.gateway();
const link = await relay(g.port);
const b = await w.browser({ wav: w.tone(440) });
const bo = await w.browser({ wav: w.tone(880) });
try {
  await weightAndPaint(link, b);
  await taps(g, b);
  const cells = await matrix(g);
  const good = cells.filter((c) => c.wrong.length === 0).length;
  row(6, `cells registered with the right words, of ${cells.length} (25 and 4 of the camera)`, good, cells.length, good === cells.length);
  for (const c of cells.filter((x) => x.wrong.length > 0)) console.log(JSON.stringify(c));
  await ring(g, link, b, await signIn(g, bo));
} finally {
  await b.close();
  await bo.close();
  link.close();
  await g.stop();
}
console.log(`caller's page, ${kbit} kbit/s, ${rtt} ms there and back, processor ${slower} times slower`);
console.log("goal  reached      wanted  ");
for (const r of rows) console.log(`${String(r.goal).padEnd(6)}${String(r.value).padStart(8)} ${r.ok ? " " : "!"} ${String(r.limit).padStart(8)}  ${r.what}`);
console.log("7     cut wires, changed addresses: node --test path.test.mjs prints them");
process.exit(0);
