// The end of a recording: a hold forbids deletion, one person cannot delete, two can after the wait;
// then it does not open, and the page says so.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const phone = { width: 390, height: 844 };
const desk = { width: 1366, height: 768 };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-keep-"));
const words = "Абай көшесі, 24";
const trouble = [];
let g;
let b;
let call;
const pages = {};

before(async () => {
  fs.writeFileSync(path.join(dir, "jedel.yaml"), "retention: {wait: 4s}\n");
  g = await w.gateway({ args: ["--config", path.join(dir, "jedel.yaml")] });
  b = await w.browser({ wav: w.tone(440) });
  await record();
  const rows = async () => (await (await fetch(`${g.url}/api/v1/evidence/calls`, { headers: await auth("investigator") })).json()).calls;
  call = (await w.until("the call is sealed", async () => (await rows()).find((r) => r.recording === "sealed" && r.phase === "ended"))).call;
});

after(async () => {
  await b?.close();
  await g?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

const tokens = {};
async function auth(login) {
  tokens[login] ??= (await (await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login, password: w.password }) })).json()).token;
  return { Authorization: `Bearer ${tokens[login]}` };
}

async function ask(login, path, body) {
  const r = await fetch(`${g.url}/api/v1/evidence/calls/${call}/${path}`, { method: "POST", headers: await auth(login), body: JSON.stringify(body) });
  return { status: r.status, code: r.ok ? "" : (await r.json()).error.code };
}

async function signIn(p, at, login) {
  p.on("pageerror", (e) => trouble.push(`${login}: ${e.message}`));
  p.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${login}: ${m.text()}`));
  await p.goto(`${g.url}${at}`);
  await p.locator("input").nth(0).fill(login);
  await p.locator("input").nth(1).fill(w.password);
  await p.keyboard.press("Enter");
}

/** A short call that an operator answers, with a line of text. */
async function record() {
  const c = await w.context(b, { lang: "ru-RU" });
  const caller = await c.newPage();
  await caller.goto(g.url);
  const operator = await (await w.context(b, { lang: "ru-RU", viewport: desk })).newPage();
  await signIn(operator, "/console", "operator");
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  await caller.locator(".callbutton").click();
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await caller.getByText("Оператор на связи").waitFor();
  await caller.locator(".chat form input:not([type=file])").fill(words);
  await caller.keyboard.press("Enter");
  await operator.getByText(words).first().waitFor();
  await operator.keyboard.down("Shift");
  await operator.keyboard.down("F2");
  await operator.waitForTimeout(900);
  await operator.keyboard.up("F2");
  await operator.keyboard.up("Shift");
  await caller.getByText("Звонок завершён").waitFor();
  await operator.getByText("Кража, грабёж").click();
  await operator.getByText("Направлен патруль").click();
  await operator.keyboard.press("F10");
  await operator.locator("text=/в очереди 0/").first().waitFor();
  await operator.context().close();
  await c.close();
}

/** The evidence page as somebody sees it. */
async function open(login, at, { lang = "ru-RU", viewport = desk, theme = "light" } = {}) {
  const c = await w.context(b, { lang, viewport, theme });
  const p = await c.newPage();
  await signIn(p, `/evidence${at}`, login);
  return p;
}

const panel = (p) => p.locator(".keeping");
const form = (p) => p.locator(".keepform");

/** Fills the form of an act with the keyboard alone and sends it. */
async function fill(p, act, values) {
  await panel(p).getByRole("button", { name: act }).first().focus();
  await p.keyboard.press("Enter");
  await form(p).waitFor();
  for (const [i, v] of values.entries()) {
    if (i > 0) await p.keyboard.press("Tab");
    await p.keyboard.type(v);
  }
  await p.keyboard.press("Enter");
  await form(p).waitFor({ state: "detached" }).catch(async (e) => {
    throw new Error(`${e.message}: ${await form(p).innerText()}`);
  });
}

async function check(p, name, lang) {
  await p.screenshot({ path: path.join(w.shots, `${name}.png`), fullPage: true });
  const { violations } = await new w.AxeBuilder({ page: p }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
  if (lang !== "en") assert.doesNotMatch(await p.locator("main").innerText(), /\b(keep|hold|deletion|destroyed|approve|seal|kept)\b/i, name);
}

test("an investigator forbids the deletion, with the keyboard alone", async () => {
  const p = (pages.investigator = await open("investigator", `#${call}`));
  await w.sayWhy(p, "24-0099");
  await panel(p).locator("summary").focus();
  await p.keyboard.press("Enter");
  await panel(p).getByText("Класс: Преступление").waitFor();
  assert.equal(await panel(p).getByRole("button", { name: "Запросить удаление" }).count(), 0, "an investigator does not delete");
  await fill(p, "Запретить удаление", ["26-77", "постановление суда"]);
  await panel(p).getByText("26-77: постановление суда").waitFor();
  assert.equal(await p.evaluate(() => document.activeElement.tagName), "SUMMARY", "the focus goes back to the panel");
  await check(p, "keep-hold-ru-light-desk", "ru");
});

test("what is on hold is not deleted, not by a supervisor either", async () => {
  const now = Date.now();
  assert.deepEqual(await ask("supervisor", "keeping/shorten", { untilMs: now, reason: "проверка" }), { status: 200, code: "" });
  assert.equal((await ask("supervisor", "keeping/shorten/confirm", { untilMs: now })).code, "second_person");
  assert.equal((await ask("administrator", "keeping/shorten/confirm", { untilMs: now })).code, "");
  assert.equal((await ask("supervisor", "deletion", { reason: "проверка" })).code, "on_hold");
  assert.equal((await ask("supervisor", "holds/release", { id: "x", reason: "x" })).code, "forbidden");
  const p = (pages.supervisor = await open("supervisor", "#keeping"));
  await p.getByRole("button", { name: "Удаление запрещено" }).click();
  await p.locator("tbody a").click();
  await panel(p).getByText("Запросить удаление: пока нельзя. Удаление запрещено.").waitFor();
  await check(p, "keep-forbidden-ru-light-desk", "ru");
});

test("one person asks, and cannot approve; before the wait nobody can", async () => {
  await fill(pages.investigator, "Снять запрет", ["дело закрыто"]);
  const p = pages.supervisor;
  await p.reload();
  await fill(p, "Запросить удаление", ["срок истёк"]);
  await panel(p).getByText("Одобрить удаление: пока нельзя. Запросили вы: это должен сделать другой человек.").waitFor();
  await panel(p).getByText("Второй человек может одобрить с").waitFor();
  assert.equal((await ask("supervisor", "deletion/approve", {})).code, "second_person");
  assert.equal((await ask("administrator", "deletion/approve", {})).code, "too_early");
  await check(p, "keep-asked-ru-light-desk", "ru");
});

test("after the wait a second person approves, who hears nothing of the call", async () => {
  const p = (pages.administrator = await open("administrator", "", { lang: "kk-KZ", theme: "dark" }));
  await p.locator("tbody a").click(); // the list of what is to be deleted is where an administrator begins
  assert.equal(await p.getByRole("link", { name: "Жазбаны ашу" }).count(), 0);
  await panel(p).getByRole("button", { name: "Жоюды мақұлдау" }).waitFor(); // appears by itself
  await panel(p).getByRole("button", { name: "Жоюды мақұлдау" }).click();
  await form(p).getByText("ешқашан аша алмайды").waitFor();
  await check(p, "keep-approve-kk-dark-desk", "kk");
  await form(p).locator("button[type=submit]").click();
  await p.locator('.keeping[data-stage="destroyed"]').waitFor();
  await panel(p).getByText("бұл жазбаны енді ешкім аша алмайды").waitFor();
});

test("the recording does not open any more, and the page says why", async () => {
  for (const route of ["", "/media/caller"]) {
    const r = await fetch(`${g.url}/api/v1/evidence/calls/${call}${route}`, { headers: await auth("investigator") });
    assert.equal(r.status, 410);
    assert.equal((await r.json()).error.code, "destroyed");
  }
  const p = pages.investigator;
  await p.goto(`${g.url}/evidence`);
  await p.locator('[data-rec="destroyed"]').getByText("ключи уничтожены").waitFor();
  await check(p, "keep-list-ru-light-desk", "ru");
  await p.locator("table a").first().click();
  await p.getByRole("heading", { name: "Ключи этой записи уничтожены" }).waitFor();
  await panel(p).getByText("Печать и доказательства сохранены.").waitFor();
  await p.getByRole("button", { name: "Проверить" }).click();
  await p.locator(".proof li[data-state]").nth(4).waitFor();
  assert.deepEqual(await p.locator(".proof li[data-state]").evaluateAll((all) => all.map((l) => l.dataset.state)), ["partial", "partial", "partial", "partial", "not_checked", "absent"]);
  await p.locator(".proof").getByText("Ключи уничтожены").waitFor();
  await p.getByText("Кто смотрел эту запись").click();
  for (const said of ["запретил(а) удаление «26-77 · постановление суда»", "одобрил(а) удаление", "отказано", "ключи уничтожены"]) await p.locator(".accesses li", { hasText: said }).first().waitFor();
  await check(p, "keep-destroyed-ru-light-desk", "ru");
});

test("nothing that opens it is left on the disk, and its folder is no forgery", async () => {
  const left = execFileSync("find", [g.data, "-name", "*kek-*"]).toString().trim();
  assert.equal(left, "");
  const folder = execFileSync("find", [path.join(g.data, "archive/calls"), "-type", "d", "-name", call]).toString().trim();
  assert.deepEqual(fs.readdirSync(folder).sort(), ["heads", "proofs", "seal.note"]);
  const v = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", folder, "--key", path.join(g.data, "archive/keys/recorder.pub")]);
  assert.equal(v.status, 2, v.stdout + v.stderr);
  assert.match(v.stdout.toString(), /V0  in part[^]*deleted after their keys were destroyed[^]*V4  not checked[^]*nobody can open this recording/);
});

for (const [lang, theme] of [["kk-KZ", "light"], ["en-US", "dark"]]) {
  test(`a phone: ${lang} ${theme}`, async () => {
    const short = lang.slice(0, 2);
    const p = await open("supervisor", "#keeping", { lang, theme, viewport: phone });
    await p.locator("main [role=group] button").nth(3).click();
    await p.locator("tbody a").first().waitFor();
    await check(p, `keep-lists-${short}-${theme}-phone`, short);
    await p.locator("tbody a").first().click();
    await p.locator('.keeping[data-stage="destroyed"] code').waitFor();
    await check(p, `keep-gone-${short}-${theme}-phone`, short);
    await p.context().close();
  });
}

test("no page broke its own rules", () => assert.deepEqual(trouble, []));
