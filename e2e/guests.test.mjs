// A supervisor in the call of an operator, in three real browsers with a tone of their own each: who
// hears whom in every mode, what each page says, and what the archive keeps.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const hz = { caller: 440, operator: 880, supervisor: 1550 }; // none is a harmonic of another
let g;
const browsers = {};
const pages = {};
const trouble = [];

before(async () => {
  g = await w.gateway();
  for (const who of Object.keys(hz)) browsers[who] = await w.browser({ wav: w.tone(hz[who]) });
});

after(async () => {
  for (const b of Object.values(browsers)) await b.close();
  await g?.stop();
});

async function open(who, lang = "ru-RU") {
  const desk = who !== "caller";
  const c = await w.context(browsers[who], { lang, ...(desk ? { viewport: { width: 1280, height: 800 }, theme: "dark" } : {}) });
  const page = await c.newPage();
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  await page.goto(desk ? `${g.url}/console#desk` : g.url);
  if (desk) {
    await page.locator("input").nth(0).fill(who);
    await page.locator("input").nth(1).fill(w.password);
    await page.keyboard.press("Enter");
    await page.locator(".shell").waitFor();
  }
  pages[who] = page;
}

const heard = (page, at) => w.until(`${at} Hz is heard`, async () => (await w.level(page, at, 400)) > -60);

/** Packets of sound that a page has received in the slots of guests. */
function guestPackets(page, first) {
  return page.evaluate(async (first) => {
    let n = 0;
    for (const pc of window.__pcs.filter((p) => p.connectionState === "connected")) {
      const audio = pc.getTransceivers().filter((t) => t.receiver.track.kind === "audio");
      for (const t of audio.slice(first)) (await t.receiver.getStats()).forEach((s) => (n += s.type === "inbound-rtp" ? (s.packetsReceived ?? 0) : 0));
    }
    return n;
  }, first);
}

const button = (name) => pages.supervisor.locator(`.guestbar [data-guest="${name}"]`);

test("a supervisor listens within a second, and the operator sees it", async () => {
  await Promise.all([open("caller"), open("operator"), open("supervisor")]);
  await pages.operator.getByText("Заступить на смену").waitFor();
  await pages.operator.keyboard.press("F2");
  await pages.caller.locator(".callbutton").click();
  await pages.operator.locator(".offer").waitFor();
  await pages.operator.keyboard.press("F2");
  await pages.caller.getByText("Оператор на связи").waitFor();
  await heard(pages.operator, hz.caller);
  const row = pages.supervisor.locator('.team [data-guest="listen"]');
  await row.waitFor();
  assert.equal(await row.count(), 1, "only the call under way can be listened to");
  const took = await row.evaluate(async (el) => {
    const begin = performance.now();
    el.click();
    for (;;) {
      for (const pc of window.__pcs) {
        for (const s of (await pc.getStats()).values()) {
          if (s.type === "inbound-rtp" && s.kind === "audio" && s.packetsReceived > 0) return performance.now() - begin;
        }
      }
      if (performance.now() - begin > 10000) return Infinity;
      await new Promise((r) => setTimeout(r, 10));
    }
  });
  assert.ok(took < Infinity, "sound comes");
  w.speed("from the click of who listens to the first sound", took, 1000);
  await heard(pages.supervisor, hz.caller);
  await heard(pages.supervisor, hz.operator);
  await pages.operator.locator('.guests [data-mode="listen"]').getByText("слушает").waitFor();
  assert.ok((await w.level(pages.operator, hz.supervisor)) < -80, "a listener is not heard by the operator");
  assert.ok((await w.level(pages.caller, hz.supervisor)) < -80, "nor by the caller");
  await w.shot(pages.supervisor, "guest-listens");
});

test("a whisper reaches the operator and never the caller", async () => {
  await button("whisper").click();
  await pages.operator.locator('.guests [data-mode="whisper"]').getByText("шепчет вам").waitFor();
  await heard(pages.operator, hz.supervisor);
  const leak = await w.level(pages.caller, hz.supervisor, 4000);
  const own = await w.level(pages.caller, hz.operator);
  const packets = await guestPackets(pages.caller, 1);
  console.log(`whisper: ${(await w.level(pages.operator, hz.supervisor)).toFixed(0)} dB at the operator, ${leak.toFixed(0)} dB and ${packets} packets at the caller (the operator there: ${own.toFixed(0)} dB)`);
  assert.equal(packets, 0);
  assert.ok(leak < -80, `${leak} dB`);
  assert.ok(own > -60, "the caller hears the operator meanwhile");
  assert.equal(await pages.caller.getByText("Старший смены").count(), 0, "the caller is not told either");
  await w.shot(pages.operator, "guest-whispers");
});

test("who joins is heard by both, and both are told", async () => {
  await button("speak").click();
  await heard(pages.caller, hz.supervisor);
  await heard(pages.operator, hz.supervisor);
  await pages.caller.getByText("С вами говорит ещё один сотрудник").waitFor();
  await pages.operator.locator('.guests [data-mode="speak"]').getByText("говорит со всеми").waitFor();
  await w.shot(pages.caller, "guest-speaks");
  await button("listen").click();
  await pages.operator.locator('.guests [data-mode="listen"]').waitFor();
  await w.until("the caller hears them no more", async () => (await w.level(pages.caller, hz.supervisor, 600)) < -80);
});

test("a reloaded page is still in the call and listens", async () => {
  await button("whisper").click();
  await heard(pages.operator, hz.supervisor);
  await pages.supervisor.reload();
  await pages.supervisor.locator(".guestbar").waitFor();
  await heard(pages.supervisor, hz.caller);
  await pages.operator.locator('.guests [data-mode="listen"]').waitFor();
});

test("the pages are usable by everybody", async () => {
  for (const who of ["operator", "supervisor"]) {
    const { violations } = await new w.AxeBuilder({ page: pages[who] }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
    assert.deepEqual(violations.map((v) => `${who}: ${v.id}: ${v.nodes[0].html}`), []);
  }
});

test("taking over moves the call, and the operator is told", async () => {
  await button("takeover").click();
  await pages.operator.getByText(/забрал\(а\)/).waitFor();
  await pages.supervisor.locator(".callhead").waitFor();
  await heard(pages.caller, hz.supervisor);
  await w.until("the operator is out", async () => (await w.level(pages.caller, hz.operator, 600)) < -80);
  await heard(pages.supervisor, hz.caller);
  await w.shot(pages.operator, "guest-takeover");
});

async function ask(login, method, route, body) {
  const init = { method, headers: { "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) };
  if (login) init.headers.Authorization = `Bearer ${login}`;
  const res = await fetch(`${g.url}/api/v1${route}`, init);
  const text = await res.text();
  assert.ok(res.ok, `${method} ${route}: ${res.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

test("the archive has every voice and who could hear it, and proves itself", async () => {
  await pages.caller.locator("button.end").click();
  await pages.caller.locator("button.end").click();
  const form = pages.supervisor.locator("form[data-finish]");
  await form.waitFor();
  for (const box of await form.locator("select").all()) await box.selectOption({ index: 1 });
  for (const name of await form.evaluate((f) => [...new Set([...f.querySelectorAll("input[type=radio]")].map((i) => i.name))])) await form.locator(`input[name="${name}"]`).first().check({ force: true });
  await pages.supervisor.keyboard.press("F10");
  const { token } = await ask("", "POST", "/staff/session", { login: "investigator", password: w.password });
  const row = await w.until("the recording is sealed", async () => {
    const { calls } = await ask(token, "GET", "/evidence/calls");
    return calls[0].recording === "sealed" && calls[0];
  });
  await ask(token, "POST", `/evidence/calls/${row.call}/opening`, { case: "24-17", reason: "проверка" });
  const { timeline, archive } = await ask(token, "GET", `/evidence/calls/${row.call}`);
  const roles = timeline.media.filter((m) => m.audio).map((m) => m.role);
  for (const role of ["caller", "operator", "supervisor"]) assert.ok(roles.includes(role), `${role} of ${roles}`);
  assert.deepEqual(timeline.events.map((e) => e.details?.body?.heard).filter(Boolean), ["nobody", "operator", "all", "nobody", "operator", "nobody"]);
  assert.ok(timeline.events.some((e) => e.kind === "taken_over"));
  const dir = path.join(g.data, "archive", archive.dir);
  await w.until("the proof that the seal is in the site's log", () => fs.existsSync(path.join(dir, "proofs/seal.tlog-proof")));
  const { levels } = JSON.parse(spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", dir, "--json"]).stdout);
  const proven = levels.map((l) => `${l.level} ${l.state}`);
  assert.deepEqual(proven.slice(0, 5), ["V0 passed", "V1 passed", "V2 passed", "V3 partial", "V4 passed"], "nobody outside signs the log of a demo");
});

test("the portal plays every participant", async () => {
  const c = await w.context(browsers.operator, { lang: "ru-RU", viewport: { width: 1280, height: 900 } });
  const page = await c.newPage();
  page.on("pageerror", (e) => trouble.push(`portal: ${e.message}`));
  await page.goto(`${g.url}/evidence`);
  await page.locator("input").nth(0).fill("investigator");
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText(/\d\d-\d{6}/).first().click();
  await page.locator(".lanes").getByText("Старший смены").first().waitFor();
  assert.equal(await page.locator(".sides audio, .sides video").count(), 4, "who took over has one medium as a guest and one as the owner");
  await page.locator(".log").getByText("ТОЛЬКО оператор").first().waitFor();
  await w.until("each can be played", () => page.evaluate(() => [...document.querySelectorAll(".sides audio, .sides video")].every((m) => m.readyState >= 1 && m.duration > 0)));
  await w.shot(page, "guest-portal");
  assert.deepEqual(trouble, []);
});
