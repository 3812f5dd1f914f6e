// The administrators' page: an account by invitation, a second person for roles that open recordings,
// a second factor by its QR code, disabling somebody at work; every view in three languages and two
// themes, on a phone and a desk, by keyboard.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
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

const langs = ["kk-KZ", "ru-RU", "en-US"];
const sizes = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };

/** No serious finding of axe, nothing wider than the screen, no words cut, targets large enough. */
async function check(page, name) {
  const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
  const cut = await page.evaluate(() => [...document.querySelectorAll("button, h1, h2, label, th, a.button")]
    .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline").map((e) => e.textContent));
  assert.deepEqual(cut, [], `${name}: words are cut`);
  const bare = await page.evaluate(() => [...document.querySelectorAll("main *")].filter((e) => !e.children.length).map((e) => e.textContent).filter((s) => /^[a-z]+(\.[a-z_]+)+$/.test(s)));
  assert.deepEqual(bare, [], `${name}: keys in place of words`);
  await w.shot(page, name);
}

async function signIn(login, { lang = "ru-RU", theme = "light", viewport = sizes.desktop, at = "" } = {}) {
  const page = await (await w.context(b, { lang, theme, viewport })).newPage();
  await page.goto(`${g.url}/admin${at}`);
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill(w.password);
  await page.keyboard.press("Enter");
  await page.locator("nav").waitFor();
  return page;
}

function totp(secret, at = Date.now()) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g).map((x) => Number.parseInt(x, 2)))).update(count).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

test("an invited person chooses a password, a second person approves, a phone becomes the second factor", async () => {
  const boss = await signIn("administrator", { at: "#new" });
  await boss.locator("input[name=name]").fill("Дана Сейтова");
  await boss.locator("input[name=login]").fill("dana");
  await boss.locator("input[name=unit]").fill("north");
  await boss.locator("input[name=investigator]").check();
  await boss.keyboard.press("Enter");
  const link = await boss.locator("input[readonly]").inputValue();
  assert.match(link, /\/admin#invite=[\w-]{43}$/);
  await boss.goto(`${g.url}/admin#`);
  await boss.getByText("Подтвердить должен другой человек").waitFor();
  assert.equal(await boss.getByRole("button", { name: "Подтвердить: Дана Сейтова" }).count(), 0, "who asked may not approve");

  const dana = await (await w.context(b, { lang: "ru-RU", viewport: sizes.phone })).newPage();
  await dana.goto(link);
  await dana.locator("input[name=one]").fill("лето-на-даче");
  await dana.locator("input[name=two]").fill("лето-на-реке");
  await dana.keyboard.press("Enter");
  await dana.getByText("Пароли не совпадают").waitFor();
  await dana.locator("input[name=two]").fill("лето-на-даче");
  await dana.keyboard.press("Enter");
  await dana.getByRole("button", { name: "Включить", exact: true }).click();
  const secret = (await dana.locator("code").innerText()).replaceAll(" ", "");
  await w.until("the QR code is drawn", () => dana.locator("img.qr").evaluate((i) => i.complete && i.naturalWidth === 264));
  await dana.locator("input[name=code]").fill("000000");
  await dana.keyboard.press("Enter");
  await dana.getByRole("alert").waitFor();
  await dana.locator("input[name=code]").fill(totp(secret));
  await dana.keyboard.press("Enter");
  await dana.getByText("Второй фактор включён.").waitFor();
  const again = await (await w.context(b, { lang: "ru-RU" })).newPage();
  await again.goto(link);
  await again.getByText("Ссылка недействительна").waitFor(); // good once

  const lead = await signIn("supervisor");
  await lead.getByRole("button", { name: "Подтвердить: Дана Сейтова" }).click();
  await lead.locator("tr", { hasText: "dana" }).getByText("Следователь").waitFor();
  assert.equal(await lead.getByRole("link", { name: "Новая учётная запись" }).count(), 0, "a supervisor makes no accounts");
  await boss.goto(`${g.url}/admin#changes`);
  await boss.locator("tr", { hasText: "Роли" }).first().waitFor();
  for (const p of [boss, dana, again, lead]) await p.context().close();
});

test("somebody at work is disabled and is out within a second; the last administrator stays", async () => {
  const desk = await (await w.context(b, { lang: "ru-RU" })).newPage();
  await desk.goto(`${g.url}/console`);
  await desk.locator("input").nth(0).fill("operator2");
  await desk.locator("input").nth(1).fill(w.password);
  await desk.keyboard.press("Enter");
  await desk.getByText("Заступить на смену").waitFor();
  const boss = await signIn("administrator");
  await boss.getByRole("link", { name: "Оператор 2" }).click();
  await boss.getByRole("button", { name: "Отключить" }).click();
  await boss.getByText("звонок в работе перейдёт другому").waitFor();
  const begin = Date.now();
  await boss.getByRole("button", { name: "Отключить" }).click();
  await desk.locator("input[name=login]").waitFor();
  w.speed("until a disabled operator is out", Date.now() - begin, 1000);
  await boss.getByRole("button", { name: "Включить снова" }).click();
  await boss.getByRole("button", { name: "Включить снова" }).click();
  await boss.getByText("Сохранено.").waitFor();
  await boss.goto(`${g.url}/admin#changes`);
  await boss.getByRole("button", { name: /Вернуть: Отключена, Оператор 2/ }).first().click();
  await boss.getByText("возвращено").first().waitFor();
  await boss.getByRole("button", { name: /Вернуть: Отключена, Оператор 2/ }).first().click(); // and back again
  await boss.goto(`${g.url}/admin#`);
  await boss.getByRole("link", { name: /Администратор/ }).first().click();
  await boss.getByRole("button", { name: "Отключить" }).click();
  await boss.getByRole("button", { name: "Отключить" }).click();
  await boss.getByText("последний администратор").waitFor();
  await desk.context().close();
  await boss.context().close();
});

test("the page can be worked by keyboard alone", async () => {
  const boss = await signIn("administrator");
  const seen = new Set();
  for (let n = 0; n < 25; n++) {
    await boss.keyboard.press("Tab");
    seen.add(await boss.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent || document.activeElement?.getAttribute("aria-label")}`));
    const ringed = await boss.evaluate(() => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none");
    assert.ok(ringed, "the focus is seen");
  }
  for (const want of [/Сотрудники/, /Изменения/, /Новая учётная запись/, /Оператор 1/]) assert.ok([...seen].some((s) => want.test(s)), String(want));
  await boss.context().close();
});

for (const { lang, theme, size, viewport } of w.looks(langs, sizes)) {
  test(`every view in ${lang}, ${theme}, ${size}`, async () => {
    const tag = `${lang.slice(0, 2)}-${theme}-${size}`;
    const out = await (await w.context(b, { lang, theme, viewport })).newPage();
    await out.goto(`${g.url}/admin#refused=provider_down`);
    await out.getByRole("alert").waitFor();
    await check(out, `admin-signin-${tag}`);
    await out.goto(`${g.url}/admin#invite=nothing`);
    await out.reload();
    await out.getByRole("alert").waitFor();
    await check(out, `admin-invited-${tag}`);
    await out.context().close();
    const page = await signIn("administrator", { lang, theme, viewport });
    await page.locator("table").waitFor();
    await check(page, `admin-list-${tag}`);
    await page.locator("input[type=search]").fill("никто такой");
    await w.until("nothing is found", async () => (await page.locator("table").count()) === 0);
    await check(page, `admin-none-${tag}`);
    await page.locator("input[type=search]").fill("");
    await page.locator("td a").first().click();
    await page.locator("fieldset").waitFor();
    await page.locator(".acts button").last().click();
    await check(page, `admin-one-${tag}`);
    for (const view of ["new", "changes", "me"]) {
      await page.goto(`${g.url}/admin#${view}`);
      await page.locator("h1").waitFor();
      if (view === "me") await page.locator("main button").first().click();
      if (view === "me") await page.locator("img.qr").waitFor();
      await check(page, `admin-${view}-${tag}`);
    }
    await page.route("**/api/v1/admin/accounts", (r) => r.abort());
    await page.goto(`${g.url}/admin#`);
    await page.getByRole("alert").waitFor();
    await check(page, `admin-error-${tag}`);
    await page.context().close();
  });
}
