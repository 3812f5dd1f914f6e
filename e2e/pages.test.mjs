// Every page in three languages and two themes, at phone and desktop size: no serious finding of
// axe, nothing wider than the screen, a picture to look at.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
});
after(async () => {
  await b?.close();
  await g?.stop();
});

async function check(page, name) {
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
  await w.shot(page, name);
}

const langs = ["kk-KZ", "ru-RU", "en-US"];
const sizes = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };

for (const { lang, theme, size, viewport } of w.looks(langs, sizes)) {
  test(`caller's page ${lang} ${theme} ${size}`, async () => {
    const tag = `${lang.slice(0, 2)}-${theme}-${size}`;
    const c = await w.context(b, { lang, theme, viewport });
    const page = await c.newPage();
    await page.goto(g.url);
    await page.locator('.linkline[data-open="true"]').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), lang.slice(0, 2));
    const button = await page.locator(".callbutton").boundingBox();
    if (size === "phone") assert.ok((button.width * button.height) / (viewport.width * viewport.height) > 0.25, "the button is a quarter of the screen");
    await check(page, `caller-home-${tag}`);
    if (size === "desktop") return c.close();
    await page.locator(".plain").first().click();
    await check(page, `caller-register-${tag}`);
    await page.locator("main > button").last().click();
    await page.locator(".callbutton").click();
    await page.locator(".facts").waitFor();
    await check(page, `caller-waiting-${tag}`);
    await page.locator(".end").click();
    await page.locator(".end").click();
    await page.locator(".ended").waitFor();
    await check(page, `caller-ended-${tag}`);
    await page.locator(".ended button").last().click();
    await page.locator(".doors button").first().click();
    await page.locator(".question").waitFor();
    await check(page, `caller-silent-${tag}`);
    await page.locator(".end").click();
    await page.locator(".end").click();
    await page.locator(".ended").waitFor();
    await c.close();
  });
}

for (const { lang, theme, size, viewport } of w.looks(langs, { desktop: sizes.desktop })) {
  test(`staff pages ${lang} ${theme}`, async () => {
    const tag = `${lang.slice(0, 2)}-${theme}-${size}`;
    const c = await w.context(b, { lang, theme, viewport });
    const page = await c.newPage();
    await page.goto(`${g.url}/console`);
    await page.locator("input").first().waitFor();
    await check(page, `console-signin-${tag}`);
    await page.goto(`${g.url}/evidence`);
    await page.locator("input").first().waitFor();
    await check(page, `evidence-signin-${tag}`);
    await page.locator("input").nth(0).fill("investigator");
    await page.locator("input").nth(1).fill(w.password);
    await page.keyboard.press("Enter");
    await page.locator("table a").first().waitFor();
    await check(page, `evidence-list-${tag}`);
    await c.close();
  });
}

test("a refusal of every device and of the position never blocks the call", async (t) => {
  const bare = await w.browser({ devices: false, fakeUI: false });
  t.after(() => bare.close());
  const c = await w.context(bare, { lang: "en-US", geo: null, permissions: [] });
  const page = await c.newPage();
  await page.goto(g.url);
  await page.locator(".callbutton").click();
  await page.getByText(/Your call is registered/).waitFor();
  await page.getByText(/Answer in writing|answering in writing|answer in writing/).waitFor();
  await page.locator(".where input").first().fill("Abai 24");
  await page.locator(".where .line button").first().click();
  await page.locator(".chat li").getByText("Abai 24").waitFor();
  await w.shot(page, "caller-nothing-granted-en");
});

test("a tap before the script has run is not lost", async () => {
  const c = await w.context(b, { lang: "ru-RU" });
  const page = await c.newPage();
  await page.route("**/assets/*.js", (r) => setTimeout(() => r.continue().catch(() => undefined), 1500));
  await page.goto(g.url, { waitUntil: "commit" });
  await page.locator(".callbutton").click();
  await page.getByText(/Ваш звонок зарегистрирован/).waitFor();
  await c.close();
});

test("registration by one-time code makes the caller known", async () => {
  const c = await w.context(b, { lang: "ru-RU" });
  const page = await c.newPage();
  await page.goto(g.url);
  await page.locator(".plain").click();
  await page.locator("input").nth(0).fill("+7 701 555 12 12");
  await page.keyboard.press("Enter");
  const code = await w.until("a code is printed", () => g.codes().at(-1));
  await page.locator("input").nth(1).fill(code);
  await page.locator("input").nth(2).fill("Нұрлан А.");
  await page.locator("form .go").click();
  await page.getByText("Нұрлан А.").waitFor();
  await page.reload();
  await page.getByText("Нұрлан А.").waitFor();
  await c.close();
});
