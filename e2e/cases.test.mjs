// The room of cases: reports of a real caller's page and of the API, worked on by people in real consoles
// until their citizens have an answer.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
let caller;
let one; // an operator, at 1440x900
let two; // another one, who works on the same cases
before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(880) });
  caller = await (await w.context(b)).newPage();
  one = await signIn("operator");
  two = await signIn("operator2");
});
after(async () => {
  await b?.close();
  await g?.stop();
});

async function signIn(login, { lang = "ru-RU", theme = "light", viewport = { width: 1440, height: 900 }, hash = "#cases" } = {}) {
  const page = await (await w.context(b, { lang, theme, viewport })).newPage();
  page.troubles = [];
  page.on("pageerror", (e) => page.troubles.push(String(e)));
  await page.goto(`${g.url}/console${hash}`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.locator(".bar").waitFor();
  return page;
}

/** A report by the public API, as a phone sends it. */
async function report(text, more = {}, key = randomBytes(16).toString("base64url")) {
  const fix = { lat: 54.8753, lon: 69.1628, accuracyM: 20, source: "device", clientMs: Date.now(), serverMs: 0 };
  const r = await fetch(`${g.url}/api/v1/reports`, { method: "POST", headers: { "X-Report-Key": key }, body: JSON.stringify({ ref: randomBytes(6).toString("hex"), kind: "noise", text, lang: "ru", fix, ...more }) });
  assert.equal(r.status, 201, await r.clone().text());
  return { ...(await r.json()), key };
}

const row = (page, number) => page.locator(`.caserow[data-case="${number}"]`);
const card = (page) => page.locator(".casecard");

/** Opens a case from the list, be it folded behind another one. */
async function openCase(page, number) {
  await w.until(`${number} is in the list`, async () => {
    if (await row(page, number).isVisible()) return true;
    for (const f of await page.locator('.folded button[aria-expanded="false"]').all()) await f.click();
    return false;
  });
  await row(page, number).click();
  await page.locator(`.casecard[data-case="${number}"]`).waitFor();
}

let mine; // the number of the report of the caller's page

test("a report from the phone's page appears without a reload, and is the oldest without an answer", async () => {
  await one.getByText("Открытых дел нет").waitFor();
  await caller.goto(`${g.url}/#report`);
  await caller.getByRole("button", { name: "Шум", exact: true }).click();
  await caller.locator("form.report textarea").first().fill("Музыка на весь двор у Дома быта, не спит весь дом");
  await caller.getByRole("button", { name: "Отправить" }).click();
  mine = /№ (\S+)/.exec(await caller.getByText(/Сообщение зарегистрировано/).first().textContent())[1];
  const registered = Date.now();
  await row(one, mine).waitFor();
  w.speed("from a registered report to its row", Date.now() - registered, 5000);
  await one.locator(".oldest").getByText(mine).waitFor();
  await one.locator(".caserow").getByText("Музыка на весь двор").waitFor();
});

test("it is taken and classified, and its citizen reads that somebody works on it", async () => {
  await openCase(one, mine);
  await one.getByRole("button", { name: "Взять" }).click();
  await card(one).getByText("В работе").first().waitFor();
  await one.locator(".classify select").first().selectOption({ label: "Нарушение общественного порядка" });
  await one.locator(".toast").getByText("Классификация изменена").waitFor();
  await one.locator(".classify select").nth(1).selectOption("1");
  await row(one, mine).getByText("P2").waitFor();
  const changed = Date.now();
  await row(two, mine).getByText("Нарушение общественного порядка").waitFor();
  w.speed("until the other console has what was changed", Date.now() - changed, 5000);
  assert.equal(await two.locator(".oldest").count(), 0, "it is answered: nobody waits");
  await caller.getByRole("button", { name: /Мои сообщения/ }).first().click();
  await caller.getByText("В работе").first().waitFor({ timeout: 20000 });
});

test("two people at one case: the second is shown what the first did and keeps what they typed", async () => {
  await openCase(two, mine);
  await two.getByRole("button", { name: "Закрыть дело…" }).click();
  await two.locator(".caseclose textarea").fill("Мой ответ, который нельзя потерять");
  await two.locator(".chip", { hasText: "Приняты меры" }).click();
  assert.equal(await two.locator(".caseclose textarea").inputValue(), "Мой ответ, который нельзя потерять");
  // What the first does now does not reach the second's page before they act.
  await two.route(/\/api\/v1\/cases\/[0-9a-z]{26}$/, (r) => r.abort());
  await one.locator(".addline textarea").fill("Хозяин обещал выключить");
  await one.keyboard.press("Control+Enter");
  await one.locator(".notes").getByText("Хозяин обещал выключить").waitFor();
  await two.getByRole("button", { name: "Закрыть и ответить" }).click();
  await two.getByText("дело изменил кто-то другой").waitFor();
  await two.unroute(/\/api\/v1\/cases\/[0-9a-z]{26}$/);
  await two.locator(".notes").getByText("Хозяин обещал выключить").waitFor({ timeout: 20000 });
  await two.reload();
  await two.locator(`.casecard[data-case="${mine}"]`).waitFor();
  await two.getByRole("button", { name: "Закрыть дело…" }).click();
  assert.equal(await two.locator(".caseclose textarea").inputValue(), "Мой ответ, который нельзя потерять", "the draft outlives a reload");
});

test("a line is added and struck out, and both can be taken back", async () => {
  await one.locator(".addline").getByRole("button", { name: "+ Машина" }).click();
  await one.locator(".addline input").fill("123 ABC 15");
  await one.getByRole("button", { name: "Добавить в дело" }).click();
  await one.locator(".plate", { hasText: "123 ABC 15" }).waitFor();
  await one.locator("li", { has: one.locator(".plate") }).getByRole("button", { name: /Вычеркнуть/ }).click();
  await one.getByText("Госномеров нет").waitFor();
  await one.locator(".toast").getByRole("button", { name: "Отменить" }).click();
  await one.locator(".plate", { hasText: "123 ABC 15" }).waitFor();
});

test("everything is found by what people remember, and the list says why", async () => {
  for (const [text, why] of [["дома быта двор", "текст:"], ["123авс15", "госномер:"], [mine.slice(3), "номер:"]]) {
    await one.locator("[data-casesearch]").fill(text);
    await row(one, mine).locator(".why", { hasText: why }).first().waitFor();
    assert.match(one.url(), /text=/, "the address says what is looked for");
  }
  await one.locator("[data-casesearch]").fill("чего нет нигде");
  await one.getByText("Ничего не найдено").waitFor();
  await one.getByRole("button", { name: "Сбросить поиск" }).click();
  await row(one, mine).waitFor();
});

test("reports about one event fold, are linked, merged, and split again", async () => {
  const others = [await report("Громко играет музыка"), await report("Мешают спать"), await report("Шумят под окном")];
  const head = others[0].number;
  await one.getByText("Похожие: 3").waitFor();
  await openCase(one, head);
  const proposal = (n) => one.locator(".similar li", { hasText: others[n].number });
  await proposal(1).getByText(/сходство \d+ %, \d+ м, 0 мин/).waitFor();
  await proposal(1).locator('[data-tie="link"]').click();
  await one.locator(".ties li", { hasText: "Связано" }).getByText(others[1].number).waitFor();
  await proposal(2).locator('[data-tie="merge"]').click();
  const inside = one.locator(".ties li", { hasText: "Объединены сюда" });
  await inside.getByText(others[2].number).waitFor();
  await one.locator(".notes").getByText("Шумят под окном").waitFor();
  await inside.locator('[data-tie="split"]').click();
  await w.until("it is split off", async () => (await one.locator(".notes").getByText("Шумят под окном").count()) === 0);
  await proposal(2).locator('[data-tie="merge"]').click();
  await inside.getByText(others[2].number).waitFor();
  // The merged report's citizen hears what becomes of the case it is in.
  await one.getByRole("button", { name: "Взять" }).click();
  await one.getByRole("button", { name: "Закрыть дело…" }).click();
  await one.getByRole("button", { name: "Закрыть и ответить" }).click();
  await one.getByText("Без ответа дело не закрывается").waitFor();
  await one.getByText("Выберите, чем закончилось").waitFor();
  await one.locator(".chip", { hasText: "Вынесено предупреждение" }).click();
  assert.match(await one.locator(".caseclose textarea").inputValue(), /предупреждение\. Спасибо/);
  await one.getByRole("button", { name: "Закрыть и ответить" }).click();
  await w.until("both citizens have the reply", async () => {
    for (const r of [others[0], others[2]]) {
      const list = await (await fetch(`${g.url}/api/v1/reports`, { headers: { "X-Report-Key": r.key } })).json();
      if (list.reports[0].status !== "closed" || !/предупреждение/.test(list.reports[0].replies.at(-1).text)) return false;
    }
    return true;
  }, 30000);
  const open = await (await fetch(`${g.url}/api/v1/reports`, { headers: { "X-Report-Key": others[1].key } })).json();
  assert.notEqual(open.reports[0].status, "closed", "what is only linked goes on by itself");
});

test("a closing can be taken back; settled, the citizen reads the reply, says that it goes on, and the case is back", async () => {
  await openCase(one, mine);
  await one.getByRole("button", { name: "Закрыть дело…" }).click();
  await one.locator(".chip", { hasText: "Приняты меры" }).click();
  await one.locator(".caseclose textarea").fill("Музыку выключили, хозяин предупреждён.");
  await one.getByRole("button", { name: "Закрыть и ответить" }).click();
  await one.getByRole("button", { name: /Отменить закрытие/ }).click();
  await card(one).getByText("В работе").first().waitFor();
  await one.getByRole("button", { name: "Закрыть дело…" }).click();
  await one.locator(".chip", { hasText: "Приняты меры" }).click();
  await one.locator(".caseclose textarea").fill("Музыку выключили, хозяин предупреждён.");
  await one.getByRole("button", { name: "Закрыть и ответить" }).click();
  await one.locator(".told").getByText("Музыку выключили").waitFor({ timeout: 20000 });
  await one.locator(".told li").last().getByText("видно на странице гражданина").waitFor();
  await w.until("it has left the list", async () => (await row(one, mine).count()) === 0);
  await caller.getByText("Музыку выключили, хозяин предупреждён.").first().waitFor({ timeout: 30000 });
  await caller.getByRole("button", { name: "Проблема не решена" }).click();
  await caller.locator(".mineone textarea").fill("Снова играет");
  await caller.getByRole("button", { name: "Отправить" }).click();
  await row(one, mine).getByText("Открыто снова").waitFor({ timeout: 10000 });
  await card(one).getByText("открыто снова: 1").waitFor();
});

test("a case is handed over, and is nobody's for no moment", async () => {
  await openCase(one, mine);
  await one.getByRole("button", { name: "Взять" }).click();
  await two.getByRole("button", { name: /Заступить|Пульт/ }).first().waitFor();
  await two.keyboard.press("Control+Digit1");
  await two.keyboard.press("F2");
  await one.getByRole("button", { name: "Передать", exact: true }).click();
  await one.getByRole("menuitem", { name: "Оператор 2" }).click();
  await card(one).getByText("предложено: Оператор 2").waitFor();
  await two.locator('[data-room-to="cases"] [data-offered="1"]').waitFor(); // told on the desk, too
  await two.keyboard.press("Control+Digit2");
  await openCase(two, mine);
  await two.getByRole("button", { name: "Принять дело" }).click();
  await w.until("nothing is offered any more", async () => (await two.locator("[data-offered]").count()) === 0);
  await card(one).getByText("Ведёт: Оператор 2").waitFor();
});

test("a live call is not disturbed by the room: its line stays, the answer key brings the desk, one classification", async () => {
  const phone = await (await w.context(b)).newPage();
  await phone.goto(g.url);
  await phone.locator(".callbutton").click();
  await two.locator(".offer").waitFor({ timeout: 20000 });
  assert.match(two.url(), /#cases/);
  await w.shot(two, "cases-offer");
  await two.keyboard.press("F2");
  await two.locator('[data-room="desk"]:not([hidden]) .call').waitFor();
  await two.locator('[data-room="desk"] textarea[data-focus="note"]').fill("Набрано до ухода");
  await w.until("the call's case has its kind asked for", async () => (await two.locator(".casetie").count()) === 1);
  await two.locator(".casetie button").click();
  await two.locator(".casecard").waitFor();
  await two.locator(".callstrip .callhead").waitFor();
  assert.equal(await two.locator(".callhead").count(), 1, "one line of the call, one end button");
  await two.locator(".classify select").first().selectOption({ index: 1 });
  const label = await two.locator(".classify select").first().evaluate((s) => s.selectedOptions[0].textContent);
  await w.shot(two, "cases-in-call");
  await two.keyboard.press("F4");
  await two.locator(".callhead button[aria-pressed=true]").first().waitFor();
  await two.keyboard.press("F4");
  await two.keyboard.press("Alt+KeyC"); // the chat is on the desk, which comes back
  await two.locator('[data-room="desk"]:not([hidden])').waitFor();
  assert.equal(await two.locator('[data-room="desk"] textarea[data-focus="note"]').inputValue(), "Набрано до ухода");
  await w.hears(phone, 880);
  await phone.locator(".end").click();
  await phone.locator(".end").click();
  await two.locator("form[data-finish]").waitFor();
  const chosen = two.locator('form[data-finish] .chip.on');
  await w.until("the wrap-up knows what the case is", async () => (await chosen.first().textContent())?.trim() === label.trim());
  await phone.close();
});

test("roles: each begins in its own room, and who takes no calls is shown nothing of calls", async () => {
  for (const [login, room] of [["dispatcher", "board"], ["camera", "cameras"], ["navigation", "board"], ["supervisor", "wall|desk"]]) {
    const page = await signIn(login, { hash: "" });
    await page.locator(".room:not([hidden])").waitFor();
    await w.until(`${login} is in a room`, async () => new RegExp(`^(${room})$`).test((await page.locator(".room:not([hidden])").getAttribute("data-room")) ?? ""));
    if (login === "camera" || login === "navigation") {
      for (const text of ["Заступить на смену", "Микрофон"]) assert.equal(await page.getByText(text).filter({ visible: true }).count(), 0, `${login} is shown ${text}`);
      await page.keyboard.press("Control+Digit2");
      await openCase(page, mine);
      if (login === "camera") assert.equal(await page.locator(".caseclose, .classify select").count(), 0, "the camera watch is offered what is refused");
    }
    assert.deepEqual(page.troubles, []);
    await page.context().close();
  }
});

test("the room is usable by everybody: three languages, two themes, two sizes, by keyboard", async () => {
  await two.close();
  for (let n = 0; n < 4; n++) await report(["Парковка на газоне у школы, номер закрыт", "Дым в подъезде", "Яма на дороге у поворота", "Ругань во дворе, слышны удары"][n], { kind: ["parking", "smoking", "road", "public_order"][n], plate: n ? "" : "777 KZ 15", where: ["Абай, 24", "", "Интернациональная, 61", "Жумабаева, 101"][n], fix: { lat: 54.86 + n / 100, lon: 69.15, accuracyM: 30, source: "device", clientMs: Date.now(), serverMs: 0 } });
  for (const [lang, theme, width, height] of [["ru-RU", "light", 1440, 900], ["kk-KZ", "dark", 1440, 900], ["en-US", "light", 1024, 768], ["kk-KZ", "light", 1024, 768], ["ru-RU", "dark", 1024, 768], ["en-US", "dark", 1440, 900]]) {
    const page = await signIn("supervisor", { lang, theme, viewport: { width, height } });
    await openCase(page, mine);
    await page.locator(".caseclose .big").click();
    await page.locator(".map canvas").first().waitFor({ timeout: 20000 }).catch(() => undefined);
    await page.waitForTimeout(600);
    const name = `cases-${lang.slice(0, 2)}-${theme}-${width}`;
    await w.shot(page, name);
    const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((x) => x.target).join(" ")}`), [], name);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 1, `${name} is ${wide} px wider than the screen`);
    const cut = await page.evaluate(() => [...document.querySelectorAll("button, h1, h2, h3, label, th")]
      .filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && getComputedStyle(e).textOverflow !== "ellipsis").map((e) => e.textContent));
    assert.deepEqual(cut, [], `${name}: words are cut`);
    assert.deepEqual(page.troubles, [], name);
    await page.context().close();
  }
});

test("by keyboard alone: find, open, take, note, close", async () => {
  const r = await report("Стук за стеной", { kind: "noise", fix: { lat: 54.84, lon: 69.11, accuracyM: 30, source: "device", clientMs: Date.now(), serverMs: 0 } });
  const page = await signIn("operator2");
  const tabTo = (what, find) => w.until(what, async () => {
    if (await page.evaluate(find)) return true;
    await page.keyboard.press("Tab");
    return false;
  }, 30000);
  await tabTo("the search", () => document.activeElement?.matches("[data-casesearch]"));
  await page.keyboard.type("стук за стеной");
  await row(page, r.number).waitFor();
  await tabTo("the row", () => document.activeElement?.matches(".caserow"));
  await page.keyboard.press("Enter");
  await page.locator(`.casecard[data-case="${r.number}"]`).waitFor();
  await tabTo("the button", () => document.activeElement?.textContent === "Взять");
  await page.keyboard.press("Enter");
  await card(page).getByText("В работе").first().waitFor();
  await page.keyboard.press("Alt+KeyN");
  await tabTo("the note", () => document.activeElement?.matches(".addline textarea"));
  await page.keyboard.type("Сосед обещал");
  await page.keyboard.press("Control+Enter");
  await page.locator(".notes").getByText("Сосед обещал").waitFor();
  await tabTo("the closing", () => document.activeElement?.textContent?.startsWith("Закрыть дело"));
  await page.keyboard.press("Enter");
  await tabTo("the outcomes", () => document.activeElement?.matches("input[name=caseoutcome]"));
  await page.keyboard.press("Space");
  await tabTo("the button that closes", () => document.activeElement?.textContent === "Закрыть и ответить");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /Отменить закрытие/ }).waitFor();
  assert.deepEqual(page.troubles, []);
});
