// Where am I: a map of an invented quarter is imported while the gateway runs; a caller who does not know
// the address reads it in three languages; the operator reads it too, finds another that the caller
// says, and moves the place there. What the phone said, what the caller showed and what the operator set
// stay side by side, on the card and in the archive.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as w from "./world.mjs";

const run = promisify(execFile);
const jedel = path.join(w.root, "bin/jedel");
const sample = path.join(w.root, "internal/extract/testdata/quarter.osm.pbf");
const house = { latitude: 54.8702, longitude: 69.151, accuracy: 8 };
let g;
let b;
let operator;
const trouble = [];

function watch(page, who) {
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.message}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  return page;
}

const address = async (q) => (await fetch(`${g.url}/api/v1/geo/address?${q}`)).json();

before(async () => {
  g = await w.gateway();
  b = await w.browser({ wav: w.tone(440) });
  const c = await w.context(b, { lang: "ru-RU", viewport: { width: 1280, height: 800 }, theme: "light" });
  operator = watch(await c.newPage(), "operator");
  await operator.goto(`${g.url}/console`);
  await operator.locator("input").nth(0).fill("operator");
  await operator.locator("input").nth(1).fill(w.password);
  await operator.keyboard.press("Enter");
  await operator.getByText("Заступить на смену").or(operator.getByText("Go on duty")).first().waitFor();
  await operator.keyboard.press("F2");
});

after(async () => {
  await b?.close();
  await g?.stop();
});

test("before a map is imported the settlements that are built in answer", async () => {
  const a = await address("lat=54.88&lon=69.3&accuracy=20");
  assert.equal(a.source, "embedded");
  assert.equal(a.words.kk, "Петропавлдан шығысқа қарай 9,7 км");
  const { stdout } = await run(jedel, ["geo", "where", "--data", g.data, "54.88", "69.3"]);
  assert.match(stdout, /9,7 км к востоку от Петропавловска/);
});

test("an import is taken into use by the gateway that runs; a file that is no map changes nothing", async () => {
  const { stdout } = await run(jedel, ["geo", "import", "--data", g.data, sample]);
  assert.match(stdout, /houses +5\n/);
  await w.until("the gateway uses the import", async () => (await address("lat=54.8702&lon=69.151&accuracy=8")).source === "gazetteer");
  await assert.rejects(run(jedel, ["geo", "import", "--data", g.data, path.join(w.root, "README.md")]), (e) => e.code === 1 && /not a whole OpenStreetMap PBF file/.test(e.stderr) && /still in use/.test(e.stderr));
  const found = await run(jedel, ["geo", "search", "--data", g.data, "абая", "14"]);
  assert.match(found.stdout, /Абай көшесі, 14/);
  const a = await address("lat=54.8702&lon=69.151&accuracy=8");
  assert.equal(a.kind, "house");
  assert.ok(a.confidence > 0.95);
});

const said = { "kk-KZ": "Картаға қарағанда: Петропавл, Абай көшесі, 12", "ru-RU": "По карте: Петропавловск, улица Абая, 12", "en-US": "On the map: Abai Street, 12, Petropavl" };

test("whoever reports reads the address beside the accuracy", async () => {
  const c = await w.context(b, { lang: "kk-KZ", viewport: { width: 360, height: 740 }, geo: house });
  const page = watch(await c.newPage(), "report");
  await page.goto(`${g.url}/#report`);
  await page.locator(".onmap").getByText("Петропавл, Абай көшесі, 12").waitFor();
  assert.match(await page.locator(".where").innerText(), /±8/);
  await page.locator(".onmap").scrollIntoViewIfNeeded();
  await w.shot(page, "geo-report-kk-phone");
  await c.close();
});

test("the caller reads street and house in three languages, the operator sees, finds and moves the place; all is kept", async () => {
  let page;
  for (const [lang, words] of Object.entries(said)) {
    const c = await w.context(b, { lang, viewport: { width: 360, height: 740 }, geo: house, theme: lang === "en-US" ? "dark" : "light" });
    page = watch(await c.newPage(), lang);
    await page.goto(g.url);
    await page.locator('.linkline[data-open="true"]').waitFor();
    await page.locator(".callbutton").click();
    await page.locator(".onmap").getByText(words).waitFor();
    assert.match(await page.locator(".where").innerText(), /±8/, "how near the position is stands beside it");
    assert.match(await page.locator(".onmap").innerText(), /OpenStreetMap/);
    await page.locator(".onmap").scrollIntoViewIfNeeded();
    await w.shot(page, `geo-caller-${lang.slice(0, 2)}-phone`);
    if (lang === "en-US") break;
    await page.locator(".end").click();
    await page.locator(".end").click();
    await page.locator(".ended").waitFor();
    await page.context().close();
  }
  await operator.locator(".offer .go").waitFor();
  await operator.keyboard.press("F2");
  await operator.locator(".here .address").getByText("Петропавловск, улица Абая, 12").waitFor();
  assert.match(await operator.locator(".here").innerText(), /±8/);
  assert.match(await operator.locator(".here .address").innerText(), /99 % в пределах 25 м/);
  await w.shot(operator, "geo-operator-ru-light");

  // The phone moves a little: the words follow. Then it measures badly, and no house is named for it.
  await page.context().setGeolocation({ latitude: 54.8703, longitude: 69.1532, accuracy: 9 });
  await operator.locator(".here .address").getByText("улица Абая, 14").waitFor();

  // The caller says another place; the operator looks it up.
  await operator.getByRole("button", { name: "Уточнить место" }).click();
  await operator.locator(".finder input").fill("мира 7");
  await operator.locator(".finder li button").first().getByText("Петропавловск, улица Мира, 7").waitFor();
  await w.shot(operator, "geo-operator-finder-ru-light");
  await operator.keyboard.press("Enter");
  await operator.locator(".moved").getByText("Петропавловск, улица Мира, 7").waitFor();
  const moved = await operator.locator(".moved").innerText();
  assert.match(moved, /54\.87180, 69\.15500/);
  const metres = Number(moved.match(/(\d+) м от телефона/)[1]);
  assert.ok(metres > 180 && metres < 230, `${metres} m between what the phone says and what the operator set`);
  assert.match(await operator.locator(".here").innerText(), /54\.87030, 69\.15320/, "the phone's position stays");
  await w.shot(operator, "geo-operator-moved-ru-light");

  // The caller moves the pin as well.
  await page.locator(".pindoor").click();
  await page.locator(".pick .pin").waitFor();
  await page.keyboard.press("ArrowUp");
  await page.waitForTimeout(700);
  await page.locator(".pick .go").click();
  await page.locator(".onmap").waitFor();
  await operator.locator(".here").getByText(/м от телефона/).waitFor();
  await w.shot(page, "geo-caller-pinned-en-dark");

  const cookie = (await operator.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const ask = async (at) => (await fetch(g.url + at, { headers: { cookie } })).json();
  const list = (await ask("/api/v1/cases")).cases;
  const mine = (await Promise.all(list.map((c) => ask(`/api/v1/cases/${c.case}`)))).find((c) => c.card.some((l) => l.place?.source === "operator"));
  await w.until("the pin is on the card", async () => (await ask(`/api/v1/cases/${mine.case}`)).card.some((l) => l.place?.source === "caller"));
  const places = (await ask(`/api/v1/cases/${mine.case}`)).card.filter((l) => l.place);
  const by = (source) => places.filter((l) => l.place.source === source);
  assert.equal(by("device")[0].place.derived.words.ru, "Петропавловск, улица Абая, 12", "the derived words of the first fix stay as they were");
  assert.equal(by("device")[0].place.derived.source, "gazetteer");
  assert.equal(by("device")[0].by, "");
  assert.equal(by("caller").length, 1);
  assert.equal(by("operator").length, 1);
  assert.ok(by("operator")[0].by, "who moved it is kept");

  await page.locator(".end").click();
  await page.locator(".end").click();
  assert.deepEqual(trouble, []);
});
