// The dispatcher's board in a real browser over a real gateway: cases and patrols as they come, two
// actions to send, what happens when the patrol is silent, gone or taken by somebody else; the wall of
// cameras; the layout of navigation.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import * as w from "./world.mjs";

const out = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-board-"));
let g;
let b;
const players = [];

async function play(...args) {
  const port = await new Promise((resolve) => {
    const s = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
  const child = spawn(path.join(w.root, "bin/callbot"), ["cameras", "--listen", `127.0.0.1:${port}`, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  child.ended = new Promise((resolve) => child.once("exit", resolve));
  players.push(child);
  return `rtsp://127.0.0.1:${port}`;
}

before(async () => {
  const url = await play("c1", "c2", "c3", "c4", "c5");
  const file = path.join(out, "jedel.yaml");
  const places = [[54.8755, 69.163], [54.88, 69.15], [54.87, 69.17], [54.865, 69.14], [54.95, 69.3]];
  const names = ["Площадь", "Вокзал", "Рынок", "Парк", "Мост"];
  fs.writeFileSync(file, `cameras:\n  linger: 3s\n  list:\n${places.map(([lat, lon], i) => `    - {id: c${i + 1}, name: {kk: "${names[i]} kk", ru: "${names[i]}", en: "${names[i]} en"}, url: "${url}/c${i + 1}", lat: ${lat}, lon: ${lon}}\n`).join("")}`);
  g = await w.gateway({ args: ["--config", file] });
  b = await w.browser();
});

after(async () => {
  await b?.close();
  await g?.stop();
  for (const p of players) {
    p.kill("SIGTERM");
    await p.ended;
  }
  fs.rmSync(out, { recursive: true, force: true });
});

afterEach(async () => {
  for (const c of b?.contexts() ?? []) await c.close(); // a page of a test that failed
  await tidy();
});

async function ask(method, at, { token, key, body, status } = {}) {
  const headers = { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(key ? { "X-Report-Key": key } : {}), "Content-Type": "application/json" };
  const r = await fetch(`${g.url}/api/v1${at}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const v = r.status === 204 ? {} : await r.json().catch(() => ({}));
  if (status ? r.status !== status : !r.ok) throw new Error(`${method} ${at}: ${r.status} ${JSON.stringify(v)}`);
  return v;
}

const tokens = new Map();
async function as(login) {
  if (!tokens.has(login)) tokens.set(login, (await ask("POST", "/staff/session", { body: { login, password: w.password } })).token);
  return tokens.get(login);
}

const unit = async (name) => (await ask("GET", "/patrols", { token: await as("supervisor") })).patrols.find((p) => p.name === name);
const fix = (lat, lon, accuracyM = 8) => ({ lat, lon, accuracyM, source: "device", clientMs: Date.now(), serverMs: 0 });
const duty = async (login, on) => ask("PUT", "/patrol/duty", { token: await as(login), body: { on } });
const at = async (login, lat, lon) => ask("PUT", "/patrol/fix", { token: await as(login), body: fix(lat, lon) });
const say = async (login, id, what) => ask("POST", `/patrol/cases/${id}/words`, { token: await as(login), body: { what } });

/** A report of a citizen; a case at once. */
async function report(kind, place, text = "x") {
  const r = await ask("POST", "/reports", { key: randomBytes(16).toString("base64url"), body: { ref: randomBytes(6).toString("hex"), kind, text, lang: "ru", ...(place ? { fix: fix(...place) } : {}) } });
  return { id: r.report, number: r.number };
}

async function console_(login, { lang = "ru-RU", theme = "light", viewport = { width: 1440, height: 900 }, room = "", browser = b } = {}) {
  const c = await w.context(browser, { lang, theme, viewport });
  const page = await c.newPage();
  await page.goto(`${g.url}/console${room}`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.locator(".bar").waitFor();
  return page;
}

const row = (page, id) => page.locator(`[data-case="${id}"]`);
const closeCase = async (id) => {
  const token = await as("supervisor");
  await ask("POST", `/cases/${id}/acts`, { token, body: { act: "close", outcome: (await ask("GET", "/cases/choices")).outcomes[0].code, text: "Спасибо" } });
};

/** Ends what earlier tests left: open cases are closed, patrols go home. */
async function tidy() {
  const token = await as("supervisor");
  for (const c of (await ask("GET", "/cases?open=1", { token })).cases) {
    const v = await ask("GET", `/cases/${c.case}`, { token });
    for (const s of v.sendings.filter((x) => x.endedMs === 0)) await ask("POST", `/cases/${c.case}/acts`, { token, body: { act: "recall", patrol: s.patrol } });
    await closeCase(c.case);
  }
  for (const p of ["patrol1", "patrol2", "patrol3", "patrol4", "patrol5", "patrol6"]) await duty(p, false);
}

async function axe(page, name) {
  const found = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(found.violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target)}`), [], name);
}

test("the nearest patrol is sent by two actions, its words are on the board, and the sending is taken back", async () => {
  const page = await console_("dispatcher");
  await page.getByText("Открытых дел нет").waitFor(); // the board is where a dispatcher begins
  await page.getByText("На дежурстве нет патрулей.").waitFor();
  await w.shot(page, "board-empty");
  for (const [login, lat, lon] of [["patrol1", 54.89, 69.16], ["patrol2", 54.88, 69.16], ["patrol3", 54.884, 69.163]]) {
    await duty(login, true);
    await at(login, lat, lon);
  }
  await duty("patrol4", true); // nobody knows where it is
  await page.locator('[data-patrol="Патруль 3"]').waitFor();
  const quiet = await report("parking", [54.87, 69.16]);
  const begun = Date.now();
  const c = await report("driving", [54.8753, 69.1628]);
  const kept = Date.now();
  await row(page, c.id).waitFor();
  console.log(`a report: registered after ${kept - begun} ms, on the board ${Date.now() - kept} ms later`);
  await page.locator(`[data-case="${c.id}"][data-need="assign"]`).waitFor();

  await page.keyboard.press("Alt+KeyQ"); // the list: the first is chosen
  await w.until("a case is chosen", async () => (await page.locator('.boardrow[aria-pressed="true"]').count()) === 1);
  if ((await row(page, c.id).getAttribute("aria-pressed")) !== "true") await row(page, c.id).click();
  await w.until("the proposals in order", async () => (await page.locator("[data-proposed]").evaluateAll((l) => l.map((e) => e.dataset.proposed).join())) === "Патруль 2,Патруль 3,Патруль 1");
  await page.getByRole("button", { name: /Почему не другие/ }).click();
  await page.locator('[data-left="Патруль 4"][data-by="nowhere"]').getByText("положение неизвестно").waitFor();
  await axe(page, "a case is chosen");
  await w.shot(page, "board-proposals");

  const moved = Date.now();
  await at("patrol3", 54.8757, 69.163); // drives past: now the nearest
  await w.until("the proposals follow", async () => (await page.locator("[data-proposed]").first().getAttribute("data-proposed")) === "Патруль 3", 4000);
  console.log(`proposals follow a position after ${Date.now() - moved} ms`);

  await page.keyboard.press("Alt+Digit1"); // the second action
  await page.locator('[data-sending="Патруль 3"]').waitFor();
  await page.locator(`[data-case="${c.id}"][data-need="assigned"]`).waitFor();
  await page.locator(".toast").getByText("Патруль 3 послан.").waitFor();
  assert.equal((await ask("GET", "/patrol", { token: await as("patrol3") })).task.case, c.id);
  await page.locator(".toast").getByRole("button", { name: "Отменить" }).click();
  await page.locator(`[data-case="${c.id}"][data-need="assign"]`).waitFor();
  assert.equal((await ask("GET", "/patrol", { token: await as("patrol3") })).state, "available");

  await w.until("the recalled one is proposed again", async () => (await page.locator("[data-proposed]").first().getAttribute("data-proposed")) === "Патруль 3");
  await page.keyboard.press("Alt+Digit1");
  await page.locator('[data-sending="Патруль 3"]').waitFor();
  for (const word of ["accepted", "en_route", "on_scene"]) {
    const said = Date.now();
    await say("patrol3", c.id, word);
    await page.locator(`[data-case="${c.id}"][data-need="${word}"]`).waitFor();
    await page.locator(`[data-patrol="Патруль 3"][data-state="${word}"]`).waitFor();
    console.log(`"${word}" is on the board after ${Date.now() - said} ms`);
  }
  await page.getByLabel(/Записка патрулю/).fill("Вход со двора");
  await page.getByRole("button", { name: "Записать" }).click();
  await w.until("the patrol sees the note", async () => (await ask("GET", "/patrol", { token: await as("patrol3") })).task.card.some((l) => l.text === "Вход со двора"));

  await w.until("others are proposed", async () => (await page.locator("[data-proposed]").first().getAttribute("data-proposed")) === "Патруль 2");
  await page.keyboard.press("Alt+Digit1"); // a second patrol
  await page.locator('[data-sending="Патруль 2"]').waitFor();
  await w.shot(page, "board-onscene");
  await page.locator('[data-sending="Патруль 2"]').getByRole("button").click();
  await w.until("it is recalled", async () => (await page.locator('[data-sending="Патруль 2"]').count()) === 0);

  await page.getByRole("button", { name: "Закрыть дело…" }).click();
  await page.getByLabel("Итог").selectOption({ index: 1 });
  await page.getByRole("button", { name: "Закрыть", exact: true }).first().click();
  await w.until("the case is gone from the list", async () => (await row(page, c.id).count()) === 0);
  await page.locator(".toast").getByRole("button", { name: "Отменить" }).click();
  await row(page, c.id).waitFor();
  await closeCase(c.id);
  await closeCase(quiet.id);
  await page.getByText(/Открытых дел нет, последнее закрыто в \d\d:\d\d/).waitFor();
  await w.until("its patrol is free", async () => (await page.locator('[data-patrol="Патруль 3"][data-state="available"]').count()) === 1, 20000);
  await page.context().close();
});

test("a fix of a patrol's phone is drawn on the board within a second", async () => {
  await duty("patrol1", false); // its last place is forgotten: the next is no jump
  await duty("patrol1", true);
  const page = await console_("dispatcher", { room: "#board" });
  await page.locator('[data-patrol="Патруль 1"]').waitFor();
  await page.keyboard.press("Alt+KeyL");
  const cell = page.locator(".boardtwin tr", { hasText: "Патруль 1" }).locator("td").nth(1);
  await cell.waitFor();
  const took = [];
  for (let i = 0; i < 12; i++) {
    const lat = 54.86 + i / 10000;
    const begun = Date.now();
    await at("patrol1", lat, 69.16);
    await page.waitForFunction(([want]) => [...document.querySelectorAll(".boardtwin td")].some((td) => td.textContent.includes(want)), [lat.toFixed(5)], { polling: 10 });
    took.push(Date.now() - begun);
    await page.waitForTimeout(100 + 70 * (i % 5));
  }
  took.sort((x, y) => x - y);
  console.log(`fix sent to drawn, ms: median ${took[6]}`);
  w.speed("the latest of 12 fixes sent to drawn", took.at(-1), 1000);
  await axe(page, "as a list");
  await page.context().close();
});

test("a patrol that does not answer turns its case yellow, one that answers late turns it back", async () => {
  for (const p of ["patrol1", "patrol2", "patrol3"]) await duty(p, false).catch(() => undefined);
  await duty("patrol5", true);
  await at("patrol5", 54.88, 69.16);
  const c = await report("public_order", [54.8753, 69.1628]);
  const page = await console_("dispatcher", { room: `#board?case=${c.id}` });
  await page.locator('[data-proposed="Патруль 5"]').waitFor();
  await page.keyboard.press("Alt+Digit1");
  await page.locator('[data-sending="Патруль 5"]').getByText(/на ответ \d+ с/).waitFor();
  await page.locator(`[data-case="${c.id}"][data-need="late"]`).waitFor({ timeout: 40000 });
  await page.locator('[data-sending="Патруль 5"][data-late="true"]').getByText(/не отвечает уже/).waitFor();
  await w.shot(page, "board-late");
  await axe(page, "late");
  await say("patrol5", c.id, "accepted");
  await page.locator(`[data-case="${c.id}"][data-need="accepted"]`).waitFor();
  await say("patrol5", c.id, "cleared");
  await closeCase(c.id);
  await page.context().close();
});

test("of two who send one patrol at once one wins and the other reads why; whoever went home is not sent", async () => {
  await duty("patrol6", true);
  await at("patrol6", 54.88, 69.16);
  for (const p of ["patrol1", "patrol2", "patrol3", "patrol4", "patrol5"]) await duty(p, false).catch(() => undefined);
  const [one, two] = [await report("public_order", [54.8753, 69.1628]), await report("noise", [54.8754, 69.1628])];
  const pages = [await console_("dispatcher", { room: `#board?case=${one.id}` }), await console_("supervisor", { room: `#board?case=${two.id}` })];
  for (const p of pages) await p.locator('[data-proposed="Патруль 6"]').waitFor();
  for (const p of pages) await p.route("**/proposals", (r) => r.abort()); // both still see what they saw
  await Promise.all(pages.map((p) => p.keyboard.press("Alt+Digit1")));
  const loser = await w.until("somebody is refused", async () => {
    for (const p of pages) if (await p.locator(".toast.bad").getByText(/Патруль не свободен.*Патруль 6 сейчас на деле/).count()) return p;
  }, 30000);
  const task = (await ask("GET", "/patrol", { token: await as("patrol6") })).task.case;
  assert.equal(task, loser === pages[0] ? two.id : one.id);
  await w.shot(loser, "board-refused");
  for (const p of pages) await p.locator(`[data-case="${task}"][data-need="assigned"]`).waitFor();
  await ask("POST", `/cases/${task}/acts`, { token: await as("supervisor"), body: { act: "recall", patrol: (await unit("Патруль 6")).patrol } });

  // It goes home between the proposal and the key: the board has not heard of it yet.
  const page = pages[0];
  await page.unroute("**/proposals");
  await page.locator('[data-proposed="Патруль 6"]').waitFor({ timeout: 30000 });
  await page.route("**/proposals", (r) => r.abort());
  await duty("patrol6", false);
  await page.keyboard.press("Alt+Digit1");
  await page.locator(".toast.bad").getByText(/Патруль не свободен/).waitFor();
  assert.equal((await ask("GET", `/cases/${one.id}`, { token: await as("dispatcher") })).sendings.filter((s) => s.endedMs === 0).length, 0);
  await closeCase(one.id);
  await closeCase(two.id);
  for (const p of pages) await p.context().close();
});

test("navigation moves the place of a case by coordinates and by the map, and cannot send", async () => {
  await duty("patrol6", true);
  await at("patrol6", 54.88, 69.16);
  const c = await report("public_order", undefined, "не знаю где я");
  const page = await console_("navigation");
  await row(page, c.id).click();
  await page.locator(".chosen").getByText("место неизвестно").waitFor();
  assert.equal(await page.getByRole("button", { name: /Послать/ }).count(), 0);
  await page.keyboard.press("Alt+Digit1");
  await page.getByRole("searchbox").fill("54.8801, 69.1502");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: `Передать в дело № ${c.number}` }).click();
  await page.locator(".chosen").getByText("54.88010, 69.15020").waitFor();
  await page.locator('[data-proposed="Патруль 6"]').getByText(/м|км/).first().waitFor(); // the position is there: so are distances
  await page.locator(".toast").getByRole("button", { name: "Отменить" }).click();
  await page.locator(".chosen").getByText("место неизвестно").first().waitFor();
  await page.getByRole("button", { name: "Переставить место" }).click();
  await page.locator(".boardmap .maplibregl-canvas").click({ position: { x: 200, y: 200 } });
  await w.until("the place is on the card", async () => (await ask("GET", `/cases/${c.id}`, { token: await as("navigation") })).lat !== undefined);
  assert.equal((await ask("GET", `/cases/${c.id}`, { token: await as("navigation") })).sendings.length, 0);
  const { patrol } = await unit("Патруль 6");
  assert.equal((await ask("POST", `/cases/${c.id}/acts`, { token: await as("navigation"), body: { act: "send", patrol }, status: 403 })).error.code, "forbidden");
  await page.getByRole("button", { name: "Измерить" }).click();
  await page.locator(".boardmap .maplibregl-canvas").click({ position: { x: 100, y: 100 } });
  await page.locator(".boardmap .maplibregl-canvas").click({ position: { x: 300, y: 100 } });
  await page.locator(".boardmap [role=status]").getByText(/\d+ м|км/).first().waitFor();
  await w.shot(page, "board-navigation");
  await axe(page, "navigation");
  await closeCase(c.id);
  await page.context().close();
});

test("without WebGL the list stands in for the map", async () => {
  const blind = await w.browser({ args: ["--disable-3d-apis"] });
  try {
    const c = await report("public_order", [54.8753, 69.1628]);
    const page = await console_("dispatcher", { browser: blind });
    await page.locator(".boardtwin").getByRole("button", { name: new RegExp(c.number) }).press("Enter");
    await page.locator(".chosen").getByText(c.number).waitFor();
    await closeCase(c.id);
  } finally {
    await blind.close();
  }
});

const pixels = (video) => video.evaluate((v) => {
  const c = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const x = c.getContext("2d");
  x.drawImage(v, 0, 0, 64, 36);
  return { w: v.videoWidth, data: [...x.getImageData(0, 0, 64, 36).data].filter((_, i) => i % 4 < 3) };
});
const differs = (one, two) => one.data.reduce((n, v, i) => n + (Math.abs(v - two.data[i]) > 24 ? 1 : 0), 0);

test("the wall shows cameras that move, nearest to the chosen case first", async () => {
  const c = await report("public_order", [54.865, 69.14]);
  const page = await console_("camera");
  const order = () => page.locator(".camwall .camera").evaluateAll((l) => l.map((e) => e.dataset.camera).join());
  await w.until("all by name, four at once", async () => (await order()) === "c2,c5,c4,c1");
  await row(page, c.id).click();
  await w.until("the nearest first", async () => (await order()) === "c4,c2,c1,c3");
  for (const id of ["c4", "c3"]) {
    const video = page.locator(`.camwall [data-camera="${id}"] video`);
    await w.until(`a picture of ${id}`, async () => (await pixels(video)).w === 640, 30000);
    const before = await pixels(video);
    await w.until(`${id} moves`, async () => differs(before, await pixels(video)) > 20);
  }
  await w.shot(page, "cameras-wall");
  await page.keyboard.press("PageDown");
  await w.until("the second page", async () => (await order()) === "c5");
  await page.keyboard.press("PageUp");
  await page.keyboard.press("Alt+Digit2");
  await w.until("one large picture", async () => (await order()) === "c2");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "3×3" }).click();
  await w.until("all five", async () => (await order()) === "c4,c2,c1,c3,c5");
  await page.locator(".camwall").getByRole("button", { name: "Карта" }).click();
  await page.locator(".camerawall .maplibregl-canvas").waitFor();
  await axe(page, "wall");
  await w.shot(page, "cameras-wall-3-map");
  await closeCase(c.id);
  await page.context().close();
});

test("every state can be told apart in each language, light and dark", async () => {
  const token = await as("supervisor");
  for (const p of ["patrol1", "patrol2", "patrol3", "patrol4", "patrol5", "patrol6"]) {
    await duty(p, false).catch(() => undefined);
    await duty(p, true);
  }
  const spots = { patrol1: [54.885, 69.15], patrol2: [54.88, 69.17], patrol3: [54.872, 69.145], patrol4: [54.868, 69.175], patrol5: [54.88, 69.13] };
  for (const [p, [lat, lon]] of Object.entries(spots)) await at(p, lat, lon);
  await ask("PUT", "/patrol/fix", { token: await as("patrol6"), body: { ...fix(54.89, 69.165, 60), clientMs: Date.now() - 130_000 } }); // an old one
  const list = [await report("driving", [54.8753, 69.1628]), await report("public_order", [54.871, 69.15]), await report("noise", [54.868, 69.168]), await report("parking", [54.879, 69.14]), await report("other", undefined)];
  for (const [i, priority] of [[0, 0], [1, 1]]) await ask("POST", `/cases/${list[i].id}/acts`, { token, body: { act: "classify", kind: ["driving", "public_order"][i], priority } });
  const send = async (i, name) => ask("POST", `/cases/${list[i].id}/acts`, { token, body: { act: "send", patrol: (await unit(name)).patrol, reason: "x" } });
  await send(1, "Патруль 3");
  await send(2, "Патруль 4");
  await send(3, "Патруль 5");
  await say("patrol3", list[1].id, "en_route");
  await say("patrol4", list[2].id, "on_scene");
  for (const [lang, theme, width, height] of [["kk-KZ", "dark", 1440, 900], ["en-GB", "light", 1920, 1080], ["ru-RU", "dark", 1920, 1080], ["kk-KZ", "light", 1440, 900]]) {
    const name = `${lang.slice(0, 2)}-${theme}-${width}`;
    for (const p of Object.keys(spots)) await at(p, ...spots[p]);
    const page = await console_("dispatcher", { lang, theme, viewport: { width, height }, room: `#board?case=${list[0].id}` });
    await page.locator('[data-proposed="Патруль 1"]').waitFor();
    await page.locator(".proposals > button").click();
    await page.locator('[data-left="Патруль 6"][data-by="stale"]').waitFor();
    await page.locator(".maplibregl-canvas").last().waitFor();
    await page.waitForTimeout(700);
    await axe(page, name);
    await w.shot(page, `board-${name}`);
    const clipped = await page.evaluate(() => [...document.querySelectorAll(".board button, .board h2, .board p, .boardhead span")].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "hidden").map((e) => e.textContent));
    assert.deepEqual(clipped, [], name);
    await page.context().close();
  }
  const wide = await console_("camera", { lang: "kk-KZ", theme: "dark", viewport: { width: 1920, height: 1080 }, room: `#cameras?case=${list[0].id}` });
  await w.until("a picture", async () => (await pixels(wide.locator(".camwall video").first())).w === 640, 30000);
  await wide.waitForTimeout(2500);
  await w.shot(wide, "cameras-kk-dark-1920");
  await axe(wide, "wall, dark");
  await wide.context().close();
});
