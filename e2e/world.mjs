// The world of an end-to-end test: a real gateway of its own on loopback, real Chromium with fake
// devices, and everything ended by its process id.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.dirname(here);
const require = createRequire(path.join(root, "web/package.json"));
export const { chromium } = require("playwright-core");
export const AxeBuilder = require("@axe-core/playwright").default;
export const password = "jedel-demo";
export const shots = path.join(here, "out");
fs.mkdirSync(shots, { recursive: true });

export function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer();
    s.once("error", reject);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

/**
 * A figure with a goal, in milliseconds. A test tells it and nothing more: how busy its machine is, is not what it is about. `make bench`
 * runs the same tests where nothing else runs, and there the goal is held.
 */
export function speed(what, ms, goal) {
  console.log(`speed: ${what}: ${Math.round(ms)} ms (goal ${goal})`);
  if (process.env.SPEEDS === "hold") assert.ok(ms <= goal, `${what}: ${ms} ms, goal ${goal}`);
}

/** Waits until fn gives something true. */
export async function until(what, fn, ms = 15000) {
  const end = Date.now() + ms;
  for (;;) {
    let v;
    try {
      v = await fn();
    } catch {
      v = undefined;
    }
    if (v) return v;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** Starts a gateway. kill() is kill -9; start() begins again over the same data. */
export async function gateway({ args = [], scheme = "http", host = "127.0.0.1", port: fixed = 0, program = path.join(root, "bin/jedel") } = {}) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-e2e-"));
  let [port, media] = [fixed || (await freePort()), await freePort()];
  const g = { data, port, media, url: `${scheme}://${host}:${port}`, log: "", codes: () => [...g.log.matchAll(/One-time code for \S+: (\d{6})/g)].map((m) => m[1]) };
  g.start = async () => {
    g.child = spawn(program, ["serve", "--demo", "--addr", `${host}:${port}`, "--media", `${host}:${media}`, "--data", data, ...args],
      { stdio: ["ignore", "pipe", "pipe"] });
    g.child.stdout.on("data", (b) => (g.log += b));
    g.child.stderr.on("data", (b) => (g.log += b));
    g.ended = new Promise((resolve) => g.child.once("exit", resolve));
    let over = false;
    g.child.once("exit", () => (over = true));
    g.child.once("error", (e) => {
      over = true;
      g.log += e.message;
    });
    await until("the gateway is ready", async () => over || (await fetch(`${g.url}/readyz`)).ok).catch((e) => {
      throw new Error(`${e.message}\n${g.log}`);
    });
    if (over) throw new Error(`the gateway ended\n${g.log}`);
  };
  g.kill = async () => {
    process.kill(g.child.pid, "SIGKILL");
    await g.ended;
  };
  g.stop = async () => {
    if (g.child.exitCode === null && g.child.signalCode === null) {
      process.kill(g.child.pid, "SIGTERM");
      const late = setTimeout(() => process.kill(g.child.pid, "SIGKILL"), 10000);
      await g.ended;
      clearTimeout(late);
    }
    fs.rmSync(data, { recursive: true, force: true });
  };
  for (let tries = 1; ; tries++) {
    try {
      await g.start();
      return g;
    } catch (e) {
      // Another program took the port between our asking and our using it.
      if (tries === 4 || !/address already in use/.test(g.log)) throw e;
      g.child.kill("SIGKILL");
      [port, media, g.log] = [fixed || (await freePort()), await freePort(), ""];
      Object.assign(g, { port, media, url: `${scheme}://${host}:${port}` });
    }
  }
}

/** Two seconds of a tone as a microphone: the tone that arrives tells whose voice it is. */
export function tone(hz) {
  const file = path.join(os.tmpdir(), `jedel-tone-${hz}.wav`);
  if (fs.existsSync(file)) return file;
  const rate = 48000;
  const pcm = Buffer.alloc(rate * 4);
  for (let i = 0; i < rate * 2; i++) pcm.writeInt16LE(Math.round(12000 * Math.sin((2 * Math.PI * hz * i) / rate)), 2 * i);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + pcm.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(pcm.length, 40);
  fs.writeFileSync(`${file}.${process.pid}`, Buffer.concat([head, pcm]));
  fs.renameSync(`${file}.${process.pid}`, file); // whole, for the test beside this one too
  return file;
}

export function browser({ wav, devices = true, cameras = 1, program = process.env.CHROMIUM || "/usr/bin/chromium", args: more = [], fakeUI = true } = {}) {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding", "--allow-loopback-in-peer-connection", ...more];
  if (devices) args.push(`--use-fake-device-for-media-stream=device-count=${cameras}`);
  if (fakeUI) args.push("--use-fake-ui-for-media-stream");
  if (wav) args.push(`--use-file-for-fake-audio-capture=${wav}`);
  return chromium.launch({ executablePath: program, headless: true, args });
}

/** A context with a language, a theme and a position; its peer connections can be looked at. */
export async function context(b, { lang = "ru-RU", viewport = { width: 390, height: 844 }, theme = "light", geo = { latitude: 54.8753, longitude: 69.1628, accuracy: 12 }, permissions = ["geolocation"] } = {}) {
  const c = await b.newContext({ locale: lang, viewport, colorScheme: theme, ...(geo ? { geolocation: geo } : {}), permissions });
  c.setDefaultTimeout(15000);
  await c.addInitScript(() => {
    Date.prototype.getHours = () => 12; // the console is dark at night by itself: tests choose
    const Real = window.RTCPeerConnection;
    window.__pcs = [];
    window.RTCPeerConnection = class extends Real {
      constructor(...a) {
        super(...a);
        window.__pcs.push(this);
      }
    };
  });
  return c;
}

/** Keeps the sockets of a context's pages in window.__sockets, and in window.__pc the name of the newest connection offered. */
export function sockets(c) {
  return c.addInitScript(() => {
    const Real = window.WebSocket;
    window.__sockets = [];
    window.WebSocket = class extends Real {
      constructor(...a) {
        super(...a);
        window.__sockets.push(this);
      }
      send(x) {
        const m = typeof x === "string" ? JSON.parse(x) : {};
        if (m.type === "media.offer") window.__pc = m.body.pc;
        return super.send(x);
      }
    };
  });
}

/** Signs a person in at the console. */
export async function signIn(page, g, login = "operator") {
  await page.goto(`${g.url}/console`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(password);
  await page.keyboard.press("Enter");
  await page.getByText(/Go on duty|Заступить на смену|Кезекшілікке/).first().waitFor();
}

/** Signs an operator in, ready for calls. */
export async function onDuty(page, g) {
  await signIn(page, g);
  await page.keyboard.press("F2");
}

/** The caller ends the call. */
export async function hangUp(page) {
  await page.locator(".end").click();
  await page.locator(".end").click();
  await page.locator(".ended").waitFor();
}

/** The operator writes the call up and is ready for the next. */
export async function wrapUp(operator) {
  await operator.locator(".wrapup").waitFor();
  for (const group of await operator.locator(".wrapup fieldset.chips").all()) await group.locator("label").first().click();
  await operator.keyboard.press("F10");
  await operator.locator(".wrapup").waitFor({ state: "detached" });
}

/** Runs a program to its end and gives what it prints. */
export const run = (...a) => execFileSync(a[0], a.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** Builds the line that can be made worse, netimpair, as file, with the flags of make test: what both need is compiled once. */
export function netimpair(file) {
  execFileSync("go", ["build", "-o", file, "."], { cwd: path.join(root, "e2e/netimpair"), env: { ...process.env, GOFLAGS: "-mod=mod -trimpath" }, stdio: ["ignore", "pipe", "pipe"] });
}

/** Writes a program that starts Chromium in a network namespace. */
export function chromiumIn(ns, file) {
  fs.writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${ns} ${process.env.CHROMIUM || "/usr/bin/chromium"} "$@"\n`, { mode: 0o755 });
  return file;
}

/** Ends network namespaces, those too that were never made. */
export function endNamespaces(...names) {
  for (const n of names) {
    try {
      run("ip", "netns", "del", n);
    } catch {
      // It was never made.
    }
  }
}

/** Ways of looking at a page: every language in every size, and, of two sizes, every theme in both and with every language. A colour
 * hangs on the theme, a width on language and size: all three together come with JEDEL_TEST_LOOKS=all (make torture). */
export function looks(langs, sizes, themes = ["light", "dark"]) {
  const all = process.env.JEDEL_TEST_LOOKS === "all";
  return langs.flatMap((lang, l) => Object.entries(sizes).flatMap(([size, viewport], s) =>
    themes.filter((_, t) => all || t === (l + s) % themes.length).map((theme) => ({ lang, theme, size, viewport }))));
}

/** Inbound statistics of the page's live connections. */
export function inbound(page) {
  return page.evaluate(async () => {
    const out = { audio: { packets: 0, concealed: 0, samples: 0 }, video: { packets: 0, frames: 0 } };
    for (const pc of window.__pcs) {
      if (pc.connectionState === "closed") continue;
      (await pc.getStats()).forEach((s) => {
        if (s.type !== "inbound-rtp") return;
        out[s.kind].packets += s.packetsReceived ?? 0;
        if (s.kind === "audio") {
          out.audio.concealed += s.concealedSamples ?? 0;
          out.audio.samples += s.totalSamplesReceived ?? 0;
        } else out.video.frames += s.framesDecoded ?? 0;
      });
    }
    return out;
  });
}

/** The strongest frequency, in Hz, of what the page receives. */
export function heard(page) {
  return page.evaluate(async () => {
    const tracks = window.__pcs.filter((p) => p.connectionState === "connected").flatMap((p) => p.getReceivers().map((r) => r.track)).filter((t) => t.kind === "audio");
    const ctx = new AudioContext();
    const best = { hz: 0, level: -120 };
    await Promise.all(
      tracks.map(async (track) => {
        const an = ctx.createAnalyser();
        an.fftSize = 8192;
        ctx.createMediaStreamSource(new MediaStream([track])).connect(an);
        await new Promise((r) => setTimeout(r, 500));
        const bins = new Float32Array(an.frequencyBinCount);
        an.getFloatFrequencyData(bins);
        bins.forEach((level, i) => {
          if (level > best.level) Object.assign(best, { hz: (i * ctx.sampleRate) / an.fftSize, level });
        });
      }),
    );
    await ctx.close();
    return best;
  });
}

/** How loud a tone is at a page, dB, the loudest of its tracks over a while. */
export function level(page, at, ms = 1500) {
  return page.evaluate(async ({ at, ms }) => {
    const tracks = window.__pcs.filter((p) => p.connectionState === "connected").flatMap((p) => p.getReceivers().map((r) => r.track)).filter((t) => t.kind === "audio");
    const ctx = new AudioContext();
    const ears = tracks.map((track) => {
      const an = ctx.createAnalyser();
      an.fftSize = 8192;
      an.smoothingTimeConstant = 0;
      ctx.createMediaStreamSource(new MediaStream([track])).connect(an);
      return an;
    });
    let best = -200;
    for (const end = Date.now() + ms; Date.now() < end; ) {
      await new Promise((r) => setTimeout(r, 60));
      for (const an of ears) {
        const bins = new Float32Array(an.frequencyBinCount);
        an.getFloatFrequencyData(bins);
        const i = Math.round((at * an.fftSize) / ctx.sampleRate);
        for (let n = i - 2; n <= i + 2; n++) best = Math.max(best, bins[n]);
      }
    }
    await ctx.close();
    return best;
  }, { at, ms });
}

/** Waits until the page hears a tone. */
export function hears(page, hz) {
  return until(`${hz} Hz is heard`, async () => {
    const h = await heard(page);
    return Math.abs(h.hz - hz) < 15 && h.level > -60 && h;
  });
}

/** Says why a recording is opened, where the page asks. */
export async function sayWhy(page, forCase = "24-0017") {
  await page.locator("form.why input[name=case]").fill(forCase);
  await page.locator("form.why button[type=submit]").click();
}

export async function shot(page, name) {
  await page.screenshot({ path: path.join(shots, `${name}.png`) });
}

/** Runs the client of bin/callbot to its end; report is what --json prints. */
export function callbot(...args) {
  return new Promise((resolve) => {
    execFile(path.join(root, "bin/callbot"), args, { timeout: 150000, maxBuffer: 1 << 24 }, (err, stdout, stderr) => {
      resolve({ code: err ? (err.code ?? err.signal) : 0, stdout, stderr, report: stdout.startsWith("{") ? JSON.parse(stdout) : undefined });
    });
  });
}
