// Two patrols on their phones, a caller and an operator, each a real browser with a tone of its own: duty,
// the task, words without a network, the live call, a photo into the case, the end with its reply.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const hz = { caller: 440, operator: 880, patrol: 1550 }; // none is a harmonic of another
let g;
const browsers = {};
const pages = {};
const trouble = [];
const at = { latitude: 54.8853, longitude: 69.1628, accuracy: 9 };

before(async () => {
  g = await w.gateway();
  for (const who of Object.keys(hz)) browsers[who] = await w.browser({ wav: w.tone(hz[who]) });
});

after(async () => {
  for (const b of Object.values(browsers)) await b.close();
  await g?.stop();
});

async function ask(token, method, route, body, status = 0) {
  const res = await fetch(`${g.url}/api/v1${route}`, { method, headers: { Authorization: `Bearer ${token}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await res.text();
  if (status) assert.equal(res.status, status, text);
  else assert.ok(res.ok, `${method} ${route}: ${res.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

const tokens = {};
async function as(login) {
  tokens[login] ??= (await ask("", "POST", "/staff/session", { login, password: w.password })).token;
  return tokens[login];
}

/** Opens the page of a patrol on a phone of its own and signs in. */
async function phone(login, { lang = "ru-RU", theme = "dark", viewport = { width: 390, height: 844 } } = {}) {
  const c = await w.context(browsers.patrol, { lang, theme, viewport, geo: at, permissions: ["geolocation", "microphone", "notifications"] });
  const page = await c.newPage();
  page.on("pageerror", (e) => trouble.push(`${login}: ${e.message}`));
  await page.goto(`${g.url}/patrol`);
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill(w.password);
  await page.keyboard.press("Enter");
  await page.locator(".duty .state").waitFor();
  return page;
}

async function check(page, name) {
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
  await page.screenshot({ path: path.join(w.shots, `${name}.png`), fullPage: true });
}

/** The patrol of a login as the board has it. */
async function row(name) {
  return (await ask(await as("dispatcher"), "GET", "/patrols")).patrols.find((p) => p.name === name);
}

async function send(name, id) {
  const near = (await ask(await as("dispatcher"), "GET", `/cases/${id}/proposals`)).patrols.find((p) => p.name === name);
  await ask(await as("dispatcher"), "POST", `/cases/${id}/acts`, { act: "send", patrol: near.patrol, reason: near.words.ru });
}

let call;

test("a patrol goes on duty by one tap, and the centre sees where it is and how old that is", async () => {
  pages.patrol = await phone("patrol14");
  await check(pages.patrol, "patrol-off");
  await pages.patrol.locator(".duty .go").click();
  await pages.patrol.locator('.state[data-state="available"]').waitFor();
  await pages.patrol.locator('.mine[data-state="on"] .age').waitFor();
  const r = await w.until("the board has the position", async () => {
    const r = await row("П-14");
    return r?.fixMs > 0 && r;
  });
  assert.ok(Math.abs(r.lat - at.latitude) < 1e-6 && r.accuracyM === 9, JSON.stringify(r));
  w.speed("the age of a position that the board has", Date.now() - r.fixMs, 5000);
  await pages.patrol.context().setGeolocation({ ...at, latitude: at.latitude + 0.001 });
  const moved = Date.now();
  await w.until("the board has the new position", async () => Math.abs((await row("П-14")).lat - at.latitude - 0.001) < 1e-6);
  console.log(`a new position is on the board ${Date.now() - moved} ms after the phone has it (told every 3 s on the move)`);
  await check(pages.patrol, "patrol-idle");
});

test("a task rings within two seconds, with the place, the way there and what to say next", async () => {
  const c = await w.context(browsers.caller, { lang: "ru-RU" });
  pages.caller = await c.newPage();
  pages.caller.on("pageerror", (e) => trouble.push(`caller: ${e.message}`));
  const d = await w.context(browsers.operator, { lang: "ru-RU", viewport: { width: 1280, height: 800 }, theme: "dark" });
  pages.operator = await d.newPage();
  await pages.operator.goto(`${g.url}/console`);
  await pages.operator.locator("input").nth(0).fill("operator");
  await pages.operator.locator("input").nth(1).fill(w.password);
  await pages.operator.keyboard.press("Enter");
  await pages.operator.getByText("Заступить на смену").waitFor();
  await pages.operator.keyboard.press("F2");
  await pages.caller.goto(g.url);
  await pages.caller.locator(".doors button").nth(1).click(); // a voice call
  await pages.operator.locator(".offer").waitFor();
  await pages.operator.keyboard.press("F2");
  await pages.caller.getByText("Оператор на связи").waitFor();
  call = await w.until("the call has its case with a place", async () => {
    const { cases } = await ask(await as("dispatcher"), "GET", "/cases");
    return cases[0]?.lat !== undefined && cases[0];
  });
  await ask(await as("operator"), "POST", `/cases/${call.case}/acts`, { act: "add", line: { id: "n1", what: "note", text: "Ссора на третьем этаже, слышны крики" } });
  await ask(await as("operator"), "POST", `/cases/${call.case}/acts`, { act: "add", line: { id: "v1", what: "vehicle", name: "123 ABC 15", text: "серая Lada" } });
  await ask(await as("operator"), "POST", `/cases/${call.case}/acts`, { act: "add", line: { id: "p1", what: "place", place: { words: "Абая 24, третий подъезд" } } });
  const begun = Date.now();
  await send("П-14", call.case);
  await pages.patrol.locator(".banner.new").waitFor();
  w.speed("until a task is on the phone", Date.now() - begun, 2000);
  assert.equal(await pages.patrol.locator('[data-how="next"]').getAttribute("data-word"), "accepted");
  for (const word of ["Ссора на третьем этаже", "123 ABC 15", "Абая 24, третий подъезд", "54.87530, 69.16280", "±12 м"]) await pages.patrol.getByText(word).first().waitFor();
  assert.match(await pages.patrol.locator(".far").textContent(), /1,2 км/); // 11 hundredths of a degree of latitude
  await pages.patrol.getByText(/Петропавл/).first().waitFor(); // the address in words
  assert.match(await pages.patrol.locator("a.way").getAttribute("href"), /^geo:54\.8753/);
  await pages.patrol.locator(".ways button").click();
  assert.match(await pages.patrol.locator(".others a").first().getAttribute("href"), /^https:\/\/2gis\.kz\/.*69\.1628/);
  const next = await pages.patrol.locator('[data-how="next"]').boundingBox();
  for (const b of await pages.patrol.locator(".word").all()) assert.ok((await b.boundingBox()).height >= 64);
  assert.ok(next.height >= 90 && next.width > 300);
  await check(pages.patrol, "patrol-new");
});

test("the map is there when it is asked for", async () => {
  await pages.patrol.locator(".where > button").last().click();
  await pages.patrol.locator(".where .map canvas").waitFor();
  await pages.patrol.waitForTimeout(1500);
  await pages.patrol.locator(".where .map").scrollIntoViewIfNeeded();
  await w.shot(pages.patrol, "patrol-map");
  await pages.patrol.locator(".where > button").last().click();
});

const heard = (page, at) => w.until(`${at} Hz is heard`, async () => (await w.level(page, at, 400)) > -60);

test("one tap joins the live call listening, a second speaks, and a third leaves", async () => {
  const p = pages.patrol;
  await p.locator('.word[data-word="accepted"]').click();
  await p.locator('.state[data-state="accepted"]').waitFor();
  assert.equal(await p.locator(".banner.new").count(), 0, "an accepted task rings no more");
  await p.locator(".listen").click();
  await p.locator('.livebar[data-mode="listen"]').waitFor();
  await heard(p, hz.caller);
  await heard(p, hz.operator);
  assert.ok((await w.level(pages.caller, hz.patrol)) < -80, "a listener is not heard by the caller");
  assert.ok((await w.level(pages.operator, hz.patrol)) < -80, "nor by the operator");
  await check(p, "patrol-listens");
  await p.locator(".livebar .go").click();
  await p.locator('.livebar[data-mode="speak"]').waitFor();
  await heard(pages.caller, hz.patrol);
  await heard(pages.operator, hz.patrol);
  await pages.caller.getByText("С вами говорит патруль П-14").waitFor();
  await check(p, "patrol-speaks");
  await p.locator(".livebar .two button").nth(1).click();
  await p.locator(".listen").waitFor();
  await w.until("the caller hears them no more", async () => (await w.level(pages.caller, hz.patrol, 600)) < -80);
});

test("a call for help takes a second's hold, stands on the console until it is answered, and outlives a lost network", async () => {
  const p = pages.patrol;
  const button = p.locator(".panic button");
  const hold = async (ms) => {
    const box = await button.boundingBox();
    await p.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await p.mouse.down();
    await p.waitForTimeout(ms);
    await p.mouse.up();
  };
  await hold(500);
  await p.waitForTimeout(800);
  assert.equal(await pages.operator.locator(".alarm").count(), 0, "a touch in passing is no call for help");
  await p.context().setOffline(true);
  await hold(1200);
  await p.getByText("Нет связи: сообщите по рации").waitFor();
  await check(p, "patrol-alarm-lost");
  const begun = Date.now();
  await p.context().setOffline(false);
  const alarm = pages.operator.locator('.alarm[role="alert"]');
  await alarm.getByText("ТРЕВОГА · П-14").waitFor();
  console.log(`a call for help is on the console ${Date.now() - begun} ms after the network is back`);
  await alarm.getByText("54.88630, 69.16280").waitFor();
  await p.getByText("Центр видит тревогу").waitFor();
  await w.shot(pages.operator, "patrol-alarm-console");
  const { violations } = await new w.AxeBuilder({ page: pages.operator }).include(".alarms").withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  const low = await pages.operator.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  assert.ok(low <= 1, `the console is ${low} px higher than the screen`);
  await pages.operator.keyboard.press("Control+F2");
  await p.getByText("Тревогу принял(а): Оператор 1").waitFor();
  await pages.operator.locator(".alarm.answered").getByText("принял(а): Оператор 1").waitFor();
  await check(p, "patrol-alarm-answered");
});

test("words without a network are kept with their time and told in order", async () => {
  const p = pages.patrol;
  await p.context().setOffline(true);
  await p.locator('.word[data-word="en_route"]').click();
  await p.locator('.word[data-word="on_scene"][data-how="next"]').click();
  await p.locator(".add textarea").fill("Дверь закрыта, звоним");
  await p.locator(".add form button").click();
  await p.locator(".waiting li").nth(2).waitFor();
  assert.equal(await p.locator('[data-how="next"]').getAttribute("data-word"), "cleared", "the next button goes on without a network");
  await p.getByText("Нет интернета.").waitFor();
  const before = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
  assert.equal(before.status, "patrol_sent");
  assert.equal(before.sendings[0].enRouteMs, 0);
  await check(p, "patrol-offline");
  await p.reload().catch(() => undefined); // the page itself needs a network; what waits is on the phone
  await p.context().setOffline(false);
  await p.goto(`${g.url}/patrol`);
  await p.locator('.state[data-state="on_scene"]').waitFor();
  await w.until("all of it is told, and nothing waits", async () => {
    const { card } = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
    return card.some((l) => l.text === "Дверь закрыта, звоним") && (await p.locator(".waiting").count()) === 0;
  });
  const v = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
  const s = v.sendings[0];
  assert.ok(v.status === "on_scene" && s.acceptedMs > 0 && s.enRouteMs >= s.acceptedMs && s.onSceneMs >= s.enRouteMs, JSON.stringify(s));
  assert.equal(v.card.filter((l) => l.text === "Дверь закрыта, звоним").length, 1);
  await pages.caller.locator("button.end").waitFor(); // the call goes on
});

test("a photo goes into the case bit by bit", async () => {
  const p = pages.patrol;
  const file = path.join(os.tmpdir(), `jedel-patrol-${process.pid}.jpg`);
  await p.screenshot({ path: file, type: "jpeg" });
  const raw = fs.readFileSync(file);
  fs.rmSync(file);
  await p.locator(".take input").first().setInputFiles({ name: "Дверь.jpg", mimeType: "image/jpeg", buffer: raw });
  const declared = await w.until("the file is declared", async () => {
    const { recordings } = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
    return recordings.find((r) => r.kind === "patrol" && r.files.length === 1);
  });
  assert.equal(declared.files[0].sha256, crypto.createHash("sha256").update(raw).digest("hex"));
  assert.equal(declared.files[0].name, "Дверь.jpg");
  assert.ok(Math.abs(declared.files[0].lat - at.latitude) < 0.01, "with the place where it was taken");
  await p.locator('.shots li[data-state="sent"]').waitFor({ timeout: 30000 });
  const res = await fetch(`${g.url}/api/v1/cases/${call.case}/files/${declared.call}/${declared.files[0].file}`, { headers: { Authorization: `Bearer ${await as("dispatcher")}` } });
  assert.ok(Buffer.from(await res.arrayBuffer()).equals(raw), "not the bytes that were taken");
  await check(p, "patrol-photo");
});

test("a second crew declines with a reason, which is on the card", async () => {
  const second = await phone("patrol06", { lang: "kk-KZ", theme: "light", viewport: { width: 320, height: 640 } });
  await second.locator(".duty .go").click();
  await w.until("it is on the board", async () => (await row("П-06"))?.fixMs > 0);
  await send("П-06", call.case);
  await second.locator(".banner.new").waitFor();
  await check(second, "patrol-new-kk-320");
  await pages.patrol.locator('.word[data-word="cleared"]').click();
  await w.shot(pages.patrol, "patrol-colleague");
  await pages.patrol.getByText("Здесь ещё один экипаж").waitFor();
  assert.ok(await pages.patrol.locator(".sheet .two button").nth(1).isDisabled(), "nobody closes a case under a colleague");
  await pages.patrol.locator(".sheet > button").last().click();
  await second.locator(".decline").click();
  await second.locator(".sheet .two button").nth(2).click();
  await check(second, "patrol-decline-kk-320");
  await second.locator(".sheet .stop").click();
  await second.locator('.state[data-state="available"]').waitFor();
  const v = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
  assert.ok(v.card.some((l) => l.by === "П-06" && /Көлік ақаулы/.test(l.text)), JSON.stringify(v.card));
  assert.equal(v.sendings.find((s) => s.name === "П-06").why, "declined");
  const last = (await row("П-06")).fixMs;
  await second.locator(".duty .huge").click(); // off duty
  await second.locator('.state[data-state="off"]').waitFor();
  await second.context().setGeolocation({ ...at, latitude: at.latitude + 0.01 });
  await second.waitForTimeout(4000);
  const gone = await row("П-06");
  assert.ok(gone === undefined || gone.fixMs === last, "a position was sent off duty");
  await second.context().close();
});

test("the patrol closes the case from the scene and the caller gets the reply on their page", async () => {
  const p = pages.patrol;
  await pages.caller.locator("button.end").click();
  await pages.caller.locator("button.end").click();
  await pages.caller.locator(".ended").waitFor();
  await p.locator('.word[data-word="cleared"]').click();
  await p.locator(".sheet textarea").first().fill("Конфликт улажен, стороны разошлись");
  await p.locator(".sheet .two button").nth(1).click();
  await p.locator(".sheet select").selectOption({ index: 1 });
  const reply = await p.locator(".sheet textarea").nth(1).inputValue();
  assert.ok(reply.length > 10, "the usual reply is offered in the caller's language");
  await check(p, "patrol-finish");
  await p.locator(".sheet .go").click();
  await p.locator(".banner.done").waitFor();
  await p.locator(".banner.done button").click(); // taken back
  await p.locator(".words").waitFor();
  await p.locator('.word[data-word="cleared"]').click();
  await p.locator(".sheet .two button").nth(1).click();
  await p.locator(".sheet select").selectOption({ index: 1 });
  await p.locator(".sheet .go").click();
  await p.locator(".banner.done").waitFor();
  await check(p, "patrol-closed");
  await p.locator('.state[data-state="available"]').waitFor({ timeout: 20000 });
  assert.equal(await p.locator(".task").count(), 0);
  const v = await ask(await as("dispatcher"), "GET", `/cases/${call.case}`);
  assert.ok(v.status === "closed" && v.card.some((l) => l.text === "Конфликт улажен, стороны разошлись"));
  assert.deepEqual(trouble, []);
});
