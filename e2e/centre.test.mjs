// The whole story of a centre, every part of it on the page of whoever plays it: a witness reports by a
// photo, a victim calls without knowing the address, an operator answers and classifies, a dispatcher sends the nearest
// patrol, the patrol joins the call and closes the case, both citizens get their reply, and an
// investigator finds everything in one case and verifies it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const hz = { victim: 440, operator: 880, patrol: 1550, witness: 0 }; // none is a harmonic of another
const scene = { latitude: 54.8753, longitude: 69.1628, accuracy: 12 };
const beside = { latitude: 54.8756, longitude: 69.1631, accuracy: 15 }; // the witness stands across the street
const near = { latitude: 54.8799, longitude: 69.1628, accuracy: 9 };
const far = { latitude: 54.9, longitude: 69.2, accuracy: 9 };
const reply = "Патруль разнял дерущихся, составлен протокол.";
let g;
const browsers = {};
const pages = {};
const trouble = [];

before(async () => {
  g = await w.gateway();
  for (const [who, tone] of Object.entries(hz)) browsers[who] = await w.browser(tone ? { wav: w.tone(tone) } : {});
});

after(async () => {
  for (const b of Object.values(browsers)) await b.close();
  await g?.stop();
});

async function open(who, at, { browser = who, login, ...how } = {}) {
  const page = await (await w.context(browsers[browser], { lang: "ru-RU", ...how })).newPage();
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  await page.goto(g.url + at);
  if (login) {
    await page.locator("input").nth(0).fill(login);
    await page.locator("input").nth(1).fill(w.password);
    await page.keyboard.press("Enter");
  }
  pages[who] = page;
  return page;
}

const desk = { viewport: { width: 1440, height: 900 }, theme: "dark" };
let witnessed; // number of the witness's report
let called; // number of the victim's call

test("a witness reports by a photo and has a number within half a minute", async () => {
  const began = Date.now();
  const p = await open("witness", "/", { geo: beside });
  const photo = await p.screenshot({ type: "jpeg", quality: 90 });
  await p.getByRole("button", { name: "Сообщить о нарушении" }).click();
  await p.locator(".kinds button", { hasText: /порядка/ }).click();
  await p.locator(".attach.photo input").first().setInputFiles({ name: "двор.jpg", mimeType: "image/jpeg", buffer: photo });
  await p.locator("textarea").fill("Двое дерутся у подъезда");
  await p.getByText(/Ваше место известно/).waitFor();
  await p.getByRole("button", { name: "Отправить" }).click();
  witnessed = /№ (\S+)/.exec(await p.getByText(/Сообщение зарегистрировано/).first().textContent())[1];
  assert.ok(Date.now() - began < 30_000);
  await p.getByText("Все файлы получены").waitFor();
});

test("a victim calls by video without knowing the address; the operator sees, hears, and reads where it is", async () => {
  const operator = await open("operator", "/console", { login: "operator", ...desk });
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  const victim = await open("victim", "/", { geo: scene });
  await victim.locator(".callbutton").click();
  called = /№ (\S+)/.exec(await victim.getByText(/Ваш звонок зарегистрирован/).first().textContent())[1];
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await w.hears(operator, hz.victim);
  await w.hears(victim, hz.operator);
  await w.until("pictures come", async () => (await w.inbound(operator)).video.frames > 5);
  await operator.getByText("54.87530, 69.16280").first().waitFor();
  await operator.getByText(/Петропавловск/).last().waitFor(); // an address without anybody saying one
  await w.shot(operator, "centre-call");
});

test("the operator classifies it, and the witness's report of the same event is joined to it", async () => {
  const operator = pages.operator;
  await operator.keyboard.press("Control+Digit2");
  await openCase(operator, called);
  await operator.locator(".classify select").first().selectOption({ label: "Нарушение общественного порядка" });
  await operator.locator(".toast").getByText("Классификация изменена").waitFor();
  await operator.locator(".classify select").nth(1).selectOption("1");
  await operator.locator(".similar li", { hasText: witnessed }).waitFor();
  await w.shot(operator, "centre-similar");
  await operator.goto(`${g.url}/console#cases`); // a reload in the middle of a call ends nothing
  await operator.locator(".bar").waitFor();
  await openCase(operator, called);
  await operator.locator(".similar li", { hasText: witnessed }).locator('[data-tie="merge"]').click();
  await operator.locator(".notes").getByText("Двое дерутся у подъезда").waitFor();
  await w.hears(operator, hz.victim);
});

async function openCase(page, number) {
  await w.until(`${number} is in the list`, async () => {
    if (await page.locator(`.caserow[data-case="${number}"]`).isVisible()) return true;
    for (const f of await page.locator('.folded button[aria-expanded="false"]').all()) await f.click();
    return false;
  });
  await page.locator(`.caserow[data-case="${number}"]`).click();
  await page.locator(`.casecard[data-case="${number}"]`).waitFor();
}

test("the dispatcher sends the nearest patrol by two actions", async () => {
  for (const [who, login, geo] of [["patrol", "patrol1", near], ["second", "patrol2", far]]) {
    const p = await open(who, "/patrol", { browser: "patrol", login, geo, theme: "dark", permissions: ["geolocation", "microphone"] });
    await p.locator(".duty .go").click();
    await p.locator('.state[data-state="available"]').waitFor();
    await p.locator('.mine[data-state="on"] .age').waitFor();
  }
  const board = await open("dispatcher", "/console", { browser: "witness", login: "dispatcher", ...desk });
  await board.locator("[data-case]", { hasText: called }).click();
  await w.until("the nearer one is first", async () => (await board.locator("[data-proposed]").evaluateAll((l) => l.map((e) => e.dataset.proposed).join())) === "Патруль 1,Патруль 2");
  await board.keyboard.press("Alt+Digit1");
  await board.locator('[data-sending="Патруль 1"]').waitFor();
  await pages.patrol.locator(".banner.new").waitFor();
  await w.shot(board, "centre-board");
});

test("the patrol listens to the call, speaks with the victim, and tells how it goes on", async () => {
  const p = pages.patrol;
  await p.getByText("Двое дерутся у подъезда").first().waitFor(); // what the witness wrote
  await p.locator('.word[data-word="accepted"]').click();
  await p.locator(".listen").click();
  await p.locator('.livebar[data-mode="listen"]').waitFor();
  await w.until("the patrol hears the victim", async () => (await w.level(p, hz.victim)) > -60);
  assert.ok((await w.level(pages.victim, hz.patrol)) < -80, "who listens is not heard");
  await p.locator(".livebar .go").click();
  await p.locator('.livebar[data-mode="speak"]').waitFor();
  await pages.victim.getByText("С вами говорит патруль Патруль 1").waitFor();
  await w.until("the victim hears the patrol and the operator", async () => (await w.level(pages.victim, hz.patrol)) > -60 && (await w.level(pages.victim, hz.operator)) > -60);
  await p.locator('.word[data-word="en_route"]').click();
  await p.locator('.state[data-state="en_route"]').waitFor();
  await p.locator(".livebar .two button").nth(1).click();
  await p.locator(".listen").waitFor();
  await p.locator('.word[data-word="on_scene"]').click();
  await p.locator('.state[data-state="on_scene"]').waitFor();
  const photo = await p.screenshot({ type: "jpeg" });
  await p.locator(".take input").first().setInputFiles({ name: "протокол.jpg", mimeType: "image/jpeg", buffer: photo });
  await p.locator('.shots li[data-state="sent"]').waitFor({ timeout: 30000 });
  await pages.witness.getByRole("button", { name: "Мои сообщения" }).first().click();
  await pages.witness.getByText(/[Пп]атруль на месте/).first().waitFor({ timeout: 20000 });
});

test("the patrol closes the case and both citizens have their reply", async () => {
  const { patrol: p, victim, witness } = pages;
  await victim.locator("button.end").click();
  await victim.locator("button.end").click();
  await victim.locator(".ended").waitFor();
  await p.locator('.word[data-word="cleared"]').click();
  await p.locator(".sheet textarea").first().fill("Разнял, протокол составлен");
  await p.locator(".sheet .two button").nth(1).click();
  await p.locator(".sheet select").selectOption({ index: 1 });
  await p.locator(".sheet textarea").nth(1).fill(reply);
  await p.locator(".sheet .go").click();
  await p.locator(".banner.done").waitFor();
  await witness.getByText(reply).first().waitFor({ timeout: 40000 });
  await victim.getByText(reply).first().waitFor({ timeout: 40000 });
  await w.shot(witness, "centre-witness");
  await w.shot(victim, "centre-victim");
  await pages.dispatcher.locator('[data-patrol="Патруль 1"][data-state="available"]').waitFor({ timeout: 20000 });
});

test("the investigator finds everything in one case and verifies it", async () => {
  await pages.operator.keyboard.press("Control+Digit1");
  await pages.operator.getByText("Направлен патруль").click(); // the desk's own write-up of its call
  await pages.operator.keyboard.press("F10");
  const p = await open("investigator", "/evidence", { browser: "witness", login: "investigator", viewport: { width: 1366, height: 768 } });
  await p.locator("table a").getByText(called, { exact: false }).first().click();
  await w.sayWhy(p, called);
  await p.locator('a[href^="#case/"]').first().click();
  await w.until("the call, the report and the patrol's photo are there", async () => (await p.locator(".recordings li").count()) === 3);
  await w.until("all are sealed", async () => {
    await p.reload();
    await p.locator(".recordings li").nth(2).waitFor();
    return (await p.locator('.recordings [data-rec="sealed"]').count()) === 3;
  }, 40000);
  await p.getByRole("button", { name: "Проверить все" }).click();
  await p.getByText("без нарушений 3 из 3").waitFor({ timeout: 30000 });
  for (const said of ["Присоединено другое дело", "Направлен патруль", "выехал", "на месте", reply]) await p.locator(".course").getByText(said).first().waitFor();
  await p.screenshot({ path: path.join(w.shots, "centre-evidence.png"), fullPage: true });
  const archive = path.join(g.data, "archive");
  const seals = execFileSync("find", [archive, "-name", "seal.note"]).toString().trim().split("\n");
  assert.equal(seals.length, 3);
  for (const seal of seals) {
    const run = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", path.dirname(seal)]);
    assert.ok(run.status === 0 || run.status === 2, run.stdout + run.stderr); // 2: right, and nobody outside has signed this log
  }
  assert.deepEqual(trouble, []);
});
