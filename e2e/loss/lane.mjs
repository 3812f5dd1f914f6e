// One gateway, one caller behind a bad link, one operator beside the gateway: everything that a cell of the matrix needs.
import { execFile, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import * as w from "../world.mjs";
import { start, wrap } from "./meter.mjs";

const run = (...a) => execFileSync(a[0], a.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();
const here = path.join(w.root, "e2e/loss");
export const later = (ms) => new Promise((r) => setTimeout(r, ms));

/** How busy the machine was between two looks, 0..1 of all its processors, ours included. */
export function busy() {
  const [user, nice, system, idle, wait, ...more] = fs.readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/).slice(1).map(Number);
  return { all: user + nice + system + idle + wait + more.slice(0, 3).reduce((a, b) => a + b, 0), idle: idle + wait };
}

/** Puts a session before the other work of the machine, where the kernel shares time by sessions (sched(7), autogroup). */
const before = "/proc/self/autogroup";

/** Opens a lane; program is the gateway to measure, first puts all that is measured before the other work of the machine. */
export async function lane({ program, first = false } = {}) {
  if (first) fs.writeFileSync(before, "-19");
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-loss-"));
  run("/usr/bin/python3", path.join(here, "speech.py"), dir);
  run("go", "build", "-C", path.join(w.root, "e2e/netimpair"), "-o", path.join(dir, "netimpair"), ".");
  const n = process.pid % 100000;
  const [far, near] = [`jedelf${n}`, `jedeln${n}`];
  const net = `10.${192 + (n % 60)}.${(n >> 6) % 250}`;
  const ends = [() => fs.rmSync(dir, { recursive: true, force: true })];
  const l = { dir, close: async () => { for (const end of ends.reverse()) await end(); } };
  try {
    run("ip", "netns", "add", far);
    ends.push(() => run("ip", "netns", "del", far));
    run("ip", "-n", far, "link", "set", "lo", "up");
    run("ip", "netns", "attach", near, String(process.pid)); // the machine's own network under a name
    ends.push(() => run("umount", `/run/netns/${near}`) + fs.rmSync(`/run/netns/${near}`));
    const port = 20000 + (n % 20000);
    const link = spawn(path.join(dir, "netimpair"), ["-a", `${far},wire,${net}.2/24`, "-b", `${near},jl${n},${net}.1/24`, "-ctl", `127.0.0.1:${port}`], { stdio: "inherit" });
    ends.push(() => link.kill("SIGKILL"));
    l.impair = (up, down) => fetch(`http://127.0.0.1:${port}/set`, { method: "POST", body: JSON.stringify({ up, down }) });
    l.carried = async () => (await fetch(`http://127.0.0.1:${port}/stats`)).json();
    await w.until("the link is there", () => l.carried());
    run("ip", "-n", far, "route", "add", "default", "via", `${net}.1`);
    l.g = await w.gateway({ host: `${net}.1`, program });
    ends.push(() => l.g.stop());
    const script = (name, way) => {
      const file = path.join(dir, name);
      const text = `#!/bin/sh\n${first ? `echo -19 >${before}\n` : ""}exec ${way} ${process.env.CHROMIUM || "/usr/bin/chromium"} "$@"\n`;
      fs.writeFileSync(file, text, { mode: 0o755 });
      return file;
    };
    const args = [`--unsafely-treat-insecure-origin-as-secure=${l.g.url}`];
    l.caller = await w.browser({ wav: path.join(dir, "caller.wav"), program: script("far", `ip netns exec ${far}`), args });
    ends.push(() => l.caller.close());
    l.operator = await w.browser({ wav: path.join(dir, "operator.wav"), program: script("near", ""), args });
    ends.push(() => l.operator.close());
    return l;
  } catch (e) {
    await l.close();
    throw e;
  }
}

async function page(browser, strip, viewport) {
  const c = await browser.newContext({ locale: "en-US", viewport, permissions: [], bypassCSP: true });
  c.setDefaultTimeout(20000);
  await c.addInitScript(wrap, strip);
  return c.newPage();
}

/** A call that is talking over a clean link. */
export async function call(l, strip) {
  const operator = await page(l.operator, strip, { width: 1280, height: 800 });
  const caller = await page(l.caller, strip, { width: 360, height: 740 });
  try {
    await operator.goto(`${l.g.url}/console`);
    await operator.locator("input").nth(0).fill("operator");
    await operator.locator("input").nth(1).fill(w.password);
    await operator.keyboard.press("Enter");
    await operator.getByText("Go on duty").waitFor();
    await operator.keyboard.press("F2");
    await caller.goto(l.g.url);
    await caller.locator('.linkline[data-open="true"]').waitFor();
    await caller.locator(".callbutton").click();
    await operator.locator(".offer .go").waitFor();
    await operator.keyboard.press("F2");
    await operator.locator(".callstrip:not(.wrapping)").waitFor();
    await w.until("sound both ways", async () => (await w.inbound(caller)).audio.packets > 10 && (await w.inbound(operator)).audio.packets > 10);
    return { caller, operator };
  } catch (e) {
    await w.shot(operator, "loss-operator-failed");
    await w.shot(caller, "loss-caller-failed");
    await Promise.all([caller.context().close(), operator.context().close()]);
    throw e;
  }
}

/** The call is ended at the operator's side, whatever became of the link, and written up. */
async function end({ caller, operator }) {
  await caller.context().close();
  await operator.keyboard.down("Shift");
  await operator.keyboard.down("F2");
  await operator.waitForTimeout(900);
  await operator.keyboard.up("F2");
  await operator.keyboard.up("Shift");
  await operator.locator(".wrapup").waitFor();
  for (const group of await operator.locator(".wrapup fieldset.chips").all()) await group.locator("label").first().click();
  await operator.keyboard.press("F10");
  await operator.locator(".wrapup").waitFor({ state: "detached" });
  await operator.context().close();
}

/** What one end heard, in the words of the table. */
async function heard(l, voice, got) {
  const file = path.join(l.dir, `${voice}.f32`);
  fs.writeFileSync(file, Buffer.from(got.sound, "base64"));
  const { stdout } = await promisify(execFile)("/usr/bin/python3", [path.join(here, "score.py"), l.dir, voice, file, "48000"], { timeout: 60000, maxBuffer: 1 << 24 });
  const s = (k) => got.sum[`in.${k}`] ?? 0;
  return {
    concealed: s("audio.totalSamplesReceived") > 0 ? s("audio.concealedSamples") / s("audio.totalSamplesReceived") : 1,
    bufferMs: (1000 * s("audio.jitterBufferDelay")) / (s("audio.jitterBufferEmittedCount") || 1),
    targetMs: got.target,
    packets: s("audio.packetsReceived"), lost: s("audio.packetsLost"), retransmitted: s("audio.retransmittedPacketsReceived"), fec: s("audio.fecPacketsReceived"),
    discarded: s("audio.packetsDiscarded"),
    fps: s("video.framesDecoded") / got.seconds,
    score: JSON.parse(stdout), seconds: got.seconds, made: got.made, ways: got.ways, arrived: got.arrived,
  };
}

/** Audio that an end sent, kbit/s: first copies, and retransmissions among them. */
function sent(got) {
  const s = (k) => got.sum[`out.audio.${k}`] ?? 0;
  return { audioKbps: ((s("bytesSent") + s("headerBytesSent")) * 8) / 1000 / got.seconds, againKbps: (s("retransmittedBytesSent") * 8) / 1000 / got.seconds };
}

/** The newest line of an error that says what was waited for. */
export const why = (e) => e.message.split("\n").filter((x) => x.trim()).slice(0, 4).join(" ").replaceAll("|", "/");

/** Measures one cell: a new call on a clean link, then the link goes bad, and after it has settled both ends are recorded. */
export async function measure(l, cell, { strip, settle, seconds, keep }) {
  await l.impair(clean, clean);
  const both = await call(l, strip);
  try {
    await l.impair({ ...cell.link, seed: 11 }, { ...cell.link, seed: 12 });
    await later(settle * 1000);
    const [b0, c0] = [busy(), await l.carried()];
    await Promise.all([both.caller.evaluate(start), both.operator.evaluate(start)]);
    await later(seconds * 1000);
    const [atCaller, atOperator] = await Promise.all([both.caller.evaluate(() => window.__stop()), both.operator.evaluate(() => window.__stop())]);
    const [b1, c1] = [busy(), await l.carried()];
    const wire = (d) => ((c1[d].bytes - c0[d].bytes) * 8) / 1000 / seconds;
    const out = {
      tunes: { caller: atCaller.tunes, operator: atOperator.tunes },
      up: { ...(await heard(l, "caller", atOperator)), ...sent(atCaller), wireKbps: wire("up") },
      down: { ...(await heard(l, "operator", atCaller)), ...sent(atOperator), wireKbps: wire("down") },
      busy: 1 - (b1.idle - b0.idle) / (b1.all - b0.all),
    };
    if (keep) for (const v of ["caller", "operator"]) fs.copyFileSync(path.join(l.dir, `${v}.f32`), path.join(keep, `${cell.name}-${v}.f32`));
    return out;
  } finally {
    await l.impair(clean, clean);
    await end(both);
  }
}

export const clean = { delayMs: 20 };
