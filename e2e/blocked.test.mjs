// Callers behind firewalls: no UDP, or nothing but the port of the pages. Each caller's browser lives in a
// network of its own, 40 ms of round trip away, whose firewall is ours. Where a namespace or a
// TUN device cannot be made the tests say so and are skipped.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const id = process.pid % 100000;
const [ns, home] = [`jb${id}`, `jbh${id}`];
const net = `10.${128 + (process.pid % 64)}.${(process.pid >> 6) % 250}`;
const { run } = w;
const inside = (...a) => run("ip", "netns", "exec", ns, ...a);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-blocked-"));
const halfTrip = 20; // ms
const [metricsPort, ctl] = [await w.freePort(), await w.freePort()];

let link; // the process that is the wire
let g;
let bOperator;
let operator;
let bCaller;
let page;

/** Joins the namespace with this one by a wire that takes its time. */
async function wire() {
  w.netimpair(path.join(dir, "netimpair"));
  run("ip", "netns", "add", ns);
  run("ip", "netns", "attach", home, String(process.pid));
  const delay = JSON.stringify({ up: { delayMs: halfTrip }, down: { delayMs: halfTrip } });
  link = spawn(path.join(dir, "netimpair"), ["-a", `${ns},wire,${net}.2/24`, "-b", `${home},${ns}b,${net}.1/24`, "-ctl", `127.0.0.1:${ctl}`, "-set", delay], { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  link.stderr.on("data", (b) => (words += b));
  inside("ip", "link", "set", "lo", "up");
  await w.until(`the wire is there ${words}`, () => {
    if (link.exitCode !== null) throw new Error(words);
    return inside("ip", "addr", "show", "wire").includes(`${net}.2`) && run("ip", "addr", "show", `${ns}b`).includes(`${net}.1`);
  }, 3000);
  inside("ip", "route", "add", "default", "via", `${net}.1`);
  w.chromiumIn(ns, path.join(dir, "chromium"));
}

let skip = false;
try {
  await wire();
} catch (e) {
  skip = `no network of its own can be made here: ${String(e.stderr ?? e.message).trim()}`;
}

/** What the network lets through: netimpair's settings for both directions. They drop in silence, as firewalls do; a route that
 * refuses would tell the browser at once. */
const firewall = async (rules) => {
  const way = { delayMs: halfTrip, ...rules };
  const res = await fetch(`http://127.0.0.1:${ctl}/set`, { method: "POST", body: JSON.stringify({ up: way, down: way }) });
  assert.equal(res.status, 200);
};

// The gateway stands at an address that is not this machine's own loopback: its metrics get one there.
const config = path.join(dir, "jedel.yaml");
const cameraPort = await w.freePort();
fs.writeFileSync(config, `metrics:\n  listen: "127.0.0.1:${metricsPort}"\ncameras:\n  list:\n    - {id: yard, name: {kk: "Аула", ru: "Двор", en: "Yard"}, url: "rtsp://127.0.0.1:${cameraPort}/yard"}\n`);
let camera;

const secure = ["--ignore-certificate-errors"]; // the gateway made its certificate itself

before(async () => {
  if (skip) return;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // only in this process, only for the certificate made here
  camera = spawn(path.join(w.root, "bin/callbot"), ["cameras", "--listen", `127.0.0.1:${cameraPort}`, "yard"], { stdio: ["ignore", "ignore", "inherit"] });
  g = await w.gateway({ host: `${net}.1`, port: 443, scheme: "https", args: ["--tls", "self-signed", "--turn", `${net}.1:3478`, "--config", config] });
  bOperator = await w.browser({ wav: w.tone(880), args: secure });
  const c = await w.context(bOperator, { lang: "en-US", viewport: { width: 1280, height: 800 } });
  operator = await c.newPage();
  await w.onDuty(operator, g);
});

after(async () => {
  await bCaller?.close();
  await bOperator?.close();
  await g?.stop();
  camera?.kill("SIGTERM");
  if (link && link.exitCode === null) {
    const ended = new Promise((r) => link.once("exit", r));
    link.kill("SIGTERM");
    await ended;
  }
  w.endNamespaces(ns, home);
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A page of a caller whose connections tell when they were made, connected and heard, in ms since they were made. */
async function openPage() {
  bCaller = await w.browser({ wav: w.tone(440), program: path.join(dir, "chromium"), args: secure });
  const c = await w.context(bCaller, { lang: "en-US" });
  await c.addInitScript(() => {
    const Real = window.RTCPeerConnection;
    window.__times = [];
    window.RTCPeerConnection = class extends Real {
      constructor(...a) {
        super(...a);
        const t = { made: performance.now(), asked: undefined };
        window.__times.push(t);
        const since = () => Math.round(performance.now() - t.made);
        this.addEventListener("connectionstatechange", () => {
          if (this.connectionState === "connected") t.connected ??= since();
        });
        this.addEventListener("icegatheringstatechange", () => {
          if (this.iceGatheringState === "gathering") t.asked ??= since();
          if (this.iceGatheringState === "complete") t.gathered ??= since();
        });
        const look = setInterval(async () => {
          if (this.connectionState === "closed") clearInterval(look);
          (await this.getStats()).forEach((s) => {
            if (s.type !== "inbound-rtp" || s.kind !== "audio" || !s.packetsReceived) return;
            t.heard ??= since();
            clearInterval(look);
          });
        }, 20);
      }
    };
  });
  page = await c.newPage();
}

/** The way that media takes, and the times of its connection. */
const way = () =>
  page.evaluate(async () => {
    for (const [i, pc] of window.__pcs.entries()) {
      if (pc.connectionState !== "connected") continue;
      const all = new Map();
      (await pc.getStats()).forEach((s) => all.set(s.id, s));
      for (const s of all.values()) {
        const p = s.type === "transport" && all.get(s.selectedCandidatePairId);
        if (!p) continue;
        const local = all.get(p.localCandidateId);
        return { way: local.relayProtocol ? `relay by ${local.relayProtocol}` : local.protocol, rtt: Math.round(1000 * p.currentRoundTripTime), ...window.__times[i], pcs: window.__pcs.length, servers: pc.getConfiguration().iceServers.flatMap((x) => x.urls) };
      }
    }
    return undefined;
  });

/** Both hear each other, by the way that the firewall leaves open. */
async function talks(name, want) {
  await w.hears(operator, 440);
  await w.hears(page, 880);
  const t = await way();
  console.log(`${name}: ${t.way}, round trip ${t.rtt} ms; after the connection was made: asked ${t.asked} ms, connected ${t.connected} ms, first sound ${t.heard} ms, all addresses ${t.gathered} ms; ${t.pcs} connections of the page; relays: ${t.servers.join(" ")}`);
  assert.equal(t.way, want);
  assert.equal(t.pcs, 1, "the first connection is the one that works");
  return t;
}

test("nothing but the port of the pages: the call goes through the relay inside TLS", { skip }, async () => {
  await firewall({ ports: ["tcp/443"] });
  await openPage();
  await page.goto(g.url);
  await page.locator(".callbutton").click();
  await operator.locator(".offer .go").waitFor();
  await operator.keyboard.press("F2");
  const t = await talks("only 443/TCP", "relay by tls");
  w.speed("until a call through the narrowest way is connected", t.connected - t.asked, 1000);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /jedel_turn_allocations [1-9]/);
  for (const direction of ["up", "down"]) assert.match(metrics, new RegExp(`jedel_turn_bytes_total\\{direction="${direction}"\\} [1-9]`));
});

for (const [name, want, rules] of [
  ["UDP is blocked: the same call by ICE over TCP", "tcp", { blockUDP: true }],
  ["443/TCP and 3478/UDP: the same call through the relay by UDP", "relay by udp", { ports: ["tcp/443", "udp/3478"] }],
  ["again nothing but 443/TCP: a page that is loaded in the middle of a call", "relay by tls", { ports: ["tcp/443"] }],
])
  test(name, { skip }, async () => {
    await firewall(rules);
    await page.reload();
    const t = await talks(name, want);
    w.speed("until the first sound", t.heard - t.asked, 1000);
  });

test("nothing but 443/TCP: a console sees a camera, and sees it again when its way dies", { skip }, async () => {
  const p = await (await w.context(bCaller, { lang: "en-US", viewport: { width: 1280, height: 800 } })).newPage();
  await p.goto(`${g.url}/console#cameras`);
  await p.locator("input").nth(0).fill("supervisor");
  await p.locator("input").nth(1).fill(w.password);
  await p.keyboard.press("Enter");
  const video = p.locator('[data-camera="yard"] video');
  await video.waitFor();
  const frames = () => video.evaluate((v) => v.getVideoPlaybackQuality().totalVideoFrames);
  const moves = async (what) => {
    const n = await frames();
    await w.until(what, async () => (await frames()) > n + 10, 30_000);
  };
  await moves("pictures through the relay");
  const cameras = () =>
    p.evaluate(async () => {
      const out = [];
      for (const pc of window.__pcs) {
        const all = new Map();
        (await pc.getStats()).forEach((s) => all.set(s.id, s));
        const t = [...all.values()].find((s) => s.type === "transport" && s.selectedCandidatePairId);
        const local = t && all.get(all.get(t.selectedCandidatePairId)?.localCandidateId);
        const looks = pc.getTransceivers().length === 1;
        if (looks) out.push({ state: pc.connectionState, way: local?.relayProtocol });
      }
      return out;
    });
  assert.deepEqual((await cameras()).filter((c) => c.state === "connected"), [{ state: "connected", way: "tls" }]);
  await firewall({ ports: ["tcp/443"], blackout: true });
  await new Promise((r) => setTimeout(r, 3000));
  await firewall({ ports: ["tcp/443"] });
  await moves("pictures after a cut");
  await w.shot(p, "blocked-camera");
  await p.context().close();
});
