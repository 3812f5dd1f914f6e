// What a caller's page does by itself, against a real gateway with an operator who answers: the pin
// on the map, the camera, the screen that stays on, the quick exit, the page without a network.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { matrix } from "./matrix.mjs";
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
  await w.onDuty(operator, g);
});

after(async () => {
  await b?.close();
  await bOperator?.close();
  await g?.stop();
});

// Whatever a test has left: no caller, and an operator who is ready.
afterEach(async (t) => {
  if (!t.passed) await w.shot(operator, `failed-${t.name.replaceAll(/\W+/g, "-").slice(0, 40)}`);
  await Promise.all(pages.splice(0).map((p) => p.context().close()));
  if (t.passed) return;
  await operator.keyboard.down("Shift");
  await operator.keyboard.down("F2");
  await operator.waitForTimeout(900);
  await operator.keyboard.up("F2");
  await operator.keyboard.up("Shift");
  if (await operator.locator(".wrapup").count()) await w.wrapUp(operator);
});

const pages = [];

function watch(page, who) {
  page.on("pageerror", (e) => trouble.push(`${who}: ${e.stack || e.message}`));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(`${who}: ${m.text()}`));
  return page;
}

/** A caller's page with its link open. */
async function home(options = {}, prepare = async () => {}) {
  const c = await w.context(options.browser ?? b, { lang: "en-US", viewport: { width: 360, height: 740 }, ...options });
  const page = watch(await c.newPage(), "caller");
  pages.push(page);
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
  await w.hangUp(page);
  await page.context().close();
  await w.wrapUp(operator);
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
  await w.until("the keyboard is back where it was", () => page.evaluate(() => document.activeElement.classList.contains("pindoor")));
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

test("a position that the phone finds before the call is registered is not lost", async () => {
  const page = await home({}, async (p) => {
    await p.routeWebSocket(/\/ws$/, (ws) => {
      const server = ws.connectToServer();
      ws.onMessage((m) => (/"call.create"/.test(m) ? setTimeout(() => server.send(m), 1500) : server.send(m)));
    });
    await p.route(/\/api\/v1\/sos$/, (r) => r.abort()); // the other ways of a tap would be quicker
    await p.addInitScript(() => { RTCDataChannel.prototype.send = () => undefined; });
  });
  await page.locator(".callbutton").click();
  await page.getByText(/Your location is being sent/).waitFor();
  assert.equal(await page.getByText(/Your call is registered/).count(), 0);
  await answer();
  await operator.locator(".here").getByText("54.87530, 69.16280").waitFor();
  await finish(page);
});

const sentCamera = (page) =>
  page.evaluate(() => window.__pcs.flatMap((p) => p.getSenders()).find((s) => s.track?.kind === "video" && s.track.readyState === "live")?.track.getSettings().deviceId);

test("flipping sends the next camera, and comes round; with one camera there is no such button", async (t) => {
  const three = await w.browser({ wav: w.tone(440), cameras: 3 });
  t.after(() => three.close());
  const page = await home({ browser: three });
  await page.locator(".callbutton").click();
  await answer();
  const seen = [await w.until("a camera is sent", () => sentCamera(page))];
  for (let i = 0; i < 2; i++) {
    await page.locator(".flip").click();
    seen.push(await w.until("another camera is sent", async () => {
      const id = await sentCamera(page);
      return id && !seen.includes(id) && id;
    }));
  }
  // The second of Chromium's fake cameras gives depth and no pictures; the third gives pictures.
  const from = (await w.inbound(operator)).video.frames;
  await w.until("its pictures arrive", async () => (await w.inbound(operator)).video.frames > from + 10);
  await page.locator(".flip").click();
  await w.until("the first camera is back", async () => (await sentCamera(page)) === seen[0]);
  const live = await page.evaluate(() => document.querySelector("video.preview").srcObject.getTracks().length);
  assert.equal(live, 1);
  await finish(page);

  const single = await home();
  await single.locator(".callbutton").click();
  await answer();
  await w.until("a camera is sent", () => sentCamera(single));
  await single.getByRole("button", { name: "Camera on" }).waitFor();
  assert.equal(await single.locator(".flip").count(), 0);
  await finish(single);
});

test("a second camera that refuses leaves the first one on", async (t) => {
  const two = await w.browser({ wav: w.tone(440), cameras: 2 });
  t.after(() => two.close());
  const page = await home({ browser: two });
  await page.locator(".callbutton").click();
  await answer();
  const first = await w.until("a camera is sent", () => sentCamera(page));
  await page.evaluate((id) => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (c) => (c.video?.deviceId?.exact === id ? real(c) : Promise.reject(new DOMException("in use", "NotReadableError")));
  }, first);
  await page.locator(".flip").click();
  await w.until("the first camera is back", async () => (await sentCamera(page)) === first);
  await page.getByRole("button", { name: "Camera on" }).waitFor();
  await finish(page);
});

test("the screen stays on during a call and no longer", async () => {
  const page = await home({}, (p) =>
    p.addInitScript(() => {
      window.__locks = [];
      navigator.wakeLock.request = (kind) => {
        const lock = { kind, released: false, release: async () => void (lock.released = true) };
        window.__locks.push(lock);
        return Promise.resolve(lock);
      };
    }),
  );
  const locks = () => page.evaluate(() => window.__locks.map((l) => `${l.kind} ${l.released}`));
  assert.deepEqual(await locks(), [], "not before a call");
  await page.locator(".callbutton").click();
  await answer();
  assert.deepEqual(await locks(), ["screen false"]);
  await page.evaluate(() => {
    window.__locks[0].released = true; // as a browser does when the page is hidden
    document.dispatchEvent(new Event("visibilitychange"));
  });
  assert.deepEqual(await locks(), ["screen true", "screen false"], "taken again when the page is back");
  await w.hangUp(page);
  assert.deepEqual(await locks(), ["screen true", "screen true"], "let go after the call");
  await page.context().close();
  await w.wrapUp(operator);
});

/** Every way out: nothing is left on the screen, nothing runs, Back shows nothing. */
for (const [way, act] of Object.entries({
  button: (page) => page.locator(".top .exit").click(),
  "Shift three times": async (page) => {
    for (let i = 0; i < 3; i++) await page.keyboard.press("Shift");
  },
  "three touches": (page) => page.locator(".heading").click({ clickCount: 3, delay: 20 }),
})) {
  test(`quick exit by ${way} leaves at once and without a trace`, async () => {
    const page = await home({ permissions: ["geolocation", "microphone", "camera"] });
    await page.context().route("https://kk.wikipedia.org/**", async (r) => {
      await new Promise((ok) => setTimeout(ok, 1500)); // a slow network: what is seen meanwhile?
      await r.fulfill({ contentType: "text/html", body: "<title>Уикипедия</title><h1>Уикипедия</h1>" });
    });
    await page.locator(way === "three touches" ? ".doors button >> nth=0" : ".callbutton").click();
    const number = (await page.getByText(/Your call is registered/).innerText()).match(/\d\d-\d{6}/)[0];
    if (way !== "three touches") await w.until("the microphone is sent", () => page.evaluate(() => window.__pcs.some((p) => p.getSenders().some((s) => s.track?.readyState === "live"))));
    const told = new Promise((ok) => void page.exposeFunction("tell", ok).then(() => page.evaluate(() => {
      const tracks = window.__pcs.flatMap((p) => p.getSenders().map((s) => s.track)).filter(Boolean);
      let acted = 0;
      for (const kind of ["keyup", "click"]) addEventListener(kind, () => (acted = performance.now()), true);
      new MutationObserver((_, o) => {
        if (document.documentElement.childElementCount > 0) return;
        o.disconnect();
        const ms = performance.now() - acted;
        setTimeout(() => void window.tell({
          elements: document.documentElement.childElementCount, title: document.title, live: tracks.filter((t) => t.readyState === "live").length,
          open: window.__pcs.filter((p) => p.connectionState !== "closed").length, ms,
        }));
      }).observe(document, { childList: true, subtree: true });
      window.__watched = true;
    })));
    await w.until("the page is watched", () => page.evaluate(() => window.__watched));
    await act(page);
    const { ms, ...seen } = await told;
    assert.deepEqual(seen, { elements: 0, title: "", live: 0, open: 0 });
    assert.ok(ms >= 0 && ms <= 150, `gone after ${ms} ms`);
    await page.waitForURL("https://kk.wikipedia.org/");
    await page.goBack().catch(() => undefined);
    await w.until("Back does not show the call", async () => !page.url().startsWith(g.url) || (await page.evaluate(() => document.documentElement.innerText.trim())) === "");
    // Who comes back finds the same call.
    await page.goto(g.url);
    await page.getByText(number).waitFor();
    await w.hangUp(page);
    await w.until("nobody waits", async () => /0 waiting/.test(await operator.locator(".bar").innerText()));
  });
}

test("a page without a network opens and says whom to phone", async () => {
  for (const [lang, words] of [["kk-KZ", "Интернет жоқ. 102 немесе 112"], ["ru-RU", "Нет интернета. Позвоните по телефону 102 или 112."], ["en-US", "No internet. Phone 102 or 112."]]) {
    const page = await home({ lang });
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText(words).waitFor();
    assert.equal(await page.locator("a.telephone.first").getAttribute("href"), "tel:102");
    const phone = await page.locator("a.telephone.first").boundingBox();
    const button = await page.locator(".callbutton").boundingBox();
    assert.ok(phone.height > button.height && phone.y < button.y, "the telephone is the main button");
    await w.shot(page, `caller-offline-${lang.slice(0, 2)}-light-phone`);
    await page.context().setOffline(false);
    await page.locator('.linkline[data-open="true"]').waitFor();
    await page.locator("a.telephone.first").waitFor({ state: "detached" });
    await page.context().close();
  }
});

test("a silent call makes no sound, is dark, and its answers arrive as they are touched", async () => {
  const page = await home({}, (p) =>
    p.addInitScript(() => {
      window.__noise = [];
      const play = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function () {
        if (!this.muted) window.__noise.push("play");
        return play.call(this);
      };
      navigator.vibrate = () => window.__noise.push("vibrate") > 0;
      const Real = window.AudioContext;
      window.AudioContext = class extends Real {
        constructor(...a) {
          super(...a);
          window.__noise.push("AudioContext");
        }
      };
      const gum = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (c) => window.__noise.push("getUserMedia") && gum(c);
    }),
  );
  await page.locator(".doors button").first().click();
  await answer();
  await page.getByText("What is happening?").waitFor();
  const dark = await page.evaluate(async (png) => {
    const img = new Image();
    img.src = `data:image/png;base64,${png}`;
    await img.decode();
    const c = new OffscreenCanvas(img.width, img.height).getContext("2d");
    c.drawImage(img, 0, 0);
    const d = c.getImageData(0, 0, img.width, img.height).data;
    let sum = 0;
    for (let i = 0; i < d.length; i += 4) sum += 0.2126 * d[i] + 0.7152 * d[i + 1] + 0.0722 * d[i + 2];
    return sum / (d.length / 4) / 255;
  }, (await page.screenshot()).toString("base64"));
  assert.ok(dark <= 0.1, `mean brightness ${dark}`);
  let touches = 1;
  for (const a of ["Someone broke in", "Yes", "I don't know", "No"]) {
    await page.locator(".question").getByRole("button", { name: a, exact: true }).click();
    touches++;
    await operator.locator(".chat").getByText(new RegExp(`\\? ${a}$`)).waitFor();
  }
  assert.ok(touches <= 6);
  await page.locator(".question").waitFor({ state: "detached" });
  await operator.locator("textarea").last().fill("We are coming");
  await operator.locator("textarea").last().press("Control+Enter");
  await page.getByText("We are coming").waitFor();
  assert.deepEqual(await page.evaluate(() => window.__noise), []);
  await finish(page);
});

const langs = ["kk-KZ", "ru-RU", "en-US"];
const views = w.looks(langs, { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } });

/** The page as it is now in its language, in both sizes and themes: looked at by axe and kept as pictures. */
async function look(page, lang, what) {
  const name = `${what}-${lang.slice(0, 2)}`;
  for (const { theme, size, viewport } of views.filter((v) => v.lang === lang)) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize(viewport);
    const { violations } = await new w.AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
    const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`), [], `${name} ${theme} ${size}`);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1, `${name} ${theme} ${size} is wider than the screen`);
    await w.shot(page, `caller-${name}-${theme}-${size}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 360, height: 740 });
}

for (const lang of langs) {
  test(`talking, asked for the camera, choosing a place and cut off, in ${lang}`, async () => {
    const page = await home({ lang });
    await page.locator(".callbutton").click();
    await answer();
    await page.locator('main.call[data-stage="talking"]').waitFor();
    await look(page, lang, "talking");
    await page.locator(".controls button").nth(1).click();
    await operator.keyboard.press("Alt+v");
    await page.locator(".ask").waitFor();
    await look(page, lang, "camera-asked");
    await page.locator(".ask button").nth(1).click();
    await page.locator(".pindoor").click();
    await page.locator(".pick .pin").waitFor();
    await look(page, lang, "pin");
    await page.locator(".pick .go").click();
    await page.locator(".pick").waitFor({ state: "detached" });
    await page.context().setOffline(true); // takes the socket away and leaves media alone
    await page.locator(".note.words").waitFor();
    await page.locator('main.call[data-stage="talking"]').waitFor();
    assert.equal(await page.locator(".telephone").count(), 0, "nobody is sent to the telephone out of a talk");
    await look(page, lang, "words-wait");
    await page.evaluate(() => { for (const pc of window.__pcs) pc.close(); });
    await page.locator('main.call[data-stage="lost"]').waitFor();
    await look(page, lang, "lost");
    await page.context().setOffline(false);
    await page.locator('main.call[data-stage="talking"]').waitFor();
    await finish(page);
  });
}

test("whatever the phone answers about microphone, camera and position, the call is registered", async () => {
  const quiet = await w.gateway(); // nobody on duty: the operator of the other tests is not rung 29 times
  try {
    const cells = await matrix(quiet);
    assert.equal(cells.length, 29);
    assert.deepEqual(cells.filter((c) => c.wrong.length > 0), []);
  } finally {
    await quiet.stop();
  }
});

test("no page threw, and none was refused by its security policy", () => assert.deepEqual(trouble, []));
