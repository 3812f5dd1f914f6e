// A caller behind a line that can die in many ways: a namespace of its own, joined to the gateway by
// netimpair with 40 ms of round trip and a NAT. What the other side hears is timed in its page: when
// packets of a voice came in, and when a tone could be heard.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as w from "./world.mjs";

const { run } = w;
export const later = (ms) => new Promise((r) => setTimeout(r, ms));

let made = 0;

/** The line. why is set where none can be made here. */
export async function line({ rtt = 40 } = {}) {
  const n = made++;
  const ns = `jd${process.pid % 100000}${n}`;
  const dev = `${ns}t`;
  const base = `10.${100 + (process.pid % 100)}.${(process.pid >> 7) % 200 + n}`;
  const l = { ns, host: `${base}.1`, client: `${base}.2`, outer: `${base}.200`, why: "" };
  const inside = (...a) => run("ip", "netns", "exec", ns, ...a);
  const plain = { delayMs: rtt / 2 };
  const program = path.join(os.tmpdir(), `${ns}.sh`);
  const binary = path.join(os.tmpdir(), `netimpair-${process.pid}`);
  let child;
  try {
    if (!fs.existsSync(binary)) w.netimpair(binary);
    run("ip", "netns", "add", ns);
    inside("ip", "link", "set", "lo", "up");
    const ctl = await w.freePort();
    l.ctl = `http://127.0.0.1:${ctl}`;
    child = spawn(binary, ["-a", `${ns},wire,${l.client}/24`, "-b", `,${dev},${l.host}/24`, "-nat", l.outer, "-ctl", `127.0.0.1:${ctl}`], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (b) => (said += b));
    await w.until("the line is up", async () => {
      if (child.exitCode !== null) throw new Error(said);
      return (await fetch(`${l.ctl}/stats`)).ok;
    }, 5000).catch((e) => {
      throw new Error(said || e.message);
    });
    inside("ip", "route", "add", "default", "dev", "wire");
    w.chromiumIn(ns, program);
  } catch (e) {
    l.why = `no network of its own can be made here: ${String(e.stderr ?? e.message).trim()}`;
  }
  l.program = program;
  l.inside = inside;
  l.set = (how, down = how) => fetch(`${l.ctl}/set`, { method: "POST", body: JSON.stringify({ up: { ...plain, ...how }, down: { ...plain, ...down } }) });
  l.heal = () => l.set({});
  /** The NAT loses its table: UDP's alone, or all. */
  l.rebind = (all = false) => fetch(`${l.ctl}/forget?all=${all ? 1 : 0}`, { method: "POST" });
  /** Another address, as of another network. The old one goes first: it may have others under it. */
  l.address = (last) => {
    inside("ip", "addr", "flush", "dev", "wire");
    inside("ip", "addr", "add", `${base}.${last}/24`, "dev", "wire");
    inside("ip", "route", "replace", "default", "dev", "wire");
  };
  l.close = () => {
    child?.kill("SIGKILL");
    w.endNamespaces(ns);
    for (const file of [program, binary]) fs.rmSync(file, { force: true });
  };
  if (!l.why) await l.heal();
  return l;
}

/** Lets a page hear by itself: from every connection it makes, when packets of a voice came in and when
 * a sound could be heard, in ms of its own clock. */
export function ears(context) {
  return context.addInitScript(() => {
    const e = (window.__ears = { packets: [], sound: [], looks: [], counts: [], analysers: new Map(), ctx: null });
    const count = new Map();
    const listen = (track) => {
      e.ctx ??= new AudioContext();
      const an = e.ctx.createAnalyser();
      an.fftSize = 512;
      an.smoothingTimeConstant = 0;
      e.ctx.createMediaStreamSource(new MediaStream([track])).connect(an);
      e.analysers.set(track, an);
      track.addEventListener("ended", () => e.analysers.delete(track));
    };
    const bins = new Float32Array(512);
    const note = (list) => {
      const now = performance.now();
      if (list.length === 0 || now - list.at(-1) >= 1) list.push(now);
      if (list.length > 20000) list.splice(0, 5000);
    };
    setInterval(async () => {
      note(e.looks);
      let total = e.counts.at(-1)?.total ?? 0;
      for (const pc of window.__pcs ?? []) {
        if (pc.connectionState === "closed" || pc.connectionState === "new") continue;
        for (const r of pc.getReceivers()) if (r.track.kind === "audio" && r.track.readyState === "live" && !e.analysers.has(r.track)) listen(r.track);
        (await pc.getStats()).forEach((s) => {
          if (s.type !== "inbound-rtp" || s.kind !== "audio") return;
          const key = `${window.__pcs.indexOf(pc)} ${s.id}`;
          const more = s.packetsReceived - (count.get(key) ?? 0);
          if (more > 0) note(e.packets);
          total += Math.max(0, more);
          count.set(key, s.packetsReceived);
        });
      }
      e.counts.push({ at: performance.now(), total });
      if (e.counts.length > 2000) e.counts.splice(0, 1000);
      for (const an of e.analysers.values()) {
        an.getFloatTimeDomainData(bins);
        let sum = 0;
        for (const x of bins) sum += x * x;
        if (Math.sqrt(sum / bins.length) > 0.01) note(e.sound);
      }
    }, 15);
  });
}

/** The moment, by the page's clock. */
export const mark = (page) => page.evaluate(() => performance.now());

/** The longest time without a packet of a voice, and without a sound, since a moment; and the longest in which
 * the page itself stood still, so that a figure on a busy machine can be judged. */
export const gaps = (page, since) =>
  page.evaluate((since) => {
    const longest = (list) => {
      let last = since;
      let most = 0;
      for (const t of [...list.filter((t) => t >= since), performance.now()]) {
        most = Math.max(most, t - last);
        last = t;
      }
      return Math.round(most);
    };
    return { packets: longest(window.__ears.packets), sound: longest(window.__ears.sound), stall: longest(window.__ears.looks) };
  }, since);

/** Waits until the page hears most of a voice's fifty packets a second. Counted, not timed: the page itself may stand
 * still on a busy machine. */
export const steady = (page, ms = 1500, limit = 20_000) =>
  w.until("a voice flows again", () =>
    page.evaluate((ms) => {
      const { counts } = window.__ears;
      const last = counts.at(-1);
      const first = counts.findLast((c) => c.at <= last.at - ms);
      return first && last.total - first.total > (0.7 * 50 * (last.at - first.at)) / 1000 && performance.now() - last.at < 500;
    }, ms), limit);

/** What the caller's page has for connections. */
export const ways = (page) =>
  page.evaluate(async () => {
    const out = [];
    for (const pc of window.__pcs) {
      const all = new Map();
      (await pc.getStats()).forEach((s) => all.set(s.id, s));
      let way;
      for (const s of all.values()) {
        if (s.type !== "transport" || !s.selectedCandidatePairId) continue;
        const local = all.get(all.get(s.selectedCandidatePairId)?.localCandidateId);
        way = local && { protocol: local.candidateType === "relay" ? "relay" : local.protocol, address: local.address, port: local.port };
      }
      out.push({ state: pc.connectionState, way });
    }
    return { made: out.length, now: out.filter((x) => x.state === "connected").at(-1)?.way };
  });

/** A gateway, an operator beside it and a caller behind the line, talking to each other. */
export async function talking(l, { args = [], spy = undefined } = {}) {
  const g = await w.gateway({ host: l.host, args });
  const more = [`--unsafely-treat-insecure-origin-as-secure=${g.url}`];
  const bCaller = await w.browser({ wav: w.tone(440), program: l.program, args: more });
  const bOperator = await w.browser({ wav: w.tone(880), args: more });
  const co = await w.context(bOperator, { lang: "en-US", viewport: { width: 1280, height: 800 } });
  await ears(co);
  const operator = await co.newPage();
  await w.onDuty(operator, g);
  const cc = await w.context(bCaller, { lang: "en-US", viewport: { width: 360, height: 740 } });
  await ears(cc);
  await w.sockets(cc);
  await cc.addInitScript(() => {
    // When the page told the loss, by its own clock.
    window.__told = [];
    addEventListener("DOMContentLoaded", () =>
      new MutationObserver(() => {
        const s = document.querySelector("main.call")?.getAttribute("data-stage");
        if (s && window.__told.at(-1)?.stage !== s) window.__told.push({ stage: s, at: Date.now() });
      }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stage"] }));
  });
  if (spy) await cc.addInitScript(spy);
  const caller = await cc.newPage();
  await caller.goto(g.url);
  await caller.locator('.linkline[data-open="true"]').waitFor();
  await caller.locator(".callbutton").click();
  await operator.locator(".offer .go").waitFor();
  await operator.keyboard.press("F2");
  await w.hears(operator, 440);
  await w.hears(caller, 880);
  const number = (await caller.locator(".facts").innerText()).match(/\d\d-\d{6}/)[0];
  await steady(operator);
  await steady(caller);
  return {
    g, caller, operator, number, bCaller, bOperator,
    close: async () => {
      await bCaller.close();
      await bOperator.close();
      await g.stop();
    },
  };
}

/** Lets something happen to the line and times what both sides hear until both hear steadily again. */
export async function happens(call, fn, { settle = 1500 } = {}) {
  await steady(call.operator);
  await steady(call.caller);
  const was = await ways(call.caller);
  const [up, down] = [await mark(call.operator), await mark(call.caller)];
  await fn();
  await later(settle);
  await steady(call.operator);
  await steady(call.caller);
  const now = await ways(call.caller);
  return { up: await gaps(call.operator, up), down: await gaps(call.caller, down), made: now.made - was.made, way: `${was.now?.protocol} -> ${now.now?.protocol}` };
}

/** The load of the last minute. */
export const loadavg = () => os.loadavg()[0];

/** Waits until the caller's media goes by UDP again, where it can: a browser goes back by itself. */
export const back = (call, ms = 20_000) => w.until("UDP is the way again", async () => (await ways(call.caller)).now?.protocol === "udp", ms).catch(() => undefined);
