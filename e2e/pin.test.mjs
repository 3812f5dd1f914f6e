// What a caller's page does by itself, against a real gateway with an operator who answers: the pin
// on the map, the camera, the screen that stays on, the quick exit, the page without a network.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

let g;
let b;
let bOperator;
let operator;
const trouble = [];

before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
  bOperator = await w.browser({ wav: w.tone(880) });
  const c = await w.context(bOperator, { lang: "en-US", viewport: { width: 1280, height: 800 }, theme: "dark" });
  operator = watch(await c.newPage(), "operator");
  await operator.goto(`${g.url}/console`);
  await operator.locator("input").nth(0).fill("operator");
  await operator.locator("input").nth(1).fill(w.password);
  await operator.keyboard.press("Enter");
  await operator.getByText("Go on duty").waitFor();
  await operator.keyboard.press("F2");
});

after(async () => {
  await b?.close();
  await bOperator?.close();
  await g?.stop();
});

function watch(page, who) {
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  return page;
}

/** A caller's page with its link open. */
async function home(options = {}, prepare = async () => {}) {
  const c = await w.context(options.browser ?? b, { lang: "en-US", viewport: { width: 360, height: 740 }, ...options });
  const page = watch(await c.newPage(), "caller");
  await prepare(page);
  await page.goto(g.url);
  await page.locator('.linkline[data-open="true"]').waitFor();
  return page;
}

/** The operator takes the call that rings, whatever they did before. */
async function answer() {
  await operator.locator(".offer .go").waitFor();
  await operator.keyboard.press("F2");
}

/** The caller ends the call and the operator is ready for the next. */
async function finish(page) {
  await page.locator(".end").click();
  await page.locator(".end").click();
  await page.locator(".ended").waitFor();
  await page.context().close();
  await wrapUp();
}

async function wrapUp() {
  await operator.locator(".wrapup").waitFor();
  for (const group of await operator.locator(".wrapup fieldset.chips").all()) await group.locator("label").first().click();
  await operator.keyboard.press("F10");
  await operator.locator(".wrapup").waitFor({ state: "detached" });
}

/** The colour of the picture so far from the middle of an element, as [r, g, b]. */
async function colourAt(page, selector, dx, dy) {
  const png = (await page.locator(selector).screenshot()).toString("base64");
  return page.evaluate(async ({ png, dx, dy }) => {
    const img = new Image();
    img.src = `data:image/png;base64,${png}`;
    await img.decode();
    const c = new OffscreenCanvas(img.width, img.height).getContext("2d");
    c.drawImage(img, 0, 0);
    return [...c.getImageData(img.width / 2 + dx, img.height / 2 + dy, 1, 1).data].slice(0, 3);
  }, { png, dx, dy });
}

const digits = async (page) => (await page.locator(".pick .at").innerText()).match(/-?[0-9.]+, -?[0-9.]+/)[0];

test("a place shown on the map before the call goes out with the tap, and a reload keeps it", async () => {
  const maps = [];
  const page = await home({ geo: null, permissions: [] }, async (p) => p.on("request", (r) => /live|maplibre|base\.json|Pin/.test(r.url()) && maps.push(r.url())));
  assert.deepEqual(maps, [], "nothing of a map comes with the page");
  await page.locator(".pindoor").click();
  await page.locator("dialog.pick .pin").waitFor();
  assert.ok(maps.length >= 3, "the map is fetched when it is asked for");
  assert.match(await page.locator(".pick .at").innerText(), /^54\.87530, 69\.16280 .*Petropavl/, "it opens at the gateway's centre");
  const go = await page.locator(".pick .go").boundingBox();
  assert.ok(go.x >= 0 && go.x + go.width <= 360 && go.y + go.height <= 740, "the button is on a small screen");
  assert.ok(go.height >= 48);
  // By finger: dragging the map west to east moves the pin west.
  await page.mouse.move(180, 350);
  await page.mouse.down();
  await page.mouse.move(280, 350, { steps: 5 });
  await page.mouse.up();
  await w.until("the drag moved the pin west", async () => Number((await digits(page)).split(", ")[1]) < 69.15);
  await w.shot(page, "caller-pin-en-light-phone");
  // By a tap: what is tapped comes under the pin.
  const before = await digits(page);
  await page.mouse.click(180, 250);
  await w.until("a tap moved the pin north", async () => Number((await digits(page)).split(", ")[0]) > Number(before.split(", ")[0]));
  await page.waitForTimeout(400); // a drag glides to its end
  const chosen = await digits(page);
  await page.locator(".pick .go").click();
  await page.getByText("The place you showed on the map is sent").waitFor();
  await page.locator(".callbutton").click();
  await answer();
  await operator.locator(".here").getByText(chosen).waitFor();
  assert.match(await operator.locator(".here").innerText(), /placed by the caller/);
  assert.doesNotMatch(await operator.locator(".here").innerText(), /±/);
  await page.reload();
  await page.getByText("The place you showed on the map is sent").waitFor();
  await operator.locator(".where .maplibregl-canvas").waitFor();
  await operator.locator(".map-words").waitFor({ state: "detached" });
  const mark = await w.until("the mark is in the middle of the operator's map", async () => {
    const c = await colourAt(operator, ".where .map", 0, 0);
    return c[2] > 220 && c[0] < 160 && c;
  });
  const near = await colourAt(operator, ".where .map", 24, 0);
  const far = await colourAt(operator, ".where .map", 0, -90);
  assert.ok(mark[2] - near[2] > 100 && near.every((v, i) => Math.abs(v - far[i]) < 4), `no circle around a placed point: ${near} and ${far}`);
  await w.shot(operator, "operator-pin-en-dark");
  await finish(page);
});

test("in the call, with the position refused, by keyboard alone; a map that fails says so and is tried again", async () => {
  const page = await home({ permissions: [] }); // fake devices, position refused
  await page.locator(".callbutton").click();
  await answer();
  await page.getByText(/Location is off/).waitFor();
  await page.route("**/map/base.json", (r) => r.abort());
  await page.locator(".pindoor").focus();
  await page.keyboard.press("Enter");
  await page.locator(".pick").getByText("The map did not open. Say or write the address.").waitFor();
  await w.shot(page, "caller-pin-failed-en-light-phone");
  await page.unroute("**/map/base.json");
  await page.locator(".pickwords button").press("Enter");
  await page.locator(".pick .pin").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className), "maplibregl-canvas", "the keyboard is on the map");
  const before = await digits(page);
  await page.keyboard.press("ArrowUp");
  await w.until("an arrow moved the pin", async () => (await digits(page)) !== before);
  await page.waitForTimeout(600);
  const chosen = await digits(page);
  for (let i = 0; i < 12 && !(await page.evaluate(() => document.activeElement.classList.contains("go"))); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator(".pick").waitFor({ state: "detached" });
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("pindoor")), "the keyboard is back where it was");
  await operator.locator(".here").getByText(chosen).waitFor();
  // A place in words stands beside the placed point.
  await page.locator(".where .line input").first().fill("Abai 24, yard");
  await page.locator(".where .line button").first().click();
  await operator.locator(".here").getByText("Abai 24, yard").waitFor();
  assert.match(await operator.locator(".here").innerText(), new RegExp(chosen));
  await finish(page);
});

test("a placed point replaces a wrong measurement, and the phone is heard again when asked", async () => {
  const page = await home();
  await page.locator(".callbutton").click();
  await answer();
  await operator.locator(".here").getByText("54.87530, 69.16280").waitFor();
  await page.locator(".pindoor").click();
  await page.locator(".pick .pin").waitFor();
  assert.equal(await digits(page), "54.87530, 69.16280", "it opens at the last known place");
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(600);
  const chosen = await digits(page);
  await page.locator(".pick .go").click();
  await operator.locator(".here").getByText(chosen).waitFor();
  await operator.locator(".here").getByText(/\d+ m from the phone/).waitFor();
  await page.context().setGeolocation({ latitude: 54.88, longitude: 69.17, accuracy: 9 });
  await page.waitForTimeout(1000);
  await operator.locator(".here").getByText(chosen).waitFor();
  await page.getByRole("button", { name: "Locate again" }).click();
  await operator.locator(".here").getByText("54.88000, 69.17000").waitFor();
  assert.match(await operator.locator(".here").innerText(), /±9 m/);
  await finish(page);
});
