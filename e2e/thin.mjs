// Figures of a thin line, 20 kbit/s, 1 s round trip, 10 % loss both ways: what a caller's page and a phone with single datagrams
// get through, and when. Not part of make test: it takes some minutes. node thin.mjs [TRIALS]
import { execFile } from "node:child_process";
import path from "node:path";
import * as w from "./world.mjs";
import * as tw from "./thinworld.mjs";

const trials = Number(process.argv[2] ?? 10);
const words = "Абай 24, помогите";
const x = await tw.open();
if (x.skip) {
  console.log(`thin: skipped: ${x.skip}`);
  process.exit(0);
}
const table = new Map();
const put = (row, v) => table.set(row, [...(table.get(row) ?? []), v]);

function print() {
  console.log(`20 kbit/s, 1 s round trip, 10 % loss each way, ${trials} trials; milliseconds where nothing else is said`);
  for (const [row, list] of table) {
    const v = [...list].sort((a, b) => a - b);
    const at = (p) => v[Math.min(v.length - 1, Math.ceil(p * v.length) - 1)];
    console.log(`${row.padEnd(52)} median ${at(0.5)}  p95 ${at(0.95)}  most ${v.at(-1)}`);
  }
}

/** Ends the call of a page, on a clean line, and waits for the first screen. */
async function over(page) {
  await x.set(tw.clean);
  await page.locator(".end").click();
  await page.locator(".end").click();
  await page.locator(".ended").waitFor();
}

async function measured(page, desk, name, begin) {
  const at = Date.now();
  await begin();
  const shown = page.locator(".facts").getByText(/\d\d-\d{6}/).waitFor().then(() => put(`${name}: the page says registered`, Date.now() - at));
  put(`${name}: the call rings`, (await tw.event(desk, "call", at)).took);
  put(`${name}: its position`, (await tw.event(desk, "fix", at)).took);
  await shown;
  const field = page.locator(".chat form input:not([type=file])");
  await field.fill(words);
  const wrote = Date.now();
  await page.keyboard.press("Enter");
  put(`${name}: text`, (await tw.event(desk, "text", wrote, 90000, words)).took);
}

try {
  let page = await tw.visited(x);
  await x.operator.close();
  const desk = await tw.desk(x);
  for (let n = 0; n < trials; n++) {
    await page.goto(`${x.g.url}/`);
    await x.set(tw.thin);
    const was = await tw.bytes(x);
    await page.reload();
    const drawn = Date.now();
    await page.locator('.linkline[data-open="true"]').waitFor();
    put("page, its files kept: link open", Date.now() - drawn);
    const b = await tw.bytes(x, was);
    put("page, its files kept: bytes up", b.up);
    put("page, its files kept: bytes down", b.down);
    await measured(page, desk, "open page", () => page.locator(".callbutton").click());
    if (n < Math.ceil(trials / 2)) {
      const hold = page.locator("button.hold");
      await hold.hover();
      await page.mouse.down();
      await new Promise((r) => setTimeout(r, 10000));
      await page.mouse.up();
      const said = Date.now();
      const e = await tw.event(desk, "note", said - 10000);
      put("voice note of 10 s: heard after its end", e.at - said);
      put("voice note of 10 s: bytes", e.bytes);
    }
    await over(page);
  }
  for (let n = 0; n < trials; n++) {
    await page.close();
    page = await x.cc.newPage();
    await x.set(tw.thin);
    await page.goto(x.g.url, { waitUntil: "commit" });
    await page.locator(".callbutton").waitFor();
    await page.waitForFunction(() => document.querySelector(".linkline")); // drawn by the script
    await measured(page, desk, "page just opened", () => page.locator(".callbutton").click());
    await over(page);
  }
  await page.close(); // it would have its share of the line
  await x.set(tw.thin);
  for (const open of [[], ["--open"]]) {
    for (let n = 0; n < trials; n++) {
      const at = Date.now();
      const r = await new Promise((resolve, reject) => execFile("ip", ["netns", "exec", x.cli, path.join(w.root, "bin/callbot"), "sos", x.g.url, x.g.media, "--text", "help", "--wait", "60s", "--json", ...open],
        { timeout: 90000 }, (err, out, stderr) => (err ? reject(new Error(stderr)) : resolve(JSON.parse(out)))));
      const row = open.length ? "datagram by UDP, without a key" : "datagram by UDP";
      put(`${row}: receipt`, r.tookMs);
      put(`${row}: datagrams sent`, r.sent);
      const e = await tw.event(desk, "fix", at);
      await desk.evaluate((call) => window.__end(call), e.call); // the phone will not
      await new Promise((r) => setTimeout(r, 1000));
    }
  }
} finally {
  print(); // what there is, whatever broke
  await tw.close(x);
}
