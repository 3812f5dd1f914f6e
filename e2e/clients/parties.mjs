// The two ends of a call on each of the stacks, behind one face: caller(ends, url) and operator(ends, url) give
// { hears(hz), sees(), hangUp() }; what closes them is added to ends. A caller has called; an operator is ready, and answer() takes the call that rings.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import * as w from "../world.mjs";

const require = createRequire(path.join(w.root, "web/package.json"));

/** Firefox by WebDriver BiDi, its microphone a tone, its certificates unchecked. */
export async function firefox(hz) {
  const { default: puppeteer } = await import(require.resolve("puppeteer-core"));
  return puppeteer.launch({
    browser: "firefox", executablePath: process.env.FIREFOX || "/usr/bin/firefox-esr", headless: true, acceptInsecureCerts: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true, "media.navigator.audio.fake_frequency": hz,
      "media.autoplay.default": 0, "media.peerconnection.ice.obfuscate_host_addresses": false, "geo.enabled": false,
    },
  });
}

/** Keeps the peer connections of a page where they can be looked at; red makes it send RED (RFC 2198) where that was agreed. */
function keep(red) {
  Date.prototype.getHours = () => 12;
  const Real = window.RTCPeerConnection;
  window.__pcs = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...a) {
      super(...a);
      window.__pcs.push(this);
    }
    setRemoteDescription(d) {
      if (!red) return super.setRemoteDescription(d);
      const first = (s) => {
        const pt = /a=rtpmap:(\d+) red\//.exec(s)?.[1];
        return pt && s.startsWith("m=audio") ? s.replace(new RegExp(`^(m=audio \\S+ \\S+)(.*?) ${pt}\\b`), `$1 ${pt}$2`) : s;
      };
      return super.setRemoteDescription({ type: d.type, sdp: d.sdp.split(/(?=^m=)/m).map(first).join("") });
    }
  };
}

/** The strongest frequency of what a page receives, found without a device that plays sound: Firefox starts no AudioContext
 * where there is none. The sound is recorded for a moment, decoded, and searched in steps of 10 Hz. */
async function strongest() {
  const tracks = window.__pcs.flatMap((p) => p.getReceivers().map((r) => r.track)).filter((t) => t.kind === "audio" && !t.muted);
  let best = { hz: 0, power: 1e-4 };
  for (const track of tracks) {
    const rec = new MediaRecorder(new MediaStream([track]));
    const parts = [];
    rec.ondataavailable = (e) => parts.push(e.data);
    const stopped = new Promise((ok) => (rec.onstop = ok));
    rec.start();
    await new Promise((ok) => setTimeout(ok, 700));
    rec.stop();
    await stopped;
    const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(await new Blob(parts).arrayBuffer());
    const x = sound.getChannelData(0).slice(-9600);
    for (let hz = 200; hz < 2000; hz += 10) {
      let [re, im] = [0, 0];
      x.forEach((v, i) => {
        re += v * Math.cos((2 * Math.PI * hz * i) / sound.sampleRate);
        im += v * Math.sin((2 * Math.PI * hz * i) / sound.sampleRate);
      });
      const power = (re * re + im * im) / x.length ** 2;
      if (power > best.power) best = { hz, power };
    }
  }
  return best.hz;
}

/** A page in either browser, by what both drivers have alike. */
class Page {
  constructor(page) {
    Object.assign(this, { page, trouble: [] });
    page.on("pageerror", (e) => this.trouble.push(e.message));
  }

  there(selector) {
    return w.until(`${selector} is there`, () => this.page.evaluate((s) => !!document.querySelector(s), selector), 20000);
  }

  async says(pattern) {
    return w.until(`the page says ${pattern}`, async () => pattern.exec(await this.page.evaluate(() => document.body.innerText)), 20000);
  }

  async signIn(url) {
    await this.page.goto(`${url}/console`);
    await this.there("input[type=password]");
    const [name, word] = await this.page.$$("input");
    await name.type("operator");
    await word.type(w.password);
    await this.page.keyboard.press("Enter");
    await this.says(/Go on duty|Заступить на смену|Кезекшілікке/);
    await this.page.keyboard.press("F2");
  }

  async call(url) {
    await this.page.goto(url);
    await this.there('.linkline[data-open="true"]');
    await this.page.click(".callbutton");
    return (await this.says(/\d\d-\d{6}/))[0];
  }

  /** Takes the call that rings and turns the camera on. */
  async answer() {
    await this.there(".offer .go");
    await this.page.keyboard.press("F2");
    await this.there(".callstrip:not(.wrapping)");
    await this.page.keyboard.down("Alt");
    await this.page.keyboard.press("KeyO");
    await this.page.keyboard.up("Alt");
  }

  hears(hz) {
    return w.until(`${hz} Hz is heard`, async () => Math.abs((await this.page.evaluate(strongest, [])) - hz) < 15);
  }

  /** Bytes of sound in a packet that the page sends, in the mean: with a redundant frame they are twice as many. */
  speaks() {
    return this.page.evaluate(async () => {
      for (const pc of window.__pcs) {
        for (const s of (await pc.getStats()).values()) if (s.type === "outbound-rtp" && s.kind === "audio" && s.packetsSent > 0) return s.bytesSent / s.packetsSent;
      }
    });
  }

  async sees() {
    const begun = Date.now();
    const before = (await w.inbound(this.page)).video.frames;
    await w.until("pictures are decoded", async () => (await w.inbound(this.page)).video.frames > before + 5, 30000);
    w.speed("until six pictures are decoded", Date.now() - begun, 15000);
  }

  async hangUp() {
    await this.page.click(".end");
    await this.there('.end[data-sure="true"]');
    await this.page.click(".end");
    await this.there(".ended");
  }

  /** Writes the call up, so that nothing is left in the way of the next. */
  async done() {
    await this.there(".wrapup");
    await this.page.evaluate(() => {
      for (const g of document.querySelectorAll(".wrapup fieldset.chips")) g.querySelector("label").click();
    });
    await this.page.keyboard.press("F10");
    await w.until("the call is written up", () => this.page.evaluate(() => !document.querySelector(".wrapup")));
  }
}

/** Makes the pages of a browser, of either driver. */
export function pages(browser, { red = false } = {}) {
  const context = async () => {
    if (!browser.createBrowserContext) {
      const c = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, locale: "en-US" });
      await c.addInitScript(keep, red);
      return [c, await c.newPage()];
    }
    const c = await browser.createBrowserContext();
    const page = await c.newPage();
    await page.evaluateOnNewDocument(keep, red);
    await page.setViewport({ width: 1280, height: 800 });
    return [c, page];
  };
  const open = async (ends, role) => {
    const [c, page] = await context();
    ends.push(async (well) => {
      if (!well) await w.shot(page, `clients-${role}-failed`);
      await c.close();
    });
    return new Page(page);
  };
  return {
    caller: async (ends, url) => {
      const p = await open(ends, "caller");
      p.number = await p.call(url);
      return p;
    },
    operator: async (ends, url) => {
      const p = await open(ends, "operator");
      await p.signIn(url);
      return p;
    },
  };
}

/** A program that prints what it hears. */
class Program {
  constructor(script, role, url, hz) {
    this.child = spawn("/usr/bin/python3", [path.join(w.root, "e2e/clients", script), role, url, String(hz)], { stdio: ["pipe", "pipe", "pipe"] });
    Object.assign(this, { lines: [], text: "", trouble: [] });
    this.child.stdout.on("data", (b) => {
      this.text += b;
      const whole = this.text.split("\n");
      this.text = whole.pop();
      this.lines.push(...whole.map((l) => JSON.parse(l)));
    });
    this.errors = "";
    this.child.stderr.on("data", (b) => (this.errors += b));
    this.ended = new Promise((resolve) => this.child.once("exit", resolve));
  }

  said(key) {
    return w.until(`${key} is said`, () => this.lines.find((l) => key in l)?.[key], 25000).catch((e) => {
      throw new Error(`${e.message}\n${JSON.stringify(this.lines.at(-1))}\n${this.errors}`);
    });
  }

  answer() {
    return this.said("answered");
  }

  hears(hz) {
    return w.until(`${hz} Hz is heard`, () => Math.abs((this.lines.at(-1)?.hz ?? 0) - hz) < 15).catch((e) => {
      throw new Error(`${e.message}\n${JSON.stringify(this.lines.at(-1))}\n${this.errors}`);
    });
  }

  sees() {
    const before = this.lines.at(-1)?.frames ?? 0;
    return w.until("pictures are decoded", () => (this.lines.at(-1)?.frames ?? 0) > before + 5);
  }

  async hangUp() {
    this.child.stdin.end();
    const code = await this.ended;
    if (code !== 0) throw new Error(`the client ended with ${code}\n${this.errors}`);
  }

  /** It writes the call up by itself. */
  async done() {
    await this.hangUp();
  }

  async close() {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

export function programs(script, hz) {
  return {
    caller: async (ends, url) => {
      const p = new Program(script, "caller", url, hz);
      ends.push(() => p.close());
      p.number = await p.said("number");
      return p;
    },
    operator: async (ends, url) => {
      const p = new Program(script, "operator", url, hz);
      ends.push(() => p.close());
      await p.said("ready");
      return p;
    },
  };
}
