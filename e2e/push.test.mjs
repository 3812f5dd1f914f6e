// What reaches a citizen: the state of their reports and calls on the page, without a reload, and notices of
// the browser. Chromium reaches no push service here: the address it would give is put in its place, and the
// message that the service would bring is delivered by the browser's own debugging interface. What is sent to
// a service, encrypted and signed, is tested against one of our own in internal/notify/push.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
const trouble = [];
const endpoint = "https://fcm.googleapis.com/fcm/send/jedel-e2e";

before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
});
after(async () => {
  await b?.close();
  await g?.stop();
});

/** Stands for the push service of the browser: an address with real keys of its own. */
function service(endpoint) {
  let sub = null;
  const keys = { p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM", auth: "tBHItJI5svbpez7KI4CCXg" };
  PushManager.prototype.subscribe = async (o) => {
    if (!o.userVisibleOnly || new Uint8Array(o.applicationServerKey).length !== 65) throw new DOMException("not a key", "InvalidAccessError");
    sub = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => ((sub = null), true) };
    return sub;
  };
  PushManager.prototype.getSubscription = async () => sub;
}

async function citizen({ lang = "ru-RU", permissions = ["geolocation", "notifications"], stub = true } = {}) {
  const c = await w.context(b, { lang, permissions });
  if (stub) await c.addInitScript(service, endpoint);
  const page = await c.newPage();
  page.on("pageerror", (e) => trouble.push(e.message));
  await page.goto(g.url);
  await page.locator('.linkline[data-open="true"]').waitFor();
  return page;
}

async function ask(token, method, route, body) {
  const res = await fetch(`${g.url}/api/v1${route}`, { method, headers: { Authorization: `Bearer ${token}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await res.text();
  assert.ok(res.ok, `${method} ${route}: ${res.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}
const tokens = {};
async function as(login) {
  tokens[login] ??= (await ask("", "POST", "/staff/session", { login, password: w.password })).token;
  return tokens[login];
}

/** Whose subscriptions the gateway keeps, as its database has them. */
function kept() {
  const db = fs.readdirSync(g.data).find((f) => f.endsWith(".db"));
  const code = "import sqlite3,sys,json; c=sqlite3.connect('file:'+sys.argv[1]+'?mode=ro',uri=True); print(json.dumps([r[0] for r in c.execute('select citizen from push_subscriptions order by citizen')]))";
  return JSON.parse(execFileSync("python3", ["-c", code, path.join(g.data, db)]));
}

async function report(page, text) {
  await page.locator(".doors .wide").click();
  await page.locator(".report textarea").first().fill(text);
  await page.locator(".sendreport").click();
  await page.locator(".sent .facts").waitFor();
}

test("after the first report the page offers notices, and the subscription is at the gateway", async () => {
  const page = await citizen();
  await report(page, "Музыка всю ночь");
  await page.locator('.notices[data-state="off"] button').click();
  await page.locator('.notices[data-state="on"]').waitFor();
  const now = kept();
  assert.equal(now.length, 1);
  assert.match(now[0], /^report:[0-9a-f]{64}$/);
  await w.shot(page, "push-offer");
  await page.locator(".sent > button").first().click(); // my reports
  await page.locator(".mineone").waitFor();
  await page.locator('.notices[data-state="on"] button').click();
  await page.locator('.notices[data-state="off"]').waitFor();
  assert.deepEqual(kept(), [], "off here and not at the gateway");
  await page.locator('.notices[data-state="off"] button').click();
  await page.locator('.notices[data-state="on"]').waitFor();

  // The state of a report reaches the open page without a reload.
  const { cases } = await ask(await as("operator"), "GET", "/cases");
  await ask(await as("operator"), "POST", `/cases/${cases[0].case}/acts`, { act: "take" });
  await page.locator(".mineone .big").getByText("В работе").waitFor({ timeout: 12000 });
  await ask(await as("operator"), "POST", `/cases/${cases[0].case}/acts`, { act: "close", outcome: "measures", text: "Музыка выключена." });
  await page.locator(".mineone .reply").getByText("Музыка выключена.").waitFor({ timeout: 25000 });
  assert.match(await page.locator(".mineone .big .age").textContent(), /назад/);
  await page.locator(".mineone").getByText("Не решено").or(page.locator(".mineone > button")).first().waitFor();
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  await w.shot(page, "push-mine");
  await page.context().close();
});

/** Delivers a message to the worker of a page as its push service would. */
async function deliver(page, data) {
  const cdp = await page.context().newCDPSession(page);
  const found = new Promise((resolve) => cdp.on("ServiceWorker.workerRegistrationUpdated", (e) => e.registrations.length > 0 && resolve(e.registrations[0].registrationId)));
  await cdp.send("ServiceWorker.enable");
  await cdp.send("ServiceWorker.deliverPushMessage", { origin: g.url, registrationId: await found, data });
  await cdp.detach();
}

const shown = (page) => page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => ({ title: n.title, body: n.body, tag: n.tag, lang: n.lang })));

test("a notice says that there is news, in the citizen's language, and nothing else", async () => {
  const page = await citizen();
  await page.evaluate(() => navigator.serviceWorker.ready);
  for (const [lang, title] of [["kk", "Жаңалық бар"], ["ru", "Есть новости"], ["en", "There is news"]]) {
    await deliver(page, JSON.stringify({ number: "26-000123", text: "Ответ: нож, Абая 24, Нұрлан", lang, tag: "x" }));
    const n = await w.until(title, async () => (await shown(page)).find((x) => x.title === title));
    assert.deepEqual(n, { title, body: "№ 26-000123", tag: "26-000123", lang });
  }
  for (const bad of ["", "not json", "[]", JSON.stringify({ number: "<b>102</b> полиция", lang: "xx" })]) await deliver(page, bad);
  const odd = await w.until("a message that makes no sense is shown too", async () => (await shown(page)).find((x) => x.tag === "news"));
  assert.deepEqual(odd, { title: "Жаңалық бар", body: "", tag: "news", lang: "kk" });
  await page.context().close();
});

test("a tap on the notice opens the citizen's own list", async () => {
  const page = await citizen();
  await report(page, "Яма на дороге");
  await page.goto(g.url);
  await page.locator(".callbutton").waitFor();
  await deliver(page, JSON.stringify({ number: "26-000002", text: "", lang: "ru", tag: "x" }));
  await w.until("it is shown", async () => (await shown(page)).length === 1);
  const worker = page.context().serviceWorkers()[0] ?? (await page.context().waitForEvent("serviceworker"));
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  });
  await page.locator(".mineone").waitFor();
  assert.equal(new URL(page.url()).hash, "#mine");
  assert.deepEqual(await shown(page), [], "it is taken away");
  await page.context().close();
});

test("without a push service, and without permission, the page says so in words", async () => {
  const page = await citizen({ stub: false });
  await report(page, "Шум");
  await page.locator('.notices[data-state="off"] button').click();
  await page.getByText("Служба уведомлений браузера не ответила").waitFor({ timeout: 40000 });
  await page.context().close();
  const bare = await w.browser({ wav: w.tone(440), fakeUI: false });
  const c = await w.context(bare, { lang: "ru-RU", permissions: ["geolocation"] });
  await c.addInitScript(() => {
    Notification.requestPermission = async () => "denied"; // a person says no
  });
  const no = await c.newPage();
  await no.goto(g.url);
  await report(no, "Шум");
  const off = no.locator('.notices[data-state="off"] button');
  if (await off.count()) await off.click(); // headless Chromium may have said no already
  await no.getByText("Уведомления запрещены").waitFor();
  await bare.close();
});

test("the page of a call that has ended tells what became of it, and so does the list", async () => {
  const page = await citizen();
  await page.locator(".doors button").nth(1).click();
  await page.locator(".facts").waitFor();
  await page.locator("button.end").click();
  await page.locator("button.end").click();
  await page.locator(".after .now").getByText("Зарегистрировано").waitFor();
  await page.locator('.notices[data-state="off"] button').click(); // a caller who is not registered
  await page.locator('.notices[data-state="on"]').waitFor();
  assert.ok(kept().some((k) => k.startsWith("page:")), kept().join());
  const { cases } = await ask(await as("dispatcher"), "GET", "/cases?lane=call");
  const id = cases[0].case;
  await ask(await as("patrol14"), "PUT", "/patrol/duty", { on: true });
  const { patrols } = await ask(await as("dispatcher"), "GET", "/patrols");
  await ask(await as("dispatcher"), "POST", `/cases/${id}/acts`, { act: "send", patrol: patrols[0].patrol });
  await page.locator(".after .now").getByText("Патруль выехал").waitFor();
  await w.shot(page, "push-ended");
  await ask(await as("patrol14"), "POST", `/patrol/cases/${id}/words`, { what: "on_scene" });
  await page.locator(".after .now").getByText("Патруль на месте").waitFor();
  await ask(await as("patrol14"), "POST", `/cases/${id}/acts`, { act: "close", outcome: "measures", text: "Стороны разошлись." });
  await page.locator(".after .reply").getByText("Стороны разошлись.").waitFor({ timeout: 20000 });
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  await page.goto(`${g.url}/#mine`); // another day, another tab
  await page.reload();
  await page.locator(".mineone").getByText("Стороны разошлись.").waitFor();
  await w.shot(page, "push-calls");
  await page.context().close();
});

test("of a call by somebody who cannot speak the browser is asked nothing and the phone keeps nothing", async () => {
  const page = await citizen();
  await page.locator(".doors button").first().click();
  await page.locator(".question").waitFor();
  await page.locator(".end").click();
  await page.locator(".end").click();
  await page.locator(".after .now").waitFor();
  assert.equal(await page.locator(".notices").count(), 0);
  assert.equal(await page.evaluate(() => localStorage.getItem("jedel.calls")), null);
  await page.context().close();
  assert.deepEqual(trouble, []);
});
