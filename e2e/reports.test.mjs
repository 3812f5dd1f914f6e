// A citizen reports without a call: a photo, words and a place, registered in seconds; without a network;
// with a film whose way is cut by the gateway's death. What lies in the archive is what was sent, bit by bit.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
let phone;
let page;
let photo;
before(async () => {
  g = await w.gateway();
  b = await w.browser();
  phone = await w.context(b, { lang: "ru-RU" });
  page = await phone.newPage();
});
after(async () => {
  await b?.close();
  await g?.stop();
});

const sum = (raw) => crypto.createHash("sha256").update(raw).digest("hex");

/** Asks the API as a member of staff. */
async function ask(at, login = "operator") {
  const res = await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login, password: w.password }) });
  const { token } = await res.json();
  return fetch(g.url + at, { headers: { Authorization: `Bearer ${token}` } });
}

/** The case of a number. */
async function caseOf(number) {
  const { cases } = await (await ask("/api/v1/cases?lane=report")).json();
  const found = cases.find((c) => c.number === number);
  return (await ask(`/api/v1/cases/${found.case}`)).json();
}

/** The original of a file, out of the archive. */
async function original(c, file) {
  const res = await ask(`/api/v1/cases/${c.case}/files/${c.recordings[0].call}/${file.file}`);
  assert.equal(res.status, 200);
  assert.match(res.headers.get("content-disposition"), /^attachment/);
  return Buffer.from(await res.arrayBuffer());
}

const number = async () => (await page.locator(".sent h1").textContent()).match(/№ (.*)$/)[1];

async function serious(name) {
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0].target}`), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
}

test("a photo, words and a place are registered, and kept bit by bit", async () => {
  const began = Date.now();
  await page.goto(g.url);
  await page.getByRole("button", { name: "Сообщить о нарушении" }).click();
  await page.getByText("О чём сообщаете").waitFor();
  photo = await page.screenshot({ type: "jpeg", quality: 90 });
  await page.locator(".kinds button").nth(2).click();
  await page.locator(".attach.photo input").first().setInputFiles({ name: "IMG_0001.jpg", mimeType: "image/jpeg", buffer: photo });
  await page.getByText("IMG_0001.jpg").waitFor();
  await page.locator("textarea").fill("Машина стоит на тротуаре, с коляской не пройти");
  await page.getByText(/Ваше место известно/).waitFor();
  await serious("writing");
  await w.shot(page, "report-write-ru");
  await page.getByRole("button", { name: "Отправить" }).click();
  await page.getByText(/Сообщение зарегистрировано/).waitFor();
  const took = (Date.now() - began) / 1000;
  console.log(`# from opening to registered: ${took.toFixed(1)} s by a machine`);
  assert.ok(took < 30);
  await page.getByText("Все файлы получены").waitFor();
  await serious("receipt");
  await w.shot(page, "report-receipt-ru");

  const hash = await page.locator(".hash").textContent();
  const c = await caseOf(await number());
  const [file] = c.recordings[0].files;
  assert.equal(file.sha256, sum(photo));
  assert.deepEqual(await original(c, file), photo);
  assert.ok(c.card.some((l) => l.place?.lat && Math.abs(l.place.lat - 54.8753) < 1e-6), "the place is on the card");
  const small = await ask(`/api/v1/cases/${c.case}/files/${c.recordings[0].call}/${file.file}/preview`);
  assert.equal(small.headers.get("content-type"), "image/jpeg");
  assert.ok((await small.arrayBuffer()).byteLength > 500, "a process of its own drew a preview");

  const dir = execFileSync("find", [path.join(g.data, "archive/calls"), "-type", "d", "-name", c.recordings[0].call]).toString().trim();
  await w.until("its archive is sealed", () => fs.existsSync(path.join(dir, "seal.note")), 20000);
  await w.until("the proof that the seal is in the site's log", () => fs.existsSync(path.join(dir, "proofs/seal.tlog-proof")), 20000);
  const { levels } = JSON.parse(spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", dir, "--json"]).stdout);
  assert.deepEqual(levels.map((l) => `${l.level} ${l.state}`).slice(0, 5), ["V0 passed", "V1 passed", "V2 passed", "V3 partial", "V4 passed"], "nobody outside signs the log of a demo");
  const seal = fs.readFileSync(path.join(dir, "seal.note"), "utf8");
  assert.ok(seal.includes(sum(photo)), "the seal names the photo");

  await page.getByRole("button", { name: "Мои сообщения" }).first().click();
  await page.getByText(`№ ${c.number}`).waitFor();
  await w.shot(page, "report-mine-ru");
  assert.equal(hash, (await (await fetch(`${g.url}/api/v1/reports`, { headers: { "X-Report-Key": await key() } })).json()).reports[0].sha256);
});

/** The key of this phone's reports. */
function key() {
  return page.evaluate(() => new Promise((resolve, reject) => {
    const open = indexedDB.open("jedel.reports");
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const get = open.result.transaction("key").objectStore("key").get("key");
      get.onsuccess = () => resolve(get.result);
    };
  }));
}

test("without a network a report is sealed on the phone and sent with its time", async () => {
  await page.getByRole("button", { name: "Новое сообщение" }).first().click();
  await page.locator("textarea").waitFor();
  await phone.setOffline(true);
  await page.locator(".attach.photo input").first().setInputFiles({ name: "яма.jpg", mimeType: "image/jpeg", buffer: photo });
  await page.locator("textarea").fill("Яма на дороге");
  await page.getByText(/МБ/).first().waitFor();
  const made = Date.now();
  await page.getByRole("button", { name: "Отправить" }).click();
  await page.getByText("Сохранено на телефоне").waitFor();
  const until = Date.now();
  await w.shot(page, "report-offline-ru");
  await page.waitForTimeout(2500);
  await phone.setOffline(false);
  await page.getByText(/Сообщение зарегистрировано/).waitFor({ timeout: 30000 });
  await page.getByText("Все файлы получены").waitFor();
  const [mine] = (await (await fetch(`${g.url}/api/v1/reports`, { headers: { "X-Report-Key": await key() } })).json()).reports;
  assert.ok(mine.madeMs >= made && mine.madeMs <= until, `made ${mine.madeMs - made} ms after the touch, kept ${until - made} ms after it`);
  assert.ok(mine.atMs - mine.madeMs > 2000, `arrived ${mine.atMs - mine.madeMs} ms later`);
  const c = await caseOf(mine.number);
  assert.deepEqual(await original(c, c.recordings[0].files[0]), photo);
});

test("a film goes on after the gateway was killed in the middle of it", async () => {
  const film = path.join(g.data, "film.mp4");
  execFileSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=d=2:s=640x480:r=25", "-c:v", "mpeg4", film]);
  const free = Buffer.alloc(40 << 20); // a box that players pass over, of noise
  crypto.randomFillSync(free);
  free.writeUInt32BE(free.length, 0);
  free.write("free", 4);
  fs.appendFileSync(film, free);
  const raw = fs.readFileSync(film);

  const link = await phone.newCDPSession(page);
  await page.getByRole("button", { name: "Новое сообщение" }).first().click();
  await page.locator(".attach.photo input").nth(1).setInputFiles(film);
  await page.getByText("film.mp4").waitFor();
  await page.locator("textarea").fill("Драка у вокзала, снял видео");
  await page.getByText("читается").waitFor({ state: "detached", timeout: 60000 });
  await link.send("Network.emulateNetworkConditions", { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: 6 << 20 });
  await page.getByRole("button", { name: "Отправить" }).click();
  const staged = () => fs.readdirSync(path.join(g.data, "uploads")).map((n) => fs.statSync(path.join(g.data, "uploads", n)).size)[0] ?? 0;
  await w.until("a part of it is here", () => staged() > 12 << 20, 60000);
  await w.shot(page, "report-sending-ru");
  await g.kill();
  const had = staged();
  assert.ok(had > 12 << 20 && had < raw.length, `${had} bytes were here`);
  await page.waitForTimeout(1500);
  await g.start();
  await page.getByText("Все файлы получены").waitFor({ timeout: 90000 });
  const c = await caseOf(await number());
  const [file] = c.recordings[0].files;
  assert.equal(file.sha256, sum(raw));
  assert.equal(file.mime, "video/mp4");
  assert.ok((await original(c, file)).equals(raw), "bit by bit");
  const none = await ask(`/api/v1/cases/${c.case}/files/${c.recordings[0].call}/${file.file}/preview`);
  assert.equal(none.status, 404);
  assert.equal((await none.json()).error.code, "no_preview");
});

test("what is no photo is refused in words, and the report stays", async () => {
  await page.getByRole("button", { name: "Новое сообщение" }).first().click();
  await page.locator(".attach.photo input").first().setInputFiles({ name: "страница.jpg", mimeType: "image/jpeg", buffer: Buffer.from("<!doctype html><script>alert(1)</script>") });
  await page.locator("textarea").fill("Проверка");
  await page.getByText(/МБ/).first().waitFor();
  await page.getByRole("button", { name: "Отправить" }).click();
  await page.getByText(/не принято: это не фото/).waitFor();
  await page.getByText(/Сообщение зарегистрировано/).waitFor();
  await w.shot(page, "report-refused-ru");
});

test("in Kazakh and English, light and dark", async () => {
  for (const [lang, theme] of [["kk-KZ", "dark"], ["en-GB", "light"]]) {
    const c = await w.context(b, { lang, theme });
    page = await c.newPage();
    await page.goto(`${g.url}/#report`);
    await page.locator(".kinds button").first().waitFor();
    await page.locator(".kinds button").nth(2).click();
    await page.locator(".attach.photo input").first().setInputFiles({ name: "IMG_0002.jpg", mimeType: "image/jpeg", buffer: photo });
    await page.locator("textarea").fill(lang === "kk-KZ" ? "Көлік тротуарда тұр" : "A car stands on the pavement");
    await page.getByText("IMG_0002.jpg").waitFor();
    await serious(`writing ${lang}`);
    await w.shot(page, `report-write-${lang.slice(0, 2)}`);
    await page.locator(".sendreport").click();
    await page.locator(".sent .hash").waitFor();
    await page.locator(".sent [role=status]").waitFor();
    await serious(`receipt ${lang}`);
    await w.shot(page, `report-receipt-${lang.slice(0, 2)}`);
    await c.close();
  }
});
