// The supervisor's rooms in real Chromium: the wallboard follows calls within a second and lets listen,
// statistics count what happened, the roster is written, cases go from one operator's hands to another's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let voice; // the caller's browser, with a tone
let b;
const trouble = [];
const tokens = {};
const staff = {};

before(async () => {
  g = await w.gateway();
  voice = await w.browser({ wav: w.tone(440) });
  b = await w.browser({ wav: w.tone(880) });
  for (const who of ["supervisor", "operator", "operator2"]) tokens[who] = (await api("POST", "/staff/session", "", { login: who, password: w.password })).token;
  for (const a of (await api("GET", "/admin/accounts", "supervisor")).accounts) staff[a.login] = a.staff;
});
after(async () => {
  await voice?.close();
  await b?.close();
  await g?.stop();
});

async function api(method, route, who, body, headers = {}) {
  const r = await fetch(`${g.url}/api/v1${route}`, {
    method, headers: { "Content-Type": "application/json", ...(who ? { Authorization: `Bearer ${tokens[who]}` } : {}), ...headers }, body: body && JSON.stringify(body),
  });
  const text = await r.text();
  assert.ok(r.ok, `${method} ${route}: ${r.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function open(login, room, { lang = "ru-RU", theme = "dark", viewport = { width: 1440, height: 900 } } = {}) {
  const c = await w.context(b, { lang, theme, viewport });
  const page = await c.newPage();
  page.on("pageerror", (e) => trouble.push(`${login}: ${e.message}`));
  await page.goto(`${g.url}/console#${room}`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.locator(".shell").waitFor();
  return page;
}

async function caller() {
  const page = await (await w.context(voice)).newPage();
  page.on("pageerror", (e) => trouble.push(`caller: ${e.message}`));
  await page.goto(g.url);
  await page.locator(".callbutton").waitFor();
  await page.waitForTimeout(1500); // the page has its line open, as it has when somebody needs it
  return page;
}

/** Does something and tells how many milliseconds later a tile of the wall shows a value. */
async function tileAfter(wall, key, value, act) {
  const seen = wall.evaluate(([k, v]) => new Promise((resolve, reject) => {
    const end = Date.now() + 10000;
    const look = () => {
      if (document.querySelector(`[data-tile="${k}"] .value b`)?.textContent === v) resolve(Date.now());
      else if (Date.now() > end) reject(new Error(`${k} does not become ${v}`));
      else setTimeout(look, 10);
    };
    look();
  }), [key, value]);
  const begin = Date.now();
  await act();
  return (await seen) - begin;
}

async function axe(page, name) {
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
}

let wall;
let op;

test("calls come and go on the wall within a second, and a supervisor listens from it", async () => {
  wall = await open("supervisor", "wall");
  op = await open("operator", "desk");
  await op.getByText("Заступить на смену").waitFor();
  const c = await caller();
  await wall.locator('[data-tile="queue"] .value b').getByText("0", { exact: true }).waitFor();
  assert.equal(await wall.locator('[data-tile="today"] .value b').innerText(), "0", "an empty day shows 0, not nothing");
  const came = await tileAfter(wall, "queue", "1", () => c.locator(".callbutton").click());
  await op.keyboard.press("F2"); // on duty: it rings
  await op.locator(".offer").waitFor();
  const taken = await tileAfter(wall, "talking", "1", () => op.keyboard.press("F2"));
  await wall.locator(`[data-seat="${staff.operator}"][data-state="talking"]`).waitFor();
  const row = wall.locator(`[data-seat="${staff.operator}"]`);
  assert.match(await row.innerText(), /26-\d{6}/);
  await row.locator('[data-guest="listen"]').click();
  await w.hears(wall, 440);
  await op.locator('.guests [data-mode="listen"]').getByText("слушает").waitFor();
  await w.shot(wall, "wall-listens-ru-dark");
  await wall.locator('.guestbar [data-guest="leave"]').click();
  await wall.locator(".guestbar").waitFor({ state: "detached" });
  const gone = await tileAfter(wall, "talking", "0", async () => {
    await c.locator(".end").click();
    await c.locator(".end").click();
  });
  console.log(`wall: a call is there after ${came} ms, talking after ${taken} ms, gone after ${gone} ms`);
  for (const ms of [came, taken, gone]) assert.ok(ms <= 1000, `${ms} ms`);
  assert.equal(await wall.locator(".shell").evaluate((e) => /Нұрлан|\+7 7/.test(e.querySelector("main.wall").innerText)), false, "the wall names no citizen");
  await c.context().close();
});

test("limits are changed with their history, and the tile follows", async () => {
  await wall.getByRole("button", { name: "Пределы" }).click();
  const limit = wall.locator('[data-limit="today"], [data-limit="abandoned"]').last();
  await limit.locator("input").nth(0).fill("0");
  await limit.locator("input").nth(1).fill("50");
  await limit.getByRole("button", { name: "Сохранить" }).click();
  await wall.locator(".limits .history li", { hasText: "5 / 15 → 0 / 50" }).waitFor();
  await axe(wall, "limits");
  await w.shot(wall, "wall-limits-ru-dark");
  await wall.keyboard.press("Escape");
  await wall.locator('[data-tile="abandoned"][data-level="warn"]').getByText("внимание").waitFor();
});

test("a wall without news says so within seconds, and recovers", async () => {
  await wall.route("**/api/v1/wall", (r) => r.abort());
  const silent = Date.now();
  await wall.locator('main.wall[data-stale="true"]').waitFor();
  w.speed("until a wall without news says so", Date.now() - silent, 9000);
  assert.equal(await wall.locator(".tile.stale").count(), 12, "every tile is grey");
  await wall.locator('[data-tile="queue"]').getByText("устарело").waitFor();
  await w.shot(wall, "wall-stale-ru-dark");
  await wall.unroute("**/api/v1/wall");
  const again = Date.now();
  await wall.locator('main.wall[data-stale="false"]').waitFor();
  w.speed("until it has news again", Date.now() - again, 5000);
});

/** What happened today, counted from what the API tells of single calls and cases. */
async function counted() {
  const calls = (await api("GET", "/evidence/calls", "supervisor")).calls.filter((c) => c.kind !== "report");
  const cases = (await api("GET", "/cases", "supervisor")).cases;
  const answered = calls.filter((c) => c.answeredMs > 0);
  return {
    contacts: cases.length, calls: calls.length, reports: cases.length - calls.length, answered: answered.length,
    abandoned: calls.filter((c) => !c.answeredMs && c.endedMs > 0).length, within15: answered.filter((c) => c.answeredMs - c.createdMs <= 15000).length,
  };
}

test("statistics show what happened, and are taken along as they are seen", async () => {
  const c = await caller(); // somebody who gives up
  await c.locator(".callbutton").click();
  await c.locator(".facts").waitFor();
  await c.locator(".end").click();
  await c.locator(".end").click();
  await c.getByText("Полиция вам перезвонит").waitFor();
  await c.context().close();
  for (const [i, kind] of ["noise", "noise", "parking"].entries()) {
    await api("POST", "/reports", "", { ref: `r${i}`, kind, text: `=${kind}`, lang: "kk", madeMs: Date.now() }, { "X-Report-Key": randomBytes(16).toString("base64url") });
  }
  const want = await w.until("everything is a case", async () => {
    const n = await counted();
    const total = (await api("GET", "/stats", "supervisor")).total;
    return n.contacts === 5 && n.calls === 2 && n.abandoned === 1 && total.contacts === 5 && total.abandoned === 1 && n;
  });
  await wall.evaluate(() => (location.hash = "stats?span=today"));
  const figure = (name) => wall.locator(`[data-figure="${name}"] dd`);
  await figure("contacts").waitFor();
  await wall.locator('[data-chart="lane"] tbody tr').nth(1).waitFor();
  assert.match(await figure("contacts").innerText(), new RegExp(`^${want.contacts}\\s+звонков ${want.calls}, сообщений ${want.reports}`));
  assert.match(await figure("abandoned").innerText(), new RegExp(`^${want.abandoned}\\b`));
  assert.match(await figure("within15").innerText(), new RegExp(`^${Math.floor((1000 * want.within15) / want.answered) / 10} %`));
  const kinds = Object.fromEntries(await wall.locator('[data-chart="kind"] tbody tr').evaluateAll((rows) => rows.map((r) => [r.querySelector("th").innerText.trim(), Number(r.querySelector("td").innerText)])));
  assert.equal(kinds["Шум"], 2);
  assert.equal(kinds["Неправильная парковка"], 1);
  const hours = wall.locator('[data-chart="hour"]');
  await hours.locator('[data-act="twin"]').click();
  const cells = await hours.locator("tbody tr").evaluateAll((rows) => rows.map((r) => Number(r.querySelectorAll("td")[0].innerText)));
  assert.equal(cells.length, 24, "an empty hour is there");
  assert.equal(cells.reduce((a, n) => a + n, 0), want.contacts);

  const [csv] = await Promise.all([wall.waitForEvent("download"), hours.getByRole("link", { name: "CSV" }).click()]);
  const text = fs.readFileSync(await csv.path(), "utf8");
  assert.match(csv.suggestedFilename(), /^jedel-hour-.*\.csv$/);
  assert.equal(text.codePointAt(0), 0xfeff, "spreadsheet programs see that it is UTF-8");
  const lines = text.slice(1).trimEnd().split("\r\n").map((l) => l.split(";").map((x) => x.replace(/^"|"$/g, "")));
  const at = (name) => lines[0].indexOf(name);
  assert.deepEqual(lines.slice(2).map((l) => Number(l[at("contacts")])), cells, "the file has what is seen");
  assert.deepEqual([lines[1][at("key")], lines[1][at("abandoned")], lines[1][at("answer_within_15s")]], ["total", String(want.abandoned), String(want.within15)]);
  const [json] = await Promise.all([wall.waitForEvent("download"), wall.locator('[data-chart="kind"]').getByRole("link", { name: "JSON" }).click()]);
  const body = JSON.parse(fs.readFileSync(await json.path(), "utf8"));
  assert.deepEqual([body.by, body.total.contacts, body.rows.find((r) => r.key === "noise").contacts], ["kind", want.contacts, 2]);
  await wall.locator('[data-lane="report"]').click();
  await wall.locator('[data-figure="contacts"] dd', { hasText: `звонков 0, сообщений ${want.reports}` }).waitFor();
  assert.match(wall.url(), /lane=report/, "the address can be passed on");
});

let two;

test("a supervisor writes the roster and takes a slip back", async () => {
  await wall.evaluate(() => (location.hash = "shifts"));
  await wall.locator("main.shifts").waitFor();
  const hour = new Date(Date.now() + 5 * 3600e3).getUTCHours();
  const clock = (h) => `${String(((h % 24) + 24) % 24).padStart(2, "0")}:00`;
  const day = new Date(Date.now() + (5 - (hour === 0 ? 1 : 0)) * 3600e3).toISOString().slice(0, 10);
  for (const [i, who] of ["operator", "operator2"].entries()) {
    await wall.locator(`[data-person="${staff[who]}"] .add`).first().click();
    const box = wall.locator("dialog.linebox");
    await box.locator("input[name=day]").fill(day);
    await box.locator("input[name=from]").fill(clock(hour - (hour === 0 ? 0 : 1)));
    await box.locator("input[name=to]").fill(clock(hour + 6));
    await box.locator("input[name=seat]").fill(String(i + 1));
    if (i === 0) await axe(wall, "a shift's form");
    await box.getByRole("button", { name: "Сохранить" }).click();
    await box.waitFor({ state: "detached" });
    await wall.locator(`[data-person="${staff[who]}"] .shift`).waitFor();
  }
  await wall.locator(`[data-person="${staff.operator2}"] .shift`).click();
  await wall.locator('dialog [data-act="strike"]').click();
  await wall.locator(`[data-person="${staff.operator2}"] .shift`).waitFor({ state: "detached" });
  await wall.locator(".toast").getByRole("button", { name: "Отменить" }).click();
  await wall.locator(`[data-person="${staff.operator2}"] .shift`).waitFor();
  const kept = (await api("GET", "/shifts", "supervisor")).lines;
  assert.deepEqual(kept.map((l) => [l.staff, l.seat]).sort(), [[staff.operator, "1"], [staff.operator2, "2"]].sort());
});

test("two operators hand over case by case, and none is nobody's for a moment", async () => {
  await op.evaluate(() => (location.hash = "shifts"));
  await op.locator('[data-act="come"]').click();
  await op.getByText("вы на смене").waitFor();
  for (const c of (await api("GET", "/cases", "operator")).cases.filter((x) => x.lane === "report")) await api("POST", `/cases/${c.case}/acts`, "operator", { act: "take" });
  const mine = (await api("GET", "/shifts/handovers", "operator")).mine.map((h) => h.case);
  assert.equal(mine.length, 4, "the call that was answered, and three reports");
  two = await open("operator2", "shifts");
  await two.locator('[data-act="come"]').click();
  await two.getByText("вы на смене").waitFor();
  await op.locator('[data-hand="mine"] li').nth(3).waitFor();
  const line = (await api("GET", "/shifts", "supervisor")).lines.find((l) => l.staff === staff.operator);
  const { name: _, ...ends } = { ...line, toMs: Date.now() + 20 * 60_000 };
  await api("PUT", "/shifts/lines", "supervisor", ends);
  await op.evaluate(() => (location.hash = "desk")); // the console itself proposes the hand-over
  await op.locator(".shiftbar").getByText(/Ваша смена кончается в \d\d:\d\d. У вас 4 открытых дела/).waitFor({ timeout: 20000 });
  await w.shot(op, "shifts-ends-bar-ru-dark");
  await op.locator('.shiftbar [data-act="handover"]').click();
  await op.locator('[data-hand="mine"] li').nth(3).waitFor();
  await op.locator('[data-act="leave"]').click(); // with open cases: asked first
  await op.getByText("У вас осталось 4 открытых дела").waitFor();
  await op.getByRole("button", { name: "Сначала передать" }).click();
  await op.locator('[data-hand="mine"] select option').first().waitFor({ state: "attached" });

  let owners = 0;
  let watching = true;
  const watch = (async () => {
    while (watching) {
      for (const id of mine) {
        const owner = (await api("GET", `/cases/${id}`, "supervisor")).owner;
        assert.ok(owner, `${id} is nobody's`);
        owners++;
      }
    }
  })();
  await op.locator('[data-hand="mine"] input[type=checkbox]').last().uncheck();
  await op.locator('[data-act="offer"]').click();
  await op.locator('[data-hand="mine"] [data-act="takeback"]').nth(2).waitFor();
  await two.evaluate(() => (location.hash = "desk"));
  await two.locator(".shiftbar").getByText("Вам предлагают 3 дела").waitFor({ timeout: 20000 });
  await w.shot(two, "shifts-offered-bar-ru-dark");
  await two.locator('.shiftbar [data-act="handover"]').click();
  const offered = two.locator('[data-hand="offered"] li');
  await offered.nth(2).waitFor();
  await w.shot(two, "shifts-offered-ru-dark");
  await offered.first().locator('[data-act="accept"]').click();
  await w.until("one is taken", async () => (await offered.count()) === 2);
  await offered.first().locator('[data-act="accept"]').click();
  await w.until("two are taken", async () => (await offered.count()) === 1);
  await offered.first().locator('[data-act="decline"]').click();
  await w.until("one is declined", async () => (await offered.count()) === 0);
  watching = false;
  await watch;
  await w.until("the first sees what went", async () => (await op.locator('[data-hand="mine"] li').count()) === 2);
  const [left, taken] = [await api("GET", "/shifts/handovers", "operator"), await api("GET", "/shifts/handovers", "operator2")];
  assert.deepEqual([...left.mine, ...taken.mine].map((h) => h.case).sort(), [...mine].sort());
  assert.deepEqual([left.mine.length, taken.mine.length], [2, 2]);
  console.log(`hand-over: ${owners} looks at owners of ${mine.length} cases, none without one`);
  for (const page of [op, two]) await axe(page, "shifts of an operator");
  await op.locator('[data-act="leave"]').click();
  await op.locator('[data-act="leaveanyway"]').click();
  await op.locator('[data-act="come"]').waitFor();
  assert.equal(await op.locator(".add").count(), 0, "an operator writes no roster");
});

test("the rooms have no finding of axe, dark and light", async () => {
  for (const theme of ["dark", "light"]) {
    await wall.emulateMedia({ colorScheme: theme });
    for (const room of ["wall", "stats?span=week", "shifts"]) {
      await wall.evaluate((r) => (location.hash = r), room);
      await wall.locator(`main.${room.split("?")[0]}`).waitFor();
      await wall.waitForTimeout(2500);
      await axe(wall, `${room} ${theme}`);
    }
  }
  assert.deepEqual(trouble, []);
});

test("a year of a city is on the wall without scrolling, in three languages", async () => {
  for (const page of [two, op, wall]) await page?.context().close();
  process.kill(g.child.pid, "SIGTERM");
  await g.ended;
  execFileSync("python3", [path.join(w.root, "e2e/city.py"), path.join(g.data, "jedel.db"), "60000", "1"]);
  await g.start();
  const ways = [["kk", "light", 1440], ["ru", "dark", 1920], ["en", "light", 1920], ["kk", "dark", 1920], ["ru", "light", 1440], ["en", "dark", 1440]];
  for (const [lang, theme, width] of ways) {
    const page = await open("supervisor", "wall", { lang: { kk: "kk-KZ", ru: "ru-RU", en: "en-GB" }[lang], theme, viewport: { width, height: (width * 9) / 16 + (width === 1440 ? 90 : 0) } });
    const fits = async (what) => {
      const [tall, high, wide, screen] = await page.locator(`main.${what}`).evaluate((e) => [e.scrollHeight, e.clientHeight, e.scrollWidth, e.clientWidth]);
      if (what === "wall") assert.ok(tall <= high + 1, `${lang} ${width}: the wall is ${tall - high} px too tall`);
      assert.ok(wide <= screen + 1, `${what} ${lang} ${width}: ${wide - screen} px too wide`);
      const cut = await page.locator(`main.${what}`).evaluate((e) => [...e.querySelectorAll("button, h2, label, th, .tile h3, .tile .trend")]
        .filter((x) => x.offsetParent && x.scrollWidth > x.clientWidth + 1 && getComputedStyle(x).display !== "inline").map((x) => x.textContent));
      assert.deepEqual(cut, [], `${what} ${lang} ${width}: words are cut`);
    };
    await page.locator(".heat td.strong").first().waitFor();
    await page.waitForTimeout(800);
    await fits("wall");
    await w.shot(page, `wall-${lang}-${theme}-${width}`);
    await page.locator('[data-act="roomscreen"]').click();
    await page.waitForTimeout(500);
    assert.equal(await page.locator(".seats [data-guest]").count(), 0, "the room's screen has no buttons of calls");
    await fits("wall");
    await w.shot(page, `wall-room-${lang}-${theme}-${width}`);
    await page.keyboard.press("Escape");
    await page.evaluate(() => (location.hash = "stats?span=month"));
    await page.locator('[data-chart="lane"] tbody tr').nth(1).waitFor();
    await page.waitForTimeout(500);
    await fits("stats");
    await w.shot(page, `stats-${lang}-${theme}-${width}`);
    await page.locator("main.stats").evaluate((e) => e.scrollTo(0, e.clientHeight));
    await page.waitForTimeout(200);
    await w.shot(page, `stats-more-${lang}-${theme}-${width}`);
    await page.evaluate(() => (location.hash = "shifts"));
    await page.locator("main.shifts").waitFor();
    await page.waitForTimeout(300);
    await fits("shifts");
    await w.shot(page, `shifts-${lang}-${theme}-${width}`);
    if (lang === "en" && width === 1440) {
      await page.evaluate(() => (location.hash = "stats?span=year"));
      await page.locator('[data-chart="lane"] tbody tr').nth(1).waitFor();
      await page.emulateMedia({ media: "print" });
      const pdf = await page.pdf({ path: path.join(w.shots, "stats-print.pdf"), format: "A4", landscape: true, printBackground: true });
      assert.ok(pdf.length > 20000, "the print has its plots");
      await page.setViewportSize({ width: 1100, height: 1500 });
      await page.waitForTimeout(500);
      await page.screenshot({ path: path.join(w.shots, "stats-print.png"), fullPage: true });
    }
    await page.context().close();
  }
  assert.deepEqual(trouble, []);
});
