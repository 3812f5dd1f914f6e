// An anonymous tip from the phone to the unit and back: sealed in a real browser, read by the command
// line with the unit's key, replied to, read with six words; and nothing of it anywhere else.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const phone = { width: 390, height: 844 };
const desk = { width: 1366, height: 768 };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-tips-"));
const jedel = path.join(w.root, "bin/jedel");
const words = "Канарейка: майор Н. взял деньги на Абая, 24";
const trouble = [];
let g;
let b;
let at;
const prints = {};

before(async () => {
  const keys = {};
  for (const name of ["anticor", "anticor2", "customs"]) {
    const said = execFileSync(jedel, ["tips", "keygen", path.join(dir, `${name}.key`)], { encoding: "utf8" });
    keys[name] = /recipients: \[(\S+)\]/.exec(said)[1];
    prints[name] = /key: ((?:[0-9a-f]{4} ?){5})/.exec(said)[1].trim();
  }
  const port = await new Promise((done) => {
    const s = net.createServer();
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
  at = `http://127.0.0.1:${port}`;
  fs.writeFileSync(path.join(dir, "jedel.yaml"), `
log: {level: debug}
tips:
  public: ${at}/
  onion: http://example0000000000000000000000000000000000000000000000.onion/
  stamp_bits: 14
  units:
    - {key: anticor, names: {kk: Өзіндік қауіпсіздік басқармасы, ru: Управление собственной безопасности, en: Internal security}, recipients: [${keys.anticor}, ${keys.anticor2}]}
    - {key: customs, names: {kk: Кеден бақылауы, ru: Контроль на таможне, en: Customs oversight}, recipients: [${keys.customs}]}
`);
  g = await w.gateway({ args: ["--config", path.join(dir, "jedel.yaml"), "--tips", `127.0.0.1:${port}`] });
  b = await w.browser({ devices: false });
});

after(async () => {
  await b?.close();
  await g?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** The unit's command line. */
function unit(verb, key, args = [], input = "") {
  const r = spawnSync(jedel, ["tips", verb, "--server", at, "--unit", key.replace(/2$/, ""), "--key", path.join(dir, `${key}.key`), ...args], { encoding: "utf8", input, timeout: 20000 });
  return { status: r.status, out: r.stdout, err: r.stderr };
}

async function open({ lang = "ru-RU", viewport = phone, theme = "light", prepare } = {}) {
  const c = await w.context(b, { lang, viewport, theme, geo: null, permissions: [] });
  const p = await c.newPage();
  p.on("pageerror", (e) => trouble.push(e.message));
  p.on("console", (m) => m.type() === "error" && !/404|status of 4/.test(m.text()) && trouble.push(m.text()));
  p.on("request", (r) => !r.url().startsWith(at) && !r.url().startsWith("blob:") && trouble.push(`asked ${r.url()}`));
  if (prepare) await p.addInitScript(prepare);
  await p.goto(at);
  await p.locator("button.go:enabled").waitFor();
  return p;
}

/** A JPEG of this browser's with what a camera adds. */
async function photo(p) {
  const raw = Buffer.from(await p.evaluate(async () => {
    const c = document.createElement("canvas");
    c.width = 640;
    c.height = 480;
    const x = c.getContext("2d");
    x.fillStyle = "#357";
    x.fillRect(0, 0, 640, 480);
    x.fillStyle = "#fff";
    x.fillRect(100, 100, 200, 50);
    const blob = await new Promise((r) => c.toBlob(r, "image/jpeg"));
    return [...new Uint8Array(await blob.arrayBuffer())];
  }));
  const exif = Buffer.concat([Buffer.from("Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", "binary"), Buffer.from("CANARY-GPS 54.8753 69.1628 CANARY-CAMERA")]);
  const head = Buffer.from([0xff, 0xe1, (exif.length + 2) >> 8, (exif.length + 2) & 255]);
  return Buffer.concat([raw.subarray(0, 2), head, exif, raw.subarray(2)]);
}

async function check(p, name) {
  await p.screenshot({ path: path.join(w.shots, `tips-${name}.png`), fullPage: true });
  const { violations } = await new w.AxeBuilder({ page: p }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
}

/** Whatever a page could leave on a phone. */
async function left(p) {
  const here = await p.evaluate(async () => ({
    local: localStorage.length, session: sessionStorage.length, bases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length, cookies: document.cookie,
  }));
  assert.deepEqual(here, { local: 0, session: 0, bases: 0, caches: 0, workers: 0, cookies: "" });
  assert.deepEqual(await p.context().cookies(), []);
}

let code;
let letter;

test("a tip with a photo and a document is sealed here, and the unit alone reads it", async () => {
  const p = await open();
  await check(p, "home-ru-light-phone");
  await p.getByRole("button", { name: "Написать" }).click();
  assert.equal(await p.locator("input[type=radio]:checked").count(), 0);
  await p.getByLabel("Контроль на таможне").check();
  assert.equal(await p.locator("code").innerText(), prints.customs, "the page's fingerprint is not that on paper");
  await p.getByLabel("Управление собственной безопасности").check();
  await p.getByLabel("Что произошло").fill(words);
  await p.locator("input[type=file]").setInputFiles([
    { name: "canary-name-of-a-colleague.jpg", mimeType: "image/jpeg", buffer: await photo(p) },
    { name: "canary-report.txt", mimeType: "text/plain", buffer: Buffer.from("canary-content of a document") },
  ]);
  await p.getByText("уйдёт как есть").waitFor();
  await p.getByText("перерисовано").waitFor();
  await check(p, "write-ru-light-phone");
  const sent = p.waitForRequest((r) => r.method() === "POST");
  await p.getByRole("button", { name: "Запечатать и отправить" }).click();
  const request = await sent;
  await p.getByText("Письмо доставлено").waitFor();
  const body = request.postDataBuffer();
  assert.ok(body.length > 65536 && body.length < 72000, `${body.length} bytes are sent`); // padded to 64 KiB and sealed
  for (const secret of ["anare", "Канар", "canary", "age1pq"]) assert.equal(body.includes(secret), false, secret);
  assert.deepEqual(Object.keys(await request.allHeaders()).filter((h) => /cookie|referer|authorization/.test(h)), []);
  code = (await p.locator(".code li").allInnerTexts()).join(" ");
  assert.match(code, /^([а-я]{5} ){5}[а-я]{5}$/);
  await check(p, "code-ru-light-phone");
  await left(p);
  await p.getByRole("button", { name: "Слова сохранены" }).click();
  await p.getByRole("button", { name: "Написать" }).waitFor();
  assert.equal((await p.content()).includes(code.split(" ")[0]), false);
  await p.context().close();

  assert.equal(unit("list", "customs").out.trim().split("\n").length, 1, "another unit sees it");
  const out = path.join(dir, "files");
  for (const key of ["anticor", "anticor2"]) {
    const r = unit("read", key, ["--out", out]);
    assert.equal(r.status, 0, r.err);
    assert.ok(r.out.includes(words), r.out);
    letter = /letter ([0-9a-f]{16})/.exec(r.out)[1];
  }
  const files = fs.readdirSync(out).sort();
  assert.deepEqual(files.map((f) => path.extname(f)), [".jpg", ".txt"]);
  const [jpg, txt] = files.map((f) => fs.readFileSync(path.join(out, f)));
  assert.equal(txt.toString(), "canary-content of a document");
  assert.ok(jpg.length > 1000 && jpg[0] === 0xff && !jpg.includes("CANARY") && !jpg.includes("Exif"));
  const stranger = unit("read", "customs", ["--unit", "anticor"]);
  assert.notEqual(stranger.status, 0);
});

test("the unit replies, the citizen reads it with six words in another language and script, and writes more", async () => {
  const said = unit("reply", "anticor", [letter], "Спасибо. Есть ли свидетели?\n\u001b[2JОтветьте здесь же.");
  assert.equal(said.status, 0, said.err);
  const p = await open({ lang: "kk-KZ", theme: "dark" });
  await check(p, "home-kk-dark-phone");
  await p.getByRole("button", { name: "Менде код бар" }).click();
  const box = p.getByLabel("Кодтың алты сөзі");
  await box.fill("бұл код емес");
  await p.keyboard.press("Tab");
  await p.getByRole("button", { name: "Ашу" }).click();
  await p.getByRole("alert").getByText("Бұл код емес").waitFor();
  await box.fill("babab babab babab babab babab babab");
  await p.getByRole("button", { name: "Ашу" }).click();
  await p.getByRole("alert").getByText("Мұндай коды бар жәшік жоқ").waitFor();
  await check(p, "mailbox-kk-dark-phone");
  const latin = [...code].map((l) => "bdfghjklmnprstvzaiou "["бдфгхжклмнпрствзаиоу ".indexOf(l)]).join("");
  await box.fill(latin.toUpperCase());
  await p.getByRole("button", { name: "Ашу" }).click();
  await p.getByText("Есть ли свидетели?").waitFor();
  await check(p, "reply-kk-dark-phone");
  await p.getByRole("button", { name: "Тағы жазу" }).click();
  assert.equal(await p.locator("input[type=radio]").count(), 1, "another unit may be chosen for this mailbox");
  await p.getByLabel("Не болды").fill("Иә, куә бар");
  await p.getByRole("button", { name: "Мөрлеп жіберу" }).click();
  await p.getByText("Хат сол жәшікте").waitFor();
  await p.getByRole("button", { name: "Артқа" }).click();
  await p.getByRole("button", { name: "Бұл жауапты жою" }).click();
  await p.getByText("Әзірге жауап жоқ").waitFor();
  await left(p);
  await p.context().close();
  const rows = unit("list", "anticor").out.trim().split("\n").slice(1);
  assert.equal(rows.length, 2);
  assert.equal(new Set(rows.map((r) => r.split(/\s+/)[1])).size, 1, "one mailbox");
  assert.ok(unit("read", "anticor").out.includes("Иә, куә бар"));
  const inbox = spawnSync(jedel, ["tips", "inbox", "--server", at], { encoding: "utf8", input: code });
  assert.match(inbox.stdout, /No replies yet/, inbox.stderr);
});

test("where drawing cannot be read back, as in Tor Browser, photos are cut instead of spoiled", async () => {
  const p = await open({ lang: "en-GB", viewport: desk, prepare: () => {
    const real = CanvasRenderingContext2D.prototype.getImageData;
    CanvasRenderingContext2D.prototype.getImageData = function (...a) {
      const d = real.apply(this, a);
      for (let i = 0; i < d.data.length; i++) d.data[i] = (i * 37) & 255;
      return d;
    };
  } });
  await check(p, "home-en-light-desk");
  await p.getByRole("button", { name: "Write" }).click();
  await p.getByLabel("Customs oversight").check();
  const raw = await photo(p);
  await p.getByLabel("Send the names of the files too").check();
  await p.locator("input[type=file]").setInputFiles([{ name: "../../etc/x.jpg", mimeType: "image/jpeg", buffer: raw }]);
  await p.getByText("what the camera added is cut off").waitFor();
  await check(p, "write-en-light-desk");
  let go;
  const held = new Promise((r) => (go = r));
  await p.route("**/letters", async (r) => {
    await held;
    await r.abort();
  }, { times: 1 });
  await p.getByRole("button", { name: "Seal and send" }).click();
  await p.getByText("The sealed letter is being sent").waitFor();
  await check(p, "sending-en-light-desk");
  go();
  await p.getByRole("alert").getByText("It was not sent. The text is still here.").waitFor();
  trouble.splice(0, trouble.length, ...trouble.filter((x) => !/ERR_FAILED/.test(x)));
  await p.getByRole("button", { name: "Seal and send" }).click();
  await p.getByText("The letter is there").waitFor();
  await check(p, "code-en-light-desk");
  await p.context().close();
  const out = path.join(dir, "cut");
  assert.equal(unit("read", "customs", ["--out", out]).status, 0);
  const [file] = fs.readdirSync(out);
  const cut = fs.readFileSync(path.join(out, file));
  assert.equal(cut.includes("CANARY"), false);
  assert.ok(cut.length > 1000 && cut.length < raw.length);
  assert.ok(raw.includes(cut.subarray(-500)), "the picture itself was changed");
});

test("leaving is quick and there is no way back", async () => {
  for (const how of ["button", "shift"]) {
    const p = await open({ theme: "dark", viewport: desk });
    await p.route("https://kk.wikipedia.org/**", (r) => r.fulfill({ contentType: "text/html", body: "<title>Уикипедия</title>" }));
    p.removeAllListeners("request");
    await p.getByRole("button", { name: "Написать" }).click();
    await p.getByLabel("Что произошло").fill("канарейка");
    if (how === "shift") for (let i = 0; i < 3; i++) await p.keyboard.press("Shift");
    else await p.getByRole("button", { name: "Быстро уйти" }).click();
    await p.waitForURL("https://kk.wikipedia.org/**");
    await p.goBack({ timeout: 3000 }).catch(() => undefined);
    assert.equal((await p.content()).includes("канарейка"), false);
    assert.notEqual(new URL(p.url()).origin, at);
    await p.context().close();
  }
});

test("where the gateway is not reached the page says so, and goes on when it is", async () => {
  const c = await w.context(b, { lang: "kk-KZ", viewport: desk, theme: "dark", geo: null, permissions: [] });
  const p = await c.newPage();
  await p.route("**/api/v1/tips", (r) => r.abort(), { times: 1 });
  await p.goto(at);
  await p.getByRole("alert").getByText("Бет серверге жете алмай тұр").waitFor();
  await check(p, "off-kk-dark-desk");
  await p.getByRole("button", { name: "Қайталау" }).click();
  await p.locator("button.go:enabled").waitFor();
  await c.close();
});

test("without scripts the page says what to do", async () => {
  const c = await b.newContext({ javaScriptEnabled: false, viewport: phone });
  const p = await c.newPage();
  await p.goto(at);
  await p.getByText("jedel tips send").first().waitFor();
  await p.screenshot({ path: path.join(w.shots, "tips-noscript.png") });
  await c.close();
});

test("the report page leads there, quietly", async () => {
  for (const name of ["/tip/tip.html", "/tip.html", "/api/v1/tips"]) assert.equal((await fetch(`${g.url}${name}`)).status, 404, `${name} is served beside calls`);
  const c = await w.context(b, { lang: "ru-RU", viewport: phone });
  const p = await c.newPage();
  await p.goto(`${g.url}/#report`);
  const link = p.getByRole("link", { name: "Сообщить анонимно" });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), `${at}/`);
  await link.scrollIntoViewIfNeeded();
  await w.shot(p, "tips-link-ru");
  const [request] = await Promise.all([p.waitForRequest((r) => r.url() === `${at}/`), link.click()]);
  assert.equal(request.headers().referer, undefined);
  await p.getByRole("button", { name: "Написать" }).waitFor();
  await c.close();
});

test("a citizen who trusts no page writes with the program and a fingerprint from paper", () => {
  const send = (print) => spawnSync(jedel, ["tips", "send", "--server", at, "--unit", "customs", "--fingerprint", print, "--lang", "ru"], { encoding: "utf8", input: "без страницы", timeout: 20000 });
  const wrong = send("0000 0000 0000 0000 0000");
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /do not send/);
  const r = send(prints.customs);
  assert.equal(r.status, 0, r.stderr);
  assert.match(r.stdout, /([a-z]{5} ){5}[a-z]{5}/);
  assert.ok(unit("read", "customs").out.includes("без страницы"));
  assert.match(unit("prune", "customs", ["--before", "2099-01-01"]).out, /2 letters are deleted/);
  assert.equal(unit("list", "customs").out.trim().split("\n").length, 1);
});

test("nothing of all this lies in any file of the gateway, or in its log", () => {
  const secrets = [words, "Иә, куә бар", "Есть ли свидетели", "canary-name-of-a-colleague", "canary-content", "CANARY-GPS", "без страницы", ...code.split(" ")];
  const forms = (s) => [Buffer.from(s), Buffer.from(s, "utf16le"), Buffer.from(Buffer.from(s).toString("hex")), ...[0, 1, 2].map((n) => Buffer.from(Buffer.from("x".repeat(n) + s).toString("base64").replace(/=+$/, "").slice(n ? n + 1 : 0, -1)))];
  const hay = { log: Buffer.from(g.log) };
  for (const f of fs.readdirSync(g.data, { recursive: true, withFileTypes: true })) if (f.isFile()) hay[path.join(f.parentPath ?? f.path, f.name)] = fs.readFileSync(path.join(f.parentPath ?? f.path, f.name));
  assert.ok(Object.keys(hay).some((f) => f.endsWith("tips.db")) && Object.keys(hay).length > 5);
  const find = () => Object.entries(hay).flatMap(([f, raw]) => secrets.filter((s) => forms(s).some((x) => raw.includes(x))).map((s) => `${s} in ${f}`));
  assert.deepEqual(find(), []);
  assert.doesNotMatch(g.log, /HeadlessChrome|Mozilla/);
  hay.planted = Buffer.from(`x${Buffer.from(words).toString("base64")}`); // the search sees what is there
  assert.deepEqual(find(), [`${words} in planted`]);
});

test("no page made an error, asked anybody else, or broke its policy", () => assert.deepEqual(trouble, []));
