// The investigator's page over one real call: found, played, sought, checked, taken away, in three
// languages, two themes and two sizes.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const phone = { width: 390, height: 844 };
const desk = { width: 1366, height: 768 };
const words = "Абай көшесі, 24";
const reply = "Патруль жолда";
const callerPhone = "+77015551212";
const out = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-evidence-"));
const trouble = [];
let g;
let bCaller;
let bStaff;
let number;
let call;
let auth;
let page; // an investigator's, in Russian

before(async () => {
  g = await w.gateway();
  bCaller = await w.browser({ wav: w.tone(440) });
  bStaff = await w.browser({ wav: w.tone(880) });
  await record();
  const session = await (await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login: "investigator", password: w.password }) })).json();
  auth = { Authorization: `Bearer ${session.token}` };
  const row = await w.until("the call is sealed", async () =>
    (await (await fetch(`${g.url}/api/v1/evidence/calls`, { headers: auth })).json()).calls.find((c) => c.recording === "sealed"));
  [number, call] = [row.number, row.call];
});

after(async () => {
  await bCaller?.close();
  await bStaff?.close();
  await g?.stop();
  fs.rmSync(out, { recursive: true, force: true });
});

function watch(p, who) {
  p.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  p.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  return p;
}

async function signIn(p, at, login) {
  await p.goto(`${g.url}${at}`);
  await p.locator("input").nth(0).fill(login);
  await p.locator("input").nth(1).fill(w.password);
  await p.keyboard.press("Enter");
}

/** A known caller calls for some six seconds, writes, moves and sends a picture. */
async function record() {
  const c = await w.context(bCaller, { lang: "ru-RU" });
  const caller = watch(await c.newPage(), "caller");
  await caller.goto(g.url);
  await caller.locator(".plain").click();
  await caller.locator("input").nth(0).fill(callerPhone);
  await caller.keyboard.press("Enter");
  await caller.locator("input").nth(1).fill(await w.until("a code is printed", () => g.codes().at(-1)));
  await caller.locator("input").nth(2).fill("Нұрлан Әбенов");
  await caller.locator("form .go").click();
  await caller.getByText("Нұрлан Әбенов").waitFor();
  const operator = watch(await (await w.context(bStaff, { lang: "ru-RU", viewport: desk, theme: "dark" })).newPage(), "operator");
  await signIn(operator, "/console", "operator");
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  await caller.locator(".callbutton").click();
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await caller.getByText("Оператор на связи").waitFor();
  await w.hears(operator, 440);
  await w.hears(caller, 880);
  await caller.locator(".chat form input:not([type=file])").fill(words);
  await caller.keyboard.press("Enter");
  const box = operator.locator("textarea").last();
  await box.fill(reply);
  await box.press("Control+Enter");
  await caller.getByText(reply).waitFor();
  await c.setGeolocation({ latitude: 54.8761, longitude: 69.1649, accuracy: 9 });
  await operator.getByText("54.87610, 69.16490").waitFor();
  const png = await caller.screenshot({ clip: { x: 0, y: 0, width: 200, height: 120 } });
  await caller.locator('.chat input[type="file"]').setInputFiles({ name: "место.png", mimeType: "image/png", buffer: png });
  await operator.locator('img[src*="/files/"]').first().waitFor();
  await operator.waitForTimeout(2500);
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

const clock = (p) => p.locator('.lane[data-lane="events"] [role="slider"]').getAttribute("aria-valuenow").then(Number);
const lane = (p, kind) => p.locator(`.lane[data-lane="${kind}"] [role="slider"]`);

test("the call is found by number, by phone and by operator, and not by others", async () => {
  const c = await w.context(bStaff, { lang: "ru-RU", viewport: desk, theme: "light" });
  await c.grantPermissions(["clipboard-read", "clipboard-write"], { origin: g.url });
  page = watch(await c.newPage(), "investigator");
  await signIn(page, "/evidence", "investigator");
  await page.locator("table a").first().waitFor();
  const operator = (await page.locator('tbody tr td[data-name="Оператор"]').first().innerText()).trim();
  assert.ok(operator, "the operator's name stands in the list");
  const field = (label) => page.getByLabel(label, { exact: true });
  for (const [label, right, wrong] of [["Номер", number, "99-999999"], ["Телефон", callerPhone, "+77770000000"], ["Оператор", operator, "Никто"]]) {
    await field(label).fill(wrong);
    await page.keyboard.press("Enter");
    await page.getByText("Таких звонков не найдено").waitFor();
    await field(label).fill(right);
    await page.keyboard.press("Enter");
    await page.locator("table a").getByText(number).waitFor();
    await field(label).fill("");
  }
  await page.locator("table a").first().click();
  await page.locator("form.why").waitFor();
  for (const route of ["", "/media/caller", "/archive.tar"]) {
    const r = await fetch(`${g.url}/api/v1/evidence/calls/${call}${route}`, { headers: auth });
    assert.equal(r.status, 428, `${route} is shown without a reason`);
    assert.equal((await r.json()).error.code, "reason_needed");
  }
  await check(page, "evidence-why-ru", "ru");
  await w.sayWhy(page, "24-0099");
  await page.locator("video").waitFor();
  await page.getByRole("heading", { level: 1 }).getByText(number).waitFor();
});

test("it is found by a place on the map and by what it was about", async () => {
  const c = await w.context(bStaff, { lang: "ru-RU", viewport: desk, theme: "light" });
  const p = watch(await c.newPage(), "place");
  await signIn(p, "/evidence", "investigator");
  await p.locator("table a").first().waitFor();
  const find = async (n) => {
    await p.getByRole("button", { name: "Найти" }).click();
    await w.until(`${n} are found`, async () => (await p.locator("tbody tr").count()) === n);
  };
  await p.locator(".around summary").click();
  await p.locator('input[name="near"]').fill("54.8753, 69.1628");
  await p.keyboard.press("Tab");
  await find(1);
  await p.locator('input[name="near"]').fill("55.5 69.1628");
  await p.keyboard.press("Tab");
  await find(0);
  await p.getByRole("button", { name: "Без места" }).click();
  await find(1);
  const map = p.locator(".aroundmap canvas");
  await map.waitFor();
  const box = await map.boundingBox();
  await p.mouse.click(box.x + box.width / 2, box.y + box.height / 2); // the middle is the centre of the town
  await p.locator(".around summary").getByText("±500").waitFor();
  await p.locator('select[name="reach"]').selectOption("20000");
  await find(1);
  await check(p, "evidence-place-ru-light-desk", "ru");
  await p.getByRole("button", { name: "Без места" }).click();
  await p.locator('select[name="category"]').selectOption("traffic");
  await find(0);
  await p.locator('select[name="category"]').selectOption("theft");
  await find(1);
  await c.close();
});

test("a case whole: all that was recorded of it is proven, every decision is told", async () => {
  for (const [lang, theme, viewport, all] of [["ru-RU", "light", desk, "Проверить все"], ["kk-KZ", "dark", desk, "Бәрін тексеру"], ["en-GB", "dark", { width: 390, height: 844 }, "Verify all"]]) {
    const c = await w.context(bStaff, { lang, viewport, theme });
    const p = watch(await c.newPage(), `case ${lang}`);
    await signIn(p, "/evidence", "investigator");
    await p.locator("table a").first().click(); // why was said before
    await p.locator('a[href^="#case/"]').first().click();
    await p.locator(".course li").nth(2).waitFor();
    await p.getByRole("button", { name: all }).click();
    await p.locator('[data-check="sofar"]').first().waitFor(); // right, and nobody outside has signed this site's log
    assert.equal(await p.locator('[data-check="sofar"]').count(), await p.locator(".recordings li").count());
    assert.ok(!(await p.locator(".course").innerText()).match(/fact\.|word\.|line\.|lane\.|kind\./), "a text is missing");
    await check(p, `evidence-whole-${lang.slice(0, 2)}`, lang.slice(0, 2));
    await c.close();
  }
});

test("who has looked at it, and why, is told; attempts without a reason too", async () => {
  await page.getByText("Кто смотрел эту запись").click();
  await page.locator(".accesses li", { hasText: "24-0099 · Расследование" }).waitFor();
  await page.locator(".accesses li", { hasText: "отказано: причина не названа" }).first().waitFor();
  await page.getByText("Кто смотрел эту запись").click();
});

test("both sides' sound is drawn: it is not silent", async () => {
  assert.ok(await streamsTold(page), "the page says what arrived");
  for (const side of ["caller", "operator"]) {
    await page.locator(`[data-lane="${side}"] canvas[data-state="shown"]`).waitFor();
    const tall = await page.locator(`[data-lane="${side}"] canvas`).evaluate((el) => {
      const { data, width, height } = el.getContext("2d").getImageData(0, 0, el.width, el.height);
      const column = (x) => Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3] > 0).filter(Boolean).length;
      return Array.from({ length: width }, (_, x) => column(x)).filter((h) => h > height / 10).length / width;
    });
    assert.ok(tall > 0.5, `${side}: ${(100 * tall).toFixed(0)} % of the columns show sound`);
  }
});

test("it plays: picture and sound of both sides go on", async () => {
  await page.locator("main").click({ position: { x: 2, y: 2 } });
  await page.keyboard.press("Space");
  await w.until("both play", () => page.evaluate(() => {
    const [v, a] = [document.querySelector("video"), document.querySelector("audio")];
    return v.currentTime > 2 && a.currentTime > 0.5 && !v.paused && !a.paused && v.videoWidth > 0;
  }));
  const hz = await page.evaluate(async () => {
    const ctx = new AudioContext();
    const an = ctx.createAnalyser();
    an.fftSize = 8192;
    ctx.createMediaStreamSource(document.querySelector("audio").captureStream()).connect(an);
    const bins = new Float32Array(an.frequencyBinCount).fill(-Infinity);
    let top = 0;
    for (let i = 0; i < 300 && !(bins[top] > -60); i++) { // on a busy machine the sound comes later than its clock
      await new Promise((r) => setTimeout(r, 50));
      an.getFloatFrequencyData(bins);
      top = bins.indexOf(Math.max(...bins));
    }
    await ctx.close();
    return bins[top] > -60 ? (top * ctx.sampleRate) / an.fftSize : 0;
  });
  await page.keyboard.press("KeyK");
  await w.until("it stands", () => page.evaluate(() => document.querySelector("video").paused && document.querySelector("audio").paused));
  assert.ok(Math.abs(hz - 880) < 15, `the operator's voice is heard, at ${hz} Hz`);
});

/** A press as the Russian layout reports it: the code is that of the place. */
const russian = (p, code, key) => p.evaluate(([c, k]) => document.body.dispatchEvent(new KeyboardEvent("keydown", { code: c, key: k, bubbles: true, cancelable: true })), [code, key]);

test("the keys move it, under the Russian layout too", async () => {
  await lane(page, "events").focus();
  await page.keyboard.press("Home");
  await page.locator("h1").click();
  await page.evaluate(() => document.activeElement?.blur());
  assert.equal(await clock(page), 0);
  await russian(page, "KeyL", "д");
  await w.until("five seconds on", async () => (await clock(page)) === 5000);
  await page.keyboard.press("Period");
  await w.until("a frame on", async () => (await clock(page)) === 5067);
  await russian(page, "Comma", "б");
  await w.until("a frame back", async () => (await clock(page)) === 5000);
  await page.keyboard.press("ArrowLeft");
  await w.until("five seconds back", async () => (await clock(page)) === 0);
  for (const [code, speed] of [["Digit1", "0.5"], ["Digit3", "1.5"], ["Digit4", "2"], ["Digit2", "1"]]) {
    await page.keyboard.press(code);
    await w.until(`speed ${speed}`, async () => (await page.locator(".controls select").inputValue()) === speed);
  }
  await w.until("the elements have the speed", () => page.evaluate(() => document.querySelector("video").playbackRate === 1));
  await russian(page, "Slash", "?");
  await page.locator("dialog[open]").getByText("Назад на 5 секунд").waitFor();
  await w.shot(page, "evidence-keys-ru-light-desktop");
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
  await page.getByLabel("Скорость").focus();
  await page.keyboard.press("KeyL");
  assert.equal(await clock(page), 0, "a field keeps its keys");
  await page.evaluate(() => document.activeElement?.blur());
});

test("a lane seeks by a press and by keys, and says where it stands", async () => {
  const scale = lane(page, "chat");
  const box = await scale.boundingBox();
  const press = { position: { x: box.width / 2, y: box.height / 2 } };
  const length = Number(await scale.getAttribute("aria-valuemax"));
  await scale.click(press);
  await w.until("half way", async () => Math.abs((await clock(page)) - length / 2) < length / 100);
  await w.until("the picture is there too", () => page.evaluate((half) => Math.abs(document.querySelector("video").currentTime - half) < 1.5, length / 2000));
  const before = await clock(page);
  await page.keyboard.press("ArrowRight");
  await w.until("a second on, once", async () => (await clock(page)) === before + 1000);
  await page.keyboard.press("End");
  await w.until("the end", async () => (await clock(page)) === length);
  assert.match(await scale.getAttribute("aria-valuetext"), /^\d:\d\d:\d\d\.\d{3} · место\.png$|Патруль жолда$/);
  for (const kind of ["caller", "operator", "position", "missing"]) {
    const at = await page.locator(`[data-lane="${kind}"] .now`).evaluate((el) => el.style.left);
    assert.equal(at, "100%", `the playhead of ${kind}`);
  }
});

test("the position is that of the moment", async () => {
  const where = page.locator(".place p").first();
  await where.getByText("54.87610, 69.16490").waitFor();
  await lane(page, "events").focus();
  await page.keyboard.press("Home");
  assert.match(await lane(page, "position").getAttribute("aria-valuetext"), /^0:00:00\.000/);
  const marks = await page.locator('[data-lane="position"] .fix').evaluateAll((all) => all.map((m) => [m.title, m.style.left]));
  assert.ok(marks.length >= 2, "two positions were told");
  const [scale, first] = [await lane(page, "position").boundingBox(), await page.locator('[data-lane="position"] .fix').first().boundingBox()];
  await lane(page, "position").click({ position: { x: first.x - scale.x + 6, y: scale.height / 2 } });
  await where.getByText("54.87530, 69.16280").waitFor();
});

test("the log has the chat, the picture and the events, and its times seek", async () => {
  const log = page.locator(".log");
  await log.getByText(words).waitFor();
  await log.getByText("Разговор начался").waitFor();
  const picture = log.locator("img");
  await picture.scrollIntoViewIfNeeded();
  await w.until("the picture is shown", () => picture.evaluate((el) => el.complete && el.naturalWidth > 0));
  const row = log.locator("li").filter({ hasText: words });
  const told = await row.locator("button").innerText();
  await row.locator("button").click();
  await page.locator(".controls").getByText(told).waitFor();
});

test("a marker is kept and a citation names the moment", async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await lane(page, "events").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.evaluate(() => document.activeElement?.blur());
  const at = await clock(page);
  await russian(page, "KeyM", "ь");
  await page.locator(".markers li").waitFor();
  await russian(page, "KeyC", "с");
  const detail = await (await fetch(`${g.url}/api/v1/evidence/calls/${call}`, { headers: auth })).json();
  const wall = new Date(detail.timeline.openedMs + at).toISOString().replace("T", " ").replace("Z", " UTC");
  const cited = await page.locator(".cited code").innerText();
  for (const part of [number, "0:00:02.000", wall, detail.archive.root]) assert.ok(cited.includes(part), `${part} in ${cited}`);
  await w.until("the clipboard has it", async () => (await page.evaluate(() => navigator.clipboard.readText())) === cited);
  await page.reload();
  await page.locator(".markers li").waitFor();
});

test("each level of the proof is told in the language of the page", async () => {
  await page.locator("video").waitFor();
  await page.keyboard.press("KeyV");
  await page.locator(".proof li[data-state]").nth(2).waitFor();
  for (const [lang, texts] of Object.entries({
    ru: ["Сегментов сверено с печатью", "Прочитано: листьев", "Отметок с верной подписью", "нет производных файлов"],
    kk: ["Мөрмен SHA-256", "Оқылғаны:", "Қолы дұрыс", "туынды файлдар жоқ"],
    en: ["Segments compared with the seal", "Read: leaves", "Heads signed", "No derived files stand"],
  })) {
    await page.locator("header select").selectOption(lang);
    for (const text of texts) await page.locator(".proof li").getByText(text).waitFor();
    if (lang !== "en") assert.doesNotMatch(await page.locator(".proof ul").innerText(), /\b(heads?|leaves|segments?|seal|signed|checked|key)\b/i, lang);
  }
  assert.deepEqual(await page.locator(".proof li[data-state]").evaluateAll((all) => all.map((l) => l.dataset.state)), ["passed", "passed", "passed", "partial", "passed", "absent"]);
  await page.locator("header select").selectOption("ru");
});

test("both sides can be taken away and play elsewhere", async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("KeyD");
  const links = page.locator("#downloads a");
  await links.first().waitFor();
  assert.equal(await links.count(), 3, "two sides and the archive");
  for (let i = 0; i < 3; i++) {
    const [file] = await Promise.all([page.waitForEvent("download"), links.nth(i).click()]);
    const to = path.join(out, file.suggestedFilename());
    await file.saveAs(to);
    if (to.endsWith(".tar")) {
      assert.match(execFileSync("tar", ["tf", to]).toString(), /seal\.note/);
      continue;
    }
    assert.match(to, /\.(webm|mp4)$/);
    execFileSync("ffmpeg", ["-v", "error", "-xerror", "-i", to, "-f", "null", "-"]);
    const probe = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_streams", "-show_format", "-of", "json", to]).toString());
    assert.ok(Number(probe.format.duration) > 4, `${to}: ${probe.format.duration} s`);
    assert.ok(probe.streams.some((s) => s.codec_type === "audio"), to);
  }
  await page.keyboard.press("Escape");
  await page.context().close();
});

test("the command line fetches the same, and it verifies without a gateway", async () => {
  const jedel = path.join(w.root, "bin/jedel");
  const tar = path.join(out, "fetched.tar");
  const fetched = (pass) => spawnSync(jedel, ["evidence", "fetch", call, "--url", g.url, "--login", "investigator", "--password", pass, "--case", "24-0099", "--reason", "test", "--out", tar]);
  const no = fetched("wrong-password");
  assert.equal(no.status, 3, no.stderr.toString());
  assert.match(no.stderr.toString(), /bad_sign_in/);
  assert.ok(!fs.existsSync(tar));
  const yes = fetched(w.password);
  assert.equal(yes.status, 0, yes.stderr.toString());
  execFileSync("tar", ["xf", tar, "-C", out]);
  const verify = (...more) => spawnSync(jedel, ["evidence", "verify", path.join(out, call), "--key", path.join(g.data, "archive/keys/recorder.pub"), ...more]);
  const v = verify();
  assert.equal(v.status, 2, "without a key to the content all is right but not all was looked at\n" + v.stdout + v.stderr);
  assert.match(v.stdout.toString(), /V2  passed[^]*V4  not checked/);
  const opened = verify("--identity", path.join(g.data, "keys/playback.key"));
  assert.equal(opened.status, 2, "nobody outside has signed the log: " + opened.stdout + opened.stderr);
  assert.match(opened.stdout.toString(), /V3  in part[^]*V4  passed/);
});

test("a copy is ordered, comes in two pieces, verifies by itself and plays from the disk", async () => {
  const c = await w.context(bStaff, { lang: "kk-KZ", viewport: desk, theme: "light" });
  const p = watch(await c.newPage(), "export");
  await signIn(p, "/evidence", "investigator");
  await p.locator("table a").first().click();
  await p.locator("video").first().waitFor();
  await p.locator(".exports summary").click();
  await p.locator('input[name="organization"]').fill("Қалалық сот");
  await p.locator('.order button[type="submit"]').click();
  await p.locator('.copies li[data-state="ready"]').waitFor();
  await check(p, "evidence-export-kk-light-desk", "kk");
  const href = await p.locator(".copies a").getAttribute("href");
  const cookie = (await c.cookies()).map((k) => `${k.name}=${k.value}`).join("; ");
  const whole = Buffer.from(await (await fetch(g.url + href, { headers: { Cookie: cookie } })).arrayBuffer());
  const half = Math.floor(whole.length / 2);
  const rest = await fetch(g.url + href, { headers: { Cookie: cookie, Range: `bytes=${half}-` } });
  assert.equal(rest.status, 206, "a download goes on where it broke off");
  const zip = Buffer.concat([whole.subarray(0, half), Buffer.from(await rest.arrayBuffer())]);
  assert.ok(zip.equals(whole));
  const sum = createHash("sha256").update(zip).digest("hex");
  assert.equal(await p.locator(".copies code").textContent(), sum, "the page shows the file's own hash");
  const at = unzip(zip, "copy");
  assert.match(execFileSync("sha256sum", ["-c", "manifest-sha256.txt"], { cwd: at }).toString(), /seal\.note: OK/);
  // With what went along and nothing else.
  const evr = path.join(at, "data/tools/evr-linux-amd64");
  fs.chmodSync(evr, 0o755);
  const v = spawnSync(evr, ["verify", "-key", path.join(at, "data/proofs/recorder.pub"), "-log-key", path.join(at, "data/proofs/log.pub"), at]);
  assert.equal(v.status, 2, v.stdout + v.stderr);
  assert.match(v.stdout.toString(), /V0  passed[^]*V1  passed[^]*V2  passed[^]*V3  in part[^]*V4  passed[^]*V5  not checked/);
  const full = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", at, "--key", path.join(at, "data/proofs/recorder.pub")]);
  assert.match(full.stdout.toString(), /V5  passed      Derived files made again from the archive, equal byte for byte: 2\./, full.stdout + full.stderr);
  assert.ok(Object.keys(JSON.parse(fs.readFileSync(path.join(at, "data/proofs/accesses.json")))).length >= 3, "who had it, proven");
  await playFromDisk(at);
  await c.close();
});

function unzip(zip, name) {
  const to = path.join(out, name);
  fs.mkdirSync(to);
  fs.writeFileSync(`${to}.zip`, zip);
  execFileSync("python3", ["-m", "zipfile", "-e", `${to}.zip`, to]);
  return path.join(to, fs.readdirSync(to)[0]);
}

/** What the page says of each stream: packets came, and whatever did not is a number. */
const streamsTold = (p) =>
  p.locator(".arrived tbody tr").evaluateAll((rows) => {
    const told = rows.map((r) => [...r.cells].map((c) => c.textContent));
    return told.length >= 2 && told.every((t) => t.length === 6 && Number(t[4]) >= 0 && /\d/.test(t[5])) && told.some((t) => Number(t[1]) > 50);
  });

/** The viewer without a gateway and without a network. */
async function playFromDisk(at) {
  const c = await w.context(bStaff, { lang: "kk-KZ", viewport: desk, theme: "dark" });
  await c.setOffline(true);
  const p = watch(await c.newPage(), "viewer");
  const asked = [];
  p.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && asked.push(r.url()));
  await p.goto(`file://${at}/data/00-READ-ME.html`);
  await p.screenshot({ path: path.join(w.shots, "evidence-readme-kk.png"), fullPage: true });
  await p.locator('a[href="viewer/index.html"]').click();
  await p.locator("video").first().waitFor();
  await p.keyboard.press("Space");
  await w.until("both sides play from the disk", () => p.locator("video, audio").evaluateAll((all) => all.length === 2 && all.every((m) => m.currentTime > 1)));
  await p.keyboard.press("Space");
  const apart = await p.locator("video, audio").evaluateAll((all) => all.map((m) => m.currentTime));
  assert.ok(Math.abs(apart[0] - apart[1]) < 8, `${apart}`);
  await p.getByText(words).first().waitFor();
  await p.locator('.log img').first().evaluate((i) => i.decode());
  await p.locator("svg.track circle.here").waitFor();
  assert.ok(await streamsTold(p), "the viewer says what arrived");
  await check(p, "evidence-viewer-kk-dark-desk", "kk");
  await p.locator("header select").selectOption("ru");
  await p.getByText("Доказательство — архив").waitFor();
  await p.setViewportSize(phone);
  await check(p, "evidence-viewer-ru-dark-phone", "ru");
  await p.goto(`file://${at}/data/report/custody.html`);
  await p.getByText(/^24-00/).first().waitFor();
  await p.screenshot({ path: path.join(w.shots, "evidence-custody-kk.png"), fullPage: true });
  assert.deepEqual(asked, [], "the copy asks nobody for anything");
  await c.close();
}

test("what is withheld from a copy stays closed, and the rest is proven", async () => {
  const c = await w.context(bStaff, { lang: "ru-RU", viewport: phone, theme: "dark" });
  const p = watch(await c.newPage(), "withhold");
  await signIn(p, "/evidence", "investigator");
  await p.locator("table a").first().click();
  await p.locator("video").first().waitFor();
  await p.locator(".exports summary").click();
  await p.locator('select[name="stream"]').selectOption("0");
  await p.locator("fieldset button").first().click();
  await p.locator('fieldset input[name="from"]').fill("5:00");
  await p.locator('fieldset input[name="to"]').fill("1:00");
  await p.locator("fieldset .filters button").click();
  await p.locator("fieldset .bad").waitFor();
  await p.locator('.order button[type="submit"]').click();
  const ready = p.locator('.copies li[data-state="ready"]', { hasText: "не выдано: 1" });
  await ready.waitFor();
  await check(p, "evidence-withhold-ru-dark-phone", "ru");
  const cookie = (await c.cookies()).map((k) => `${k.name}=${k.value}`).join("; ");
  const href = await ready.locator("a").getAttribute("href");
  const at = unzip(Buffer.from(await (await fetch(g.url + href, { headers: { Cookie: cookie } })).arrayBuffer()), "withheld");
  const v = spawnSync(path.join(w.root, "bin/jedel"), ["evidence", "verify", at, "--key", path.join(at, "data/proofs/recorder.pub")]);
  assert.match(v.stdout.toString(), /V1  passed[^]*V2  passed[^]*V4  in part [^]*Withheld: [^]*V5  passed/, v.stdout + v.stderr);
  for (const f of fs.readdirSync(at, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())) {
    const raw = fs.readFileSync(path.join(f.parentPath, f.name));
    for (const secret of [words, reply, callerPhone, "Нұрлан", "54.87610"]) assert.ok(!raw.includes(secret), `${f.name} has ${secret}`);
  }
  await ready.getByText("Удалить").click();
  await ready.waitFor({ state: "detached" });
  assert.equal((await fetch(g.url + href, { headers: { Cookie: cookie } })).status, 404);
  await c.close();
});

test("who has had it is told on paper, and so is who was refused", async () => {
  const operator = await (await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login: "operator", password: w.password }) })).json();
  assert.equal((await fetch(`${g.url}/api/v1/evidence/calls/${call}`, { headers: { Authorization: `Bearer ${operator.token}` } })).status, 403);
  await fetch(`${g.url}/api/v1/evidence/calls/${call}/opening`, { method: "POST", headers: auth, body: JSON.stringify({ case: "24-0017", reason: "сот" }) });
  for (const form of ["html", "pdf"]) {
    const r = await fetch(`${g.url}/api/v1/evidence/calls/${call}/custody?lang=ru&form=${form}`, { headers: auth });
    assert.equal(r.status, 200);
    const raw = Buffer.from(await r.arrayBuffer());
    fs.writeFileSync(path.join(w.shots, `custody.${form}`), raw);
    if (form === "pdf") assert.match(raw.subarray(0, 8).toString("latin1"), /^%PDF-1/);
    else for (const said of ["отказано", "воспроизводил", "24-0017", "Нұрлан Әбенов", "уровень"]) assert.ok(raw.toString().toLowerCase().includes(said.toLowerCase()), said);
  }
  const boss = await (await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login: "supervisor", password: w.password }) })).json();
  const q = new URLSearchParams({ lang: "ru", case: "24-0017", reason: "проверка", from: String(Date.now() - 3600e3), to: String(Date.now() + 1000) });
  const person = await (await fetch(`${g.url}/api/v1/evidence/staff/operator/custody?${q}`, { headers: { Authorization: `Bearer ${boss.token}` } })).text();
  assert.ok(person.includes(number) && person.includes("отказано"), person);
  assert.equal((await fetch(`${g.url}/api/v1/evidence/staff/operator/custody?${q}`, { headers: auth })).status, 403, "an investigator does not look after staff");
  const c = await w.context(bStaff, { lang: "kk-KZ", viewport: phone, theme: "dark" });
  const p = watch(await c.newPage(), "boss");
  await signIn(p, "/evidence", "supervisor");
  await p.getByRole("link", { name: "Қызметкерлер" }).click();
  await p.locator('input[name="login"]').fill("investigator");
  await p.locator('input[name="case"]').fill("24-0017");
  await p.locator('input[name="reason"]').fill("тексеру");
  await check(p, "evidence-person-kk-dark-phone", "kk");
  const [report] = await Promise.all([c.waitForEvent("page"), p.getByRole("button", { name: "Есепті ашу" }).click()]);
  await report.getByText("ойнатты").first().waitFor();
  await c.close();
});

async function check(p, name, lang) {
  await p.screenshot({ path: path.join(w.shots, `${name}.png`), fullPage: true });
  const { violations } = await new w.AxeBuilder({ page: p }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
  const cut = await p.evaluate(() => [...document.querySelectorAll("button, .button, .name, h1, h2, label, th")].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline").map((e) => e.textContent));
  assert.deepEqual(cut, [], `${name}: words are cut`);
  if (lang !== "en") {
    const latin = (await p.locator("body").innerText()).replace(/\S*petropavl\S*/g, "").match(/\b[a-z]{4,}\b/g) ?? [];
    const known = ["jedel", "evidence", "verify", "calls", "application", "video", "audio", "webm", "export", "data", "original", "html"];
    assert.deepEqual(latin.filter((word) => !known.includes(word) && !/^[0-9a-f]+$/.test(word)), [], `${name}: words of another language`);
  }
}

for (const { lang, theme, size, viewport } of w.looks(["kk-KZ", "ru-RU", "en-US"], { phone, desk })) {
  test(`list and case: ${lang} ${theme} ${size}`, async () => {
    const short = lang.slice(0, 2);
    const c = await w.context(bStaff, { lang, theme, viewport });
    const p = watch(await c.newPage(), `${lang} ${theme} ${size}`);
    await signIn(p, "/evidence", "investigator");
    await p.locator("table a").first().waitFor();
    assert.equal(await p.evaluate(() => document.documentElement.lang), short);
    await check(p, `evidence-list-${short}-${theme}-${size}`, short);
    await p.locator("table a").first().click();
    await p.locator("video").waitFor();
    for (const side of ["caller", "operator"]) await p.locator(`[data-lane="${side}"] canvas[data-state="shown"]`).waitFor();
    await p.keyboard.press("KeyV");
    await p.locator(".proof li[data-state]").nth(2).waitFor();
    await p.keyboard.press("KeyL");
    await p.keyboard.press("KeyM");
    await p.keyboard.press("KeyC");
    await p.locator(".cited").waitFor();
    await p.locator(".map-words").waitFor({ state: "detached" }).catch(() => undefined);
    await p.waitForTimeout(1500); // the map draws itself for the picture
    await check(p, `evidence-case-${short}-${theme}-${size}`, short);
    await p.keyboard.press("Shift+Slash");
    await p.locator("dialog[open]").waitFor();
    await check(p, `evidence-help-${short}-${theme}-${size}`, short);
    await c.close();
  });
}

test("a changed archive is told in words, with stream and second, and still plays", async () => {
  const dir = execFileSync("find", [path.join(g.data, "archive/calls"), "-name", call]).toString().trim();
  const file = path.join(dir, "00000.evr");
  const raw = fs.readFileSync(file);
  raw[Math.floor(raw.length / 2)] ^= 1;
  fs.chmodSync(file, 0o600);
  fs.writeFileSync(file, raw);
  const c = await w.context(bStaff, { lang: "kk-KZ", viewport: desk, theme: "light" });
  const p = watch(await c.newPage(), "changed");
  await signIn(p, "/evidence", "investigator");
  await p.locator("table a").first().click();
  await p.locator("video").waitFor();
  await p.keyboard.press("KeyV");
  await p.locator('.proof li[data-state="failed"]').first().waitFor();
  assert.equal(await p.locator('.proof li[data-state="failed"]').count(), 3, "no level passes");
  await p.locator(".proof .bad").getByText(/бақылау қосындысы сәйкес емес — .+, \d+\.\d{3} с/).first().waitFor();
  await p.locator('[data-lane="missing"] .fault').first().waitFor();
  await check(p, "evidence-changed-kk-light-desk", "kk");
  await p.locator("header select").selectOption("ru");
  await p.locator(".proof .bad").getByText("контрольная сумма не совпадает").first().waitFor();
  await c.close();
});

test("a call that runs is heard from its beginning, and what is said since comes to it", async () => {
  const bots = [["operate", g.url, "--video"], ["call", g.url, "--talk", "40s", "--video"]].map((args) => spawn(path.join(w.root, "bin/callbot"), args, { stdio: "ignore" }));
  try {
    const running = await w.until("somebody talks", async () =>
      (await (await fetch(`${g.url}/api/v1/evidence/calls`, { headers: auth })).json()).calls.find((r) => r.phase === "talking"));
    const c = await w.context(bStaff, { lang: "en-US", viewport: desk, theme: "dark" });
    const p = watch(await c.newPage(), "live");
    await signIn(p, "/evidence", "investigator");
    await p.waitForTimeout(3000); // something is said
    await p.locator(`a[href="#${running.call}"]`).click();
    await w.sayWhy(p);
    await p.locator("video").first().waitFor();
    const end = () => p.locator('.lane[data-lane="events"] [role="slider"]').getAttribute("aria-valuemax").then(Number);
    const before = await end();
    assert.ok(before > 2000, `${before} ms`);
    await p.keyboard.press("Space");
    await w.until("it plays on past where the recording stood", async () => (await clock(p)) > before + 2000, 30000);
    await w.until("its picture does too", () => p.locator("video").first().evaluate((v, ms) => v.currentTime * 1000 > ms, before));
    const now = await end();
    assert.ok(now > before + 2000, `${before} ms, then ${now} ms`);
    await p.getByRole("button", { name: "Load what is new" }).click();
    await w.until("by hand as well", async () => (await end()) > now);
    await p.screenshot({ path: path.join(w.shots, "evidence-live-en-dark-desk.png") });
    await c.close();
  } finally {
    for (const b of bots) {
      const ended = new Promise((done) => b.once("exit", done));
      b.kill("SIGTERM");
      await ended;
    }
  }
});

test("no page broke its own rules", () => assert.deepEqual(trouble, []));
