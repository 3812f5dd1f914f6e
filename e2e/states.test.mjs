// The console in each of its live states, as an operator sees it over a shift: three languages, two
// themes, no serious finding of axe, nothing cut, a picture to look at.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
let page;
const bots = [];
before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(880) });
  page = await (await w.context(b, { viewport: { width: 1366, height: 768 } })).newPage();
});
after(async () => {
  for (const c of bots) if (c.exitCode === null) c.kill("SIGKILL");
  await b?.close();
  await g?.stop();
});

/** A caller of the public protocol, who waits and then talks for a while. */
function caller(...args) {
  const c = spawn(path.join(w.root, "bin/callbot"), ["call", g.url, ...args], { stdio: "ignore" });
  bots.push(c);
  return c;
}

const ways = [["kk", "light"], ["ru", "dark"], ["en", "light"], ["kk", "dark"], ["ru", "light"], ["en", "dark"]];

/** Looks at a state in every language and theme; axe looks at three of the six. */
async function look(name) {
  for (const [n, [lang, theme]] of ways.entries()) {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator("select[aria-label]").first().selectOption(lang);
    await w.until(`${name} in ${lang}`, () => page.evaluate(([l, th]) => document.documentElement.lang === l && document.documentElement.dataset.theme === th, [lang, theme]));
    await page.waitForTimeout(400); // the map draws itself anew
    if (n < 3) {
      const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
      const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
      assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], `${name} ${lang} ${theme}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 1, `${name} ${lang} is ${wide} px wider than the screen`);
    const cut = await page.evaluate(() => [...document.querySelectorAll("button, h1, h2, h3, label, th")]
      .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && getComputedStyle(e).textOverflow !== "ellipsis").map((e) => e.textContent));
    assert.deepEqual(cut, [], `${name} ${lang}: words are cut`);
    await w.shot(page, `console-${name}-${lang}-${theme}`);
  }
  await page.locator("select[aria-label]").first().selectOption("ru");
  await page.emulateMedia({ colorScheme: "light" });
}

test("off duty, on duty, waiting calls", async () => {
  await page.goto(`${g.url}/console`);
  await page.locator("input").nth(0).fill("operator");
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText("Заступить на смену").waitFor();
  await look("off");
  for (let n = 0; n < 4; n++) caller("--talk", "90s", "--text", "Человек на льду у моста, скорее", ...(n % 2 ? ["--video"] : []));
  await page.getByText(/Голосовой звонок|Видеозвонок/).nth(3).waitFor();
  await look("off-waiting");
});

test("ringing, talking, on hold", async () => {
  await page.keyboard.press("F2");
  await page.locator(".offer").waitFor();
  await look("ringing");
  await w.until("it rings", async () => {
    if (await page.locator(".offer").count()) await page.keyboard.press("F2");
    return page.getByText("Человек на льду").first().isVisible();
  });
  assert.equal(await page.getByText("принял другой").count(), 0, "nobody else answered");
  await page.locator("textarea").first().fill("Заметка");
  await page.waitForTimeout(1500);
  await look("talking");
  await page.setViewportSize({ width: 1920, height: 1080 });
  await look("talking-wide");
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.keyboard.press("F8");
  await look("hold");
  await page.keyboard.press("F8");
});

test("the other one's link is lost, wrap-up, pause", async () => {
  for (const c of bots) c.kill("SIGKILL");
  await page.getByText(/Связь со звонящим|нет связи|восстанавлива/i).first().waitFor({ timeout: 20000 });
  await look("link-lost");
  await page.keyboard.press("Shift+F2");
  await page.keyboard.press("Shift+F2");
  await page.getByText("Результат").first().waitFor();
  await look("wrapup");
});
