// A caller behind a thin line: gateway and operator in one network, the caller's browser in another, a user-space line of our
// own making between them. Making networks needs rights and /dev/net/tun; where they are missing skip says so.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as w from "./world.mjs";

const cli = `jt${process.pid % 100000}c`;
const srv = `jt${process.pid % 100000}s`;
const { run } = w;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-thin-"));
const started = [];

export const thin = { delayMs: 500, loss: 0.1, rateKbps: 20, queueMs: 3000 };
export const clean = { delayMs: 20, rateKbps: 4000, queueMs: 300 };

/** Begins; resolves to the world, or to { skip } with the reason. */
export async function open({ wav, lang = "en-US" } = {}) {
  if (!fs.existsSync("/dev/net/tun")) return { skip: "there is no /dev/net/tun" };
  const impair = path.join(dir, "netimpair");
  try {
    run("ip", "netns", "add", cli);
    run("ip", "netns", "add", srv);
    for (const n of [cli, srv]) run("ip", "-n", n, "link", "set", "lo", "up");
    w.netimpair(impair);
  } catch (e) {
    close();
    return { skip: `no network of its own can be made here: ${String(e.stderr ?? e.message).trim()}` };
  }
  const ctl = 20000 + (process.pid % 20000);
  const line = spawn(impair, ["-a", `${cli},tun0,10.77.9.2/24`, "-b", `${srv},tun0,10.77.9.1/24`, "-ctl", `127.0.0.1:${ctl}`], { stdio: "ignore" });
  started.push(line);
  const set = (up, down = up) => fetch(`http://127.0.0.1:${ctl}/set`, { method: "POST", body: JSON.stringify({ up, down }) });
  const stats = async () => (await fetch(`http://127.0.0.1:${ctl}/stats`)).json();
  await w.until("the line is there", async () => (await set(clean)).ok);
  const data = path.join(dir, "data");
  const host = "10.77.9.1";
  const g = { url: `http://${host}:8080`, media: `${host}:8081`, log: "" };
  g.child = spawn("ip", ["netns", "exec", srv, path.join(w.root, "bin/jedel"), "serve", "--demo", "--addr", `${host}:8080`, "--media", `${host}:8081`, "--data", data], { stdio: ["ignore", "pipe", "pipe"] });
  started.push(g.child);
  for (const s of [g.child.stdout, g.child.stderr]) s.on("data", (b) => (g.log += b));
  await w.until("the gateway is ready", () => execFileSync("ip", ["netns", "exec", srv, "curl", "-sf", `${g.url}/readyz`]).length > 0, 30000);
  const args = [`--unsafely-treat-insecure-origin-as-secure=${g.url}`];
  const bOperator = await w.browser({ wav: w.tone(880), program: w.chromiumIn(srv, path.join(dir, "operator.sh")), args });
  const bCaller = await w.browser({ wav: wav ?? w.tone(440), program: w.chromiumIn(cli, path.join(dir, "caller.sh")), args });
  const co = await w.context(bOperator, { lang, viewport: { width: 1280, height: 800 } });
  const operator = await co.newPage();
  await w.signIn(operator, g);
  const cc = await w.context(bCaller, { lang, viewport: { width: 360, height: 740 } });
  cc.setDefaultTimeout(90000);
  return { g, set, stats, operator, co, cc, bCaller, bOperator, cli, srv, inside: (...a) => ["ip", "netns", "exec", cli, ...a] };
}

/** Ends everything, by its process. */
export async function close(x) {
  await x?.bCaller?.close();
  await x?.bOperator?.close();
  for (const p of started) {
    if (p.exitCode === null && p.signalCode === null) {
      p.kill("SIGTERM");
      await Promise.race([new Promise((r) => p.once("exit", r)), new Promise((r) => setTimeout(r, 8000))]);
      p.kill("SIGKILL");
    }
  }
  w.endNamespaces(cli, srv);
  fs.rmSync(dir, { recursive: true, force: true });
}

/** A page whose files are on the phone already, as after an earlier visit. */
export async function visited(x) {
  await x.set(clean);
  const page = await x.cc.newPage();
  await page.goto(x.g.url);
  await page.locator('.linkline[data-open="true"]').waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => new Promise((r) => setTimeout(r, 500))));
  return page;
}

/** What went over the line since was. */
export async function bytes(x, was) {
  const s = await x.stats();
  const sum = { up: s.up.bytes, down: s.down.bytes };
  return was ? { up: sum.up - was.up, down: sum.down - was.down } : sum;
}

/** An operator without a console, in a page of the gateway's own: takes every call at once and notes when what arrived. */
export async function desk(x) {
  const page = await x.co.newPage();
  await page.goto(`${x.g.url}/icon.svg`);
  await page.evaluate(async () => {
    const ws = new WebSocket(`ws://${location.host}/ws`);
    let seq = 0;
    const send = (type, body) => ws.send(JSON.stringify({ type, seq: ++seq, body }));
    const note = (what, more = {}) => window.__events.push({ at: Date.now(), what, ...more });
    window.__events = [];
    window.__end = (call) => send("call.end", { call });
    window.__say = (call, text) => send("chat.send", { call, id: crypto.randomUUID(), text });
    await new Promise((r) => (ws.onopen = r));
    send("hello", { version: 1, role: "console", lang: "en" });
    setInterval(() => send("ping", {}), 5000);
    const seen = new Set();
    const once = (key, what, more) => !seen.has(key) && (seen.add(key), note(what, more));
    ws.onmessage = (e) => {
      const m = JSON.parse(e.data);
      if (m.type === "welcome") send("duty.set", { state: "ready" });
      if (m.type === "offer.made") {
        once(m.body.call, "call", { call: m.body.call, number: m.body.number });
        if (m.body.fix) once(`fix ${m.body.call}`, "fix", { call: m.body.call });
        send("offer.accept", { call: m.body.call, epoch: m.body.epoch });
      }
      if (m.type === "position.moved") once(`fix ${m.body.call}`, "fix", { call: m.body.call });
      if (m.type === "chat.posted" && m.body.item.from === "caller") note(m.body.item.file ? "note" : "text", { call: m.body.call, text: m.body.item.text, bytes: m.body.item.file?.bytes });
      if (m.type === "call.card") {
        const c = m.body.card;
        window.__rung = c.media.rung;
        if (c.track.length > 0) once(`fix ${c.call}`, "fix", { call: c.call });
        for (const i of c.chat) if (i.from === "caller" && i.text) once(`${c.call} ${i.text}`, "text", { call: c.call, text: i.text });
        if (c.phase === "wrapup") send("call.wrapup", { call: c.call, category: "theft", outcome: "patrol" });
      }
    };
    await new Promise((r) => setTimeout(r, 300));
  });
  return page;
}

/** Waits for the first event of a kind since a moment; resolves to how long after it that was. */
export function event(page, what, since, ms = 90000, text = "") {
  return w.until(`${what} at the operator`, async () => {
    const e = await page.evaluate(({ what, since, text }) => window.__events.find((e) => e.what === what && e.at >= since && (!text || e.text === text)), { what, since, text });
    return e && { ...e, took: e.at - since };
  }, ms);
}
