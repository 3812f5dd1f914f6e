// One call over a thin line: 20 kbit/s, 1 s round trip, 10 % loss. What node thin.mjs measures many times is seen here once, with
// bounds that a busy machine keeps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";
import * as tw from "./thinworld.mjs";

let x;
let page;
let desk;

before(async () => {
  x = await tw.open();
  if (x.skip) return;
  page = await tw.visited(x);
  desk = await tw.desk(x);
});

after(() => tw.close(x));

test("a page that has just opened calls, is found, writes and speaks over 20 kbit/s", async (t) => {
  if (x.skip) return t.skip(x.skip);
  await x.set(tw.thin);
  await page.goto(x.g.url, { waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector(".linkline"));
  const tap = Date.now();
  await page.locator(".callbutton").click();
  const call = await tw.event(desk, "call", tap, 30000);
  const fix = await tw.event(desk, "fix", tap, 30000);
  const line = page.locator(".chat form input:not([type=file])");
  await line.fill("Абай 24");
  const wrote = Date.now();
  await page.keyboard.press("Enter");
  const text = await tw.event(desk, "text", wrote, 30000, "Абай 24");
  const hold = page.locator("button.hold");
  await hold.hover();
  await page.mouse.down();
  await new Promise((r) => setTimeout(r, 3000));
  await page.mouse.up();
  const spoke = Date.now();
  const note = await tw.event(desk, "note", tap, 30000);
  console.log(`after the tap: rings ${call.took} ms, position ${fix.took} ms; text ${text.took} ms; a note of 3 s ${note.at - spoke} ms after its end, ${note.bytes} bytes`);
  assert.equal(note.call, call.call, "one call");
  assert.ok(call.took < 15000 && fix.took < 15000 && text.took < 15000 && note.at - spoke < 20000);
  await page.locator(".spoken button").click();
  await w.until("the note is heard by who spoke it", () => page.locator(".spoken audio").evaluate((a) => a.currentTime > 0.3));
  for (const [i, lang, theme] of [[0, "kk", "light"], [1, "ru", "dark"], [2, "en", "light"]]) {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator(".langs button").nth(i).click();
    await w.until(lang, () => page.evaluate((l) => document.documentElement.lang === l, lang));
    for (const part of [".speak", ".chat"]) {
      await page.evaluate((p) => document.querySelector(p)?.scrollIntoView(), part);
      await w.shot(page, `thin-caller${part}-${lang}-${theme}`);
    }
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, `${lang} is wider than the screen`);
  }
  await desk.evaluate((call) => window.__say(call, "Patrol is on the way"), call.call);
  await page.locator(".chat").getByText("Patrol is on the way").waitFor();
});
