// What staff meet beside calls: a second factor, callers who are owed a call, a street map of the site.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-staff-"));
let g;
let b;
before(async () => {
  fs.writeFileSync(path.join(dir, "street.pmtiles"), pmtiles(sea()));
  fs.writeFileSync(path.join(dir, "jedel.yaml"), `map: {pmtiles: ${JSON.stringify(path.join(dir, "street.pmtiles"))}, attribution: "© example survey"}\n`);
  g = await w.gateway({ args: ["--config", path.join(dir, "jedel.yaml")] });
  b = await w.browser({ wav: w.tone(880) });
});
after(async () => {
  await b?.close();
  await g?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** RFC 6238 with SHA-1, 30 s, six digits, as phones compute it. */
function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/=+$/, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((x) => Number.parseInt(x, 2)));
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac("sha1", key).update(count).digest();
  const from = mac[19] & 15;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1e6).padStart(6, "0");
}

async function api(method, route, token, body) {
  const r = await fetch(`${g.url}/api/v1${route}`, { method, headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: body && JSON.stringify(body) });
  return { status: r.status, body: r.status === 204 ? null : await r.json() };
}

async function form(login, lang = "ru-RU") {
  const page = await (await w.context(b, { lang, viewport: { width: 1366, height: 768 } })).newPage();
  await page.goto(`${g.url}/console#desk`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  return page;
}

test("a second factor is asked for, a wrong one refused in words, the right one opens", async () => {
  const { body } = await api("POST", "/staff/session", "", { login: "supervisor", password: w.password });
  const made = await api("POST", "/staff/totp", body.token);
  const secret = made.body.secret;
  assert.match(secret, /^[A-Z2-7]{16,}$/);
  assert.equal((await api("PUT", "/staff/totp", body.token, { secret, code: "000000" })).status >= 400, true, "a wrong code enrols nothing");
  assert.ok((await api("PUT", "/staff/totp", body.token, { secret, code: totp(secret) })).status < 300);
  const page = await form("supervisor");
  const code = page.locator("input[name=totp]");
  await code.waitFor();
  await code.fill("123456");
  await page.keyboard.press("Enter");
  await page.locator('[role="alert"]').first().waitFor();
  assert.match(await page.locator('[role="alert"]').first().innerText(), /[а-я]{4}/i);
  await code.fill(totp(secret, Date.now() + 30000)); // the next one: each opens once
  await page.keyboard.press("Enter");
  await page.getByText("Заступить на смену").waitFor();
  await page.context().close();
});

test("a caller who gave up is on everybody's list; what became of it takes them off", async () => {
  const one = await form("operator");
  await one.getByText("Заступить на смену").waitFor();
  const two = await form("operator2");
  await two.getByText("Заступить на смену").waitFor();
  const c = await (await w.context(b, { lang: "kk-KZ" })).newPage();
  await c.goto(g.url);
  await c.locator(".callbutton").click();
  await c.locator(".facts").waitFor();
  await c.locator(".contact input[type=tel]").fill("+7 701 234 56 78");
  await c.locator(".contact button").click();
  await c.waitForTimeout(300);
  await c.locator(".end").click();
  await c.locator(".end").click();
  for (const p of [one, two]) await p.locator(".callbacks li", { hasText: "Не дождался" }).waitFor();
  assert.match(await two.locator(".callbacks li").innerText(), /701 234[ -]56[ -]78/);
  await one.locator(".callbacks button", { hasText: "Не дозвонились" }).click();
  await one.getByText("Перезванивать некому").waitFor();
  await w.shot(one, "console-callback-closing-ru");
  await one.getByRole("button", { name: /Отменить|Вернуть/ }).first().click(); // a slip
  await one.locator(".callbacks li", { hasText: "Не дождался" }).waitFor();
  await one.locator(".callbacks button", { hasText: "Дозвонились" }).first().click();
  await two.getByText("Перезванивать некому").waitFor({ timeout: 20000 });
  for (const p of [one, two, c]) await p.context().close();
});

test("a street map of the site is drawn; without its file the embedded one is", async () => {
  const page = await form("operator");
  await page.getByText("Заступить на смену").waitFor();
  const ranges = [];
  page.on("response", (r) => r.url().includes("street.pmtiles") && ranges.push(r.status()));
  await page.keyboard.press("F2");
  const caller = await (await w.context(b)).newPage();
  await caller.goto(g.url);
  await caller.locator(".callbutton").click();
  await page.locator(".offer").waitFor();
  await page.keyboard.press("F2");
  await page.locator(".where .map canvas, .map canvas").first().waitFor();
  await w.until("tiles are read in ranges", () => ranges.includes(206));
  const looked = await w.until("the sea of the tiles covers the map", async () => {
    const share = blue(await page.locator(".map").last().screenshot());
    return share > 0.5 && share;
  });
  console.log(`street map: ${(100 * looked).toFixed(0)} % of the map is the tile's water; ${ranges.length} range requests`);
  assert.equal(await page.getByText("Карта улиц не установлена").count(), 0);
  await w.shot(page, "console-street-ru");
  fs.writeFileSync(path.join(dir, "street.pmtiles"), "not a map");
  await page.reload();
  await page.locator(".map canvas").first().waitFor();
  await page.getByText("54.87530, 69.16280").first().waitFor();
  await page.getByText("Карта улиц не установлена").waitFor();
  await w.until("the embedded map is drawn instead", async () => blue(await page.locator(".map").last().screenshot()) < 0.2);
  await caller.context().close();
  await page.context().close();
});

/** The share of bluish pixels of a picture; decoded by ffmpeg, since pages may not read data. */
function blue(png) {
  const raw = execFileSync("ffmpeg", ["-v", "error", "-i", "-", "-vf", "scale=100:60,format=rgb24", "-f", "rawvideo", "-"], { input: png });
  let n = 0;
  for (let i = 0; i < raw.length; i += 3) if (raw[i + 2] > raw[i] + 25 && raw[i + 2] > 120) n++;
  return n / (raw.length / 3);
}

function varint(n) {
  const out = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) + 128);
  return [...out, n];
}

/** One vector tile (Mapbox Vector Tile 2.1) whose layer "water" covers it whole. */
function sea() {
  const field = (no, bytes) => [...varint(no * 8 + 2), ...varint(bytes.length), ...bytes];
  const zig = (v) => varint(v < 0 ? -v * 2 - 1 : v * 2);
  const geometry = [...varint(9), ...zig(0), ...zig(0), ...varint(26), ...zig(4096), ...zig(0), ...zig(0), ...zig(4096), ...zig(-4096), ...zig(0), ...varint(15)];
  const feature = [...field(2, [0, 0]), ...varint(3 * 8), 3, ...field(4, geometry)];
  const value = field(1, [...Buffer.from("ocean")]);
  const layer = [...varint(15 * 8), 2, ...field(1, [...Buffer.from("water")]), ...field(2, feature), ...field(3, [...Buffer.from("kind")]), ...field(4, value), ...varint(5 * 8), ...varint(4096)];
  return Buffer.from(field(3, layer));
}

/** A PMTiles v3 archive of that one tile, at zoom 0. */
function pmtiles(tile) {
  const root = Buffer.from([1, 0, 1, ...varint(tile.length), 1]);
  const meta = Buffer.from(JSON.stringify({ name: "test", vector_layers: [{ id: "water", fields: {} }] }));
  const head = Buffer.alloc(127);
  head.write("PMTiles");
  head[7] = 3;
  const at = [127, root.length, 127 + root.length, meta.length, 0, 0, 127 + root.length + meta.length, tile.length, 1, 1, 1];
  at.forEach((v, i) => head.writeBigUInt64LE(BigInt(v), 8 + 8 * i));
  head.set([1, 1, 1, 1, 0, 0], 96); // clustered, no compression twice, MVT, zoom 0 to 0
  [-1800000000, -850000000, 1800000000, 850000000].forEach((v, i) => head.writeInt32LE(v, 102 + 4 * i));
  return Buffer.concat([head, root, meta, tile]);
}
