// Cameras beside a call: real RTSP fed by ffmpeg, seen moving in a real browser, and a clip of it that
// ffprobe accepts.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const out = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-cameras-"));
let g;
let b;
let bCaller;
let players = [];

/** Starts cameras on a free port and returns their address. */
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

const camera = (id, url, words, more = "") => `    - {id: ${id}, name: {kk: "${words} kk", ru: "${words}", en: "${words} en"}, url: "${url}"${more}}\n`;

before(async () => {
  execFileSync("ffmpeg", ["-version"]); // without it nothing here is tested, which is an error
  const [good, locked, modern] = [await play("yard", "gate"), await play("--login", "watch", "--password", "open sesame", "door"), await play("--codec", "h265", "roof")];
  const file = path.join(out, "jedel.yaml");
  const secret = path.join(out, "door.password");
  fs.writeFileSync(secret, "open sesame\n");
  fs.writeFileSync(file, "cameras:\n  linger: 3s\n  list:\n" +
    camera("gate", `${good}/gate`, "Ворота", ", lat: 54.95, lon: 69.3") +
    camera("yard", `${good}/yard`, "Двор", ", lat: 54.8755, lon: 69.163, heading: 90") +
    camera("door", `${locked}/door`, "Подъезд", `, lat: 54.876, lon: 69.164, login: watch, password_file: "${secret}"`) +
    camera("roof", `${modern}/roof`, "Крыша", ", lat: 54.877, lon: 69.166"));
  g = await w.gateway({ args: ["--config", file] });
  b = await w.browser({ wav: w.tone(880) });
  bCaller = await w.browser({ wav: w.tone(440) });
});

after(async () => {
  await b?.close();
  await bCaller?.close();
  await g?.stop();
  for (const p of players) {
    p.kill("SIGTERM");
    await p.ended;
  }
  fs.rmSync(out, { recursive: true, force: true });
});

/** What a video shows, as the sums of a small picture's rows. */
const pixels = (video) => video.evaluate((v) => {
  const c = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const x = c.getContext("2d");
  x.drawImage(v, 0, 0, 64, 36);
  const d = x.getImageData(0, 0, 64, 36).data;
  return { w: v.videoWidth, data: [...d].filter((_, i) => i % 4 < 3) };
});

const differs = (a, c) => a.data.reduce((n, v, i) => n + (Math.abs(v - c.data[i]) > 24 ? 1 : 0), 0);

async function signIn(lang = "ru-RU", theme = "light") {
  const page = await (await w.context(b, { lang, theme, viewport: { width: 1366, height: 768 } })).newPage();
  await page.goto(`${g.url}/console`);
  await page.locator("input").nth(0).fill("operator");
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText("Заступить на смену").waitFor();
  return page;
}

test("the nearest camera is seen moving beside the caller, and its clip is in the archive", async () => {
  const page = await signIn();
  await page.keyboard.press("F2");
  const caller = await (await w.context(bCaller)).newPage();
  await caller.goto(g.url);
  await caller.locator(".callbutton").click();
  await page.locator(".offer").waitFor();
  await page.keyboard.press("F2");
  const panel = page.locator(".cameras");
  await panel.locator("h2 button").first().focus();
  await page.keyboard.press("Enter"); // no mouse is needed
  await w.until("the nearest first", async () => {
    const order = await panel.locator(".camera").evaluateAll((l) => l.map((e) => e.dataset.camera).join());
    return order === "yard,door,roof,gate";
  });

  const begun = Date.now();
  await panel.locator('[data-camera="yard"]').getByRole("button", { name: /Смотреть/ }).press("Enter");
  const video = panel.locator('[data-camera="yard"] video');
  await w.until("a picture", async () => (await pixels(video)).w === 640);
  console.log(`first picture of an idle camera after ${Date.now() - begun} ms`);
  const before = await pixels(video);
  await w.until("it moves", async () => differs(before, await pixels(video)) > 20);

  const door = panel.locator('[data-camera="door"]');
  await door.getByRole("button", { name: /Смотреть/ }).click();
  await w.until("the camera with a login", async () => (await pixels(door.locator("video"))).w === 640);
  const roof = panel.locator('[data-camera="roof"]');
  await roof.getByRole("button", { name: /Смотреть/ }).click();
  await roof.getByText(/включите в камере H.264/).first().waitFor();

  const tile = panel.locator('[data-camera="yard"]');
  const [order] = await Promise.all([
    page.waitForRequest((r) => /\/clips$/.test(r.url()) && r.method() === "POST"),
    tile.getByRole("button", { name: /Фрагмент/ }).click(),
  ]);
  const { recording } = order.postDataJSON();
  await tile.locator("progress").waitFor();
  await w.shot(page, "cameras-light");
  await tile.getByRole("button", { name: "Отменить" }).click();
  await tile.locator('[data-clip="dropped"]').waitFor();
  await tile.getByRole("button", { name: /Фрагмент/ }).click();
  const axe = await new w.AxeBuilder({ page }).include(".cameras").analyze();
  assert.deepEqual(axe.violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target)}`), []);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForTimeout(300); // the theme is drawn
  await w.shot(page, "cameras-dark");
  await w.until("the clip is kept", async () => (await tile.locator('[data-clip="kept"]').count()) === 1, 40000);

  const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const ask = async (at) => fetch(`${g.url}${at}`, { headers: { cookie } });
  const list = (await (await ask(`/api/v1/clips?recording=${recording}`)).json()).clips;
  const kept = list.find((c) => c.state === "kept");
  assert.equal(kept.keptIn, recording);
  assert.equal(list.filter((c) => c.state === "dropped").length, 1);
  const file = Buffer.from(await (await ask(`/api/v1/calls/${recording}/files/${kept.clip}`)).arrayBuffer());
  assert.equal(createHash("sha256").update(file).digest("hex"), kept.sha256);
  fs.writeFileSync(path.join(out, "clip.mp4"), file);
  const info = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_streams", "-show_format", "-of", "json", path.join(out, "clip.mp4")]));
  assert.equal(info.streams[0].codec_name, "h264");
  assert.equal(info.streams[0].width, 640);
  assert.ok(Number(info.format.duration) > 20, info.format.duration);
  assert.equal(execFileSync("ffmpeg", ["-v", "error", "-xerror", "-i", path.join(out, "clip.mp4"), "-f", "null", "-"]).length, 0);

  for (const t of [tile, door, roof]) await t.getByRole("button", { name: "Закрыть" }).click();
  await w.until("nobody looks any more", async () => (await (await ask("/api/v1/cameras")).json()).cameras.every((c) => c.viewers === 0));
  await w.until("the cameras rest", async () => (await (await ask("/api/v1/cameras")).json()).cameras.every((c) => c.state !== "live"));
  await caller.close();
});

test("who may not watch cameras is refused", async () => {
  for (const login of ["investigator", "administrator"]) {
    const r = await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", body: JSON.stringify({ login, password: w.password }) });
    const { token } = await r.json();
    const at = await fetch(`${g.url}/api/v1/cameras`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(at.status, 403, login);
  }
  assert.equal((await fetch(`${g.url}/api/v1/cameras`)).status, 401);
  assert.equal((await fetch(`${g.url}/api/v1/cameras/yard/whep`, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: "v=0" })).status, 401);
});
