// One call from the tap to verified evidence, in real browsers.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const callerHz = 440;
const operatorHz = 880;
let g;
let bCaller;
let bOperator;
let caller;
let operator;
const trouble = [];

function watch(page, who) {
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  return page;
}

before(async () => {
  g = await w.gateway();
  bCaller = await w.browser({ wav: w.tone(callerHz) });
  bOperator = await w.browser({ wav: w.tone(operatorHz) });
});

after(async () => {
  await bCaller?.close();
  await bOperator?.close();
  await g?.stop();
});

async function signIn(page, login) {
  await page.goto(`${g.url}/console`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
}

const api = async (p, init = {}) => fetch(`${g.url}/api/v1${p}`, init);

test("a tap is one action and is registered while nobody is on duty", async () => {
  const c = await w.context(bCaller, { lang: "ru-RU" });
  caller = watch(await c.newPage(), "caller");
  await caller.goto(g.url);
  await w.until("the transport is warm before the tap", () => caller.evaluate(() => window.__pcs.some((p) => p.connectionState === "connected")));
  await caller.locator(".callbutton").click();
  await caller.getByText(/Ваш звонок зарегистрирован. № \d\d-\d{6}/).waitFor();
  await caller.getByText("Следующая очередь ваша").waitFor();
});

test("the waiting caller is recorded before any answer", async () => {
  await w.until("RTP in the archive", () => {
    const list = execFileSync(path.join(w.root, "bin/jedel"), ["evidence", "list", "--archive", path.join(g.data, "archive")]).toString();
    return /open\s+[2-9]s/.test(list);
  });
  await caller.locator('.rec[data-state="recording"]').waitFor();
});

test("an operator goes on duty with one key, and answers with one", async () => {
  const c = await w.context(bOperator, { lang: "ru-RU", viewport: { width: 1280, height: 800 }, theme: "dark" });
  operator = watch(await c.newPage(), "operator");
  await signIn(operator, "operator");
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  await operator.locator(".offer").waitFor().catch(async (e) => {
    await w.shot(operator, "no-offer");
    throw new Error(`${e.message}\n${await operator.locator("body").innerText()}\n${g.log}`);
  });
  const focus = await operator.evaluate(() => document.activeElement?.tagName);
  assert.equal(focus, "BODY", "the offer takes no focus");
  await operator.keyboard.press("F2");
  await caller.getByText("Оператор на связи").waitFor();
});

test("they hear and see each other", async () => {
  await w.hears(operator, callerHz);
  await w.hears(caller, operatorHz);
  const from = await w.inbound(operator);
  const to = await w.until("pictures are decoded", async () => {
    const s = await w.inbound(operator);
    return s.video.frames > from.video.frames + 20 && s;
  });
  const heard = await w.inbound(caller);
  console.log(`operator: ${to.video.frames} frames, concealed ${((100 * to.audio.concealed) / to.audio.samples).toFixed(2)} %; caller: ${heard.audio.packets} packets`);
  const bright = await operator.locator("video").first().evaluate((v) => {
    const c = document.createElement("canvas");
    c.width = c.height = 16;
    const x = c.getContext("2d");
    x.drawImage(v, 0, 0, 16, 16);
    const d = x.getImageData(0, 0, 16, 16).data;
    return d.filter((_, i) => i % 4 === 1).reduce((a, b) => a + b, 0) / 256;
  });
  assert.ok(bright > 60, `the fake camera's green arrives: ${bright}`);
  await operator.getByText("ЗАПИСЬ НЕ ИДЁТ").waitFor({ state: "detached" });
});

test("the position moves on the operator's page", async () => {
  await operator.getByText("54.87530, 69.16280").waitFor();
  await caller.context().setGeolocation({ latitude: 54.8761, longitude: 69.1649, accuracy: 9 });
  await operator.getByText("54.87610, 69.16490").waitFor();
});

test("chat goes both ways, and markup stays text", async () => {
  const words = "<b onclick=alert(1)>Абай 24</b>";
  await caller.locator(".chat form input:not([type=file])").fill(words);
  await caller.keyboard.press("Enter");
  await operator.getByText(words).waitFor();
  const box = operator.locator("textarea").last();
  await box.fill("Помощь в пути");
  await box.press("Control+Enter");
  await caller.getByText("Помощь в пути").waitFor();
});

test("a photo arrives, and something else under its name does not", async () => {
  const png = await caller.screenshot({ clip: { x: 0, y: 0, width: 200, height: 120 } });
  await caller.locator('.chat input[type="file"]').setInputFiles({ name: "место.png", mimeType: "image/png", buffer: png });
  await operator.locator('img[src*="/files/"]').first().waitFor();
  await caller.locator('.chat input[type="file"]').setInputFiles({ name: "x.jpg", mimeType: "image/jpeg", buffer: Buffer.from("<svg><script>alert(1)</script></svg>") });
  await caller.getByText("bad_file").waitFor();
});

test("a reload of either page keeps the call", async () => {
  const number = (await caller.locator(".facts").innerText()).match(/\d\d-\d{6}/)[0];
  await caller.reload();
  await caller.getByText("Оператор на связи").waitFor();
  assert.match(await caller.locator(".facts").innerText(), new RegExp(number));
  await w.hears(operator, callerHz);
  await operator.reload();
  await operator.getByText(number).first().waitFor();
  await operator.keyboard.press("Shift");
  await w.hears(operator, callerHz);
  await w.hears(caller, operatorHz);
});

test("kill -9 of the gateway: both come back to the same call without a tap", async () => {
  const number = (await caller.locator(".facts").innerText()).match(/\d\d-\d{6}/)[0];
  await g.kill();
  await g.start();
  const begin = Date.now();
  await w.hears(operator, callerHz);
  await w.hears(caller, operatorHz);
  console.log(`heard again ${Date.now() - begin} ms after the gateway was ready`);
  await caller.getByText("Оператор на связи").waitFor();
  assert.match(await caller.locator(".facts").innerText(), new RegExp(number));
});

test("the operator ends and classifies, and is free again", async () => {
  await operator.keyboard.down("Shift");
  await operator.keyboard.down("F2");
  await operator.waitForTimeout(900);
  await operator.keyboard.up("F2");
  await operator.keyboard.up("Shift");
  await caller.getByText("Звонок завершён").waitFor();
  await operator.getByText("Кража, грабёж").click();
  await operator.getByText("Направлен патруль").click();
  await w.shot(operator, "operator-wrapup-ru-dark");
  await operator.keyboard.press("F10");
  await operator.locator("text=/в очереди 0/").first().waitFor();
  await w.until("the archive is sealed", () => execFileSync("find", [path.join(g.data, "archive/calls"), "-name", "seal.note"]).toString().trim());
});

test("nothing of a call lies in the clear where evidence is kept", () => {
  for (const dir of ["archive", "cache"]) {
    const at = path.join(g.data, dir);
    if (!fs.existsSync(at)) continue;
    const files = fs.readdirSync(at, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => path.join(f.parentPath, f.name));
    if (dir === "archive") assert.ok(files.some((f) => f.endsWith(".evr")));
    for (const f of files) {
      const raw = fs.readFileSync(f);
      for (const word of ["Помощь", "<b>", "54.87", "OpusHead", "candidate"]) assert.ok(!raw.includes(word), `${f} has ${word}`);
    }
  }
});

test("the archive verifies without a secret and plays", async () => {
  const token = (await (await api("/staff/session", { method: "POST", body: JSON.stringify({ login: "operator", password: w.password }) })).json()).token;
  assert.ok(token);
  const session = await (await api("/staff/session", { method: "POST", body: JSON.stringify({ login: "investigator", password: w.password }) })).json();
  const auth = { Authorization: `Bearer ${session.token}` };
  const { calls } = await (await api("/evidence/calls", { headers: auth })).json();
  assert.equal(calls.length, 1);
  const found = execFileSync("find", [path.join(g.data, "archive/calls"), "-mindepth", "4", "-maxdepth", "4"]).toString().trim().split("\n");
  assert.equal(found.length, 1, "one archive for one call");
  await w.until("the proof that the seal is in the site's log", () => fs.existsSync(path.join(found[0], "proofs/seal.tlog-proof")));
  const v = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", found[0]]);
  console.log(v.stdout.toString());
  assert.equal(v.status, 2, "nobody outside signs the log of a demo: " + v.stdout + v.stderr);
  const levels = JSON.parse(spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", found[0], "--json"]).stdout).levels;
  assert.deepEqual(levels.map((l) => `${l.level} ${l.state}`), ["V0 passed", "V1 passed", "V2 passed", "V3 partial", "V4 passed", "V5 absent"]);
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-play-"));
  console.log(execFileSync(path.join(w.root, "bin/jedel"), ["evidence", "play-files", found[0], "--out", out]).toString());
  for (const f of fs.readdirSync(out)) {
    execFileSync("ffmpeg", ["-v", "error", "-i", path.join(out, f), "-f", "null", "-"]);
    const seconds = Number(execFileSync("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path.join(out, f)]).toString());
    assert.ok(seconds > 5, `${f}: ${seconds} s`);
  }
  assert.equal(fs.readdirSync(out).length, 2, "both sides");
  const raw = fs.readFileSync(path.join(found[0], "00000.evr"));
  raw[Math.floor(raw.length / 2)] ^= 1;
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-flip-"));
  fs.cpSync(found[0], copy, { recursive: true });
  fs.writeFileSync(path.join(copy, "00000.evr"), raw, { flag: "w" });
  const flipped = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", copy]);
  assert.ok(flipped.status >= 4, `one flipped bit is found: ${flipped.stdout}`);
  for (const d of [out, copy]) fs.rmSync(d, { recursive: true, force: true });
});

test("an investigator finds, plays and verifies it in the page", async () => {
  const c = await w.context(bOperator, { lang: "en-US", viewport: { width: 1280, height: 900 } });
  const page = watch(await c.newPage(), "investigator");
  await page.goto(`${g.url}/evidence`);
  await page.locator("input").nth(0).fill("investigator");
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText("sealed").waitFor();
  await w.shot(page, "evidence-list-en-light");
  await page.locator("table a").first().click();
  await w.sayWhy(page);
  await page.locator("video").waitFor();
  await page.getByText("Verify", { exact: true }).click();
  await page.locator('.proof [data-state="passed"]').first().waitFor();
  assert.equal(await page.locator('.proof [data-state="failed"]').count(), 0);
  await page.getByRole("button", { name: "Play" }).click();
  await w.until("both sides play in step", () =>
    page.evaluate(() => {
      const [v, a] = [document.querySelector("video"), document.querySelector("audio")];
      return v && a && v.currentTime > 4 && !v.paused && !a.paused && v.videoWidth > 0;
    }));
  const drift = await page.evaluate(() => {
    const [v, a] = [document.querySelector("video"), document.querySelector("audio")];
    return [v.currentTime, a.currentTime];
  });
  console.log(`players: caller at ${drift[0].toFixed(2)} s, operator at ${drift[1].toFixed(2)} s of their own files`);
  await w.shot(page, "evidence-case-en-light");
});

test("no page broke its own rules", () => assert.deepEqual(trouble, []));
