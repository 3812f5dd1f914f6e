// What operators do with calls beyond answering: hold, hand over, owe a call back, change tabs.
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b1;
let b2;
before(async () => {
  g = await w.gateway();
  b1 = await w.browser({ wav: w.tone(440) });
  b2 = await w.browser({ wav: w.tone(880) });
});
after(async () => {
  await b1?.close();
  await b2?.close();
  await g?.stop();
});

async function signIn(login) {
  const page = await (await w.context(b2, { viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(`${g.url}/console#desk`);
  await page.locator("input").nth(0).fill(login);
  await page.locator("input").nth(1).fill(w.password);
  await page.keyboard.press("Enter");
  await page.getByText("Заступить на смену").waitFor();
  return page;
}

async function tap() {
  const page = await (await w.context(b1)).newPage();
  await page.goto(g.url);
  await page.locator(".callbutton").click();
  await page.getByText(/Ваш звонок зарегистрирован/).waitFor();
  return page;
}

test("a held caller hears nothing, is told so, comes back, and is handed over", async () => {
  const operator = await signIn("operator");
  await operator.keyboard.press("F2");
  const caller = await tap();
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await w.hears(caller, 880);
  await operator.locator(".callstrip:not(.wrapping)").waitFor(); // the key is for a call that is shown
  await operator.keyboard.press("F8");
  await caller.getByText("Оператор поставил звонок на удержание").waitFor();
  await w.until("silence", async () => {
    const a = (await w.inbound(caller)).audio.packets;
    await new Promise((r) => setTimeout(r, 400));
    return (await w.inbound(caller)).audio.packets === a;
  });
  await operator.keyboard.press("F8");
  await w.hears(caller, 880);
  const second = await signIn("operator2");
  await second.keyboard.press("F2");
  await operator.getByText("Оператор 2").first().waitFor({ state: "attached" }).catch(() => undefined);
  await operator.keyboard.press("F9");
  await operator.getByText("Оператор 2").last().click();
  await second.locator(".offer").waitFor();
  await second.keyboard.press("F2");
  await w.hears(second, 440);
  await w.hears(caller, 880);
  await caller.getByText("Оператор 2").waitFor();
  await caller.close();
  await second.close();
});

test("a caller who gives up while waiting is owed a call", async () => {
  const waiting = await tap();
  await waiting.locator(".end").click();
  await waiting.locator(".end").click();
  await waiting.getByText("Полиция вам перезвонит").waitFor();
});

test("the newest tab of one person takes over, the older says so", async () => {
  const first = await signIn("supervisor");
  const next = await first.context().newPage();
  await next.goto(`${g.url}/console#desk`);
  await next.getByText("Заступить на смену").waitFor();
  await first.getByText(/другом окне|другой вкладке|остановлен/).first().waitFor();
});
