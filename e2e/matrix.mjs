// Every answer that a phone can give to the questions about microphone, camera and position. The call
// must be registered in each, and the page must say what is missing and what to do instead.
import * as w from "./world.mjs";

export const mics = ["granted", "denied", "prompt", "none", "busy"];
export const places = ["granted", "denied", "prompt", "timeout", "coarse"];
export const cameras = ["denied", "prompt", "none", "busy"];

const words = {
  mic: { denied: /No microphone access.*answer in writing/s, none: /No microphone found/, busy: /Another program uses the microphone/, prompt: /If the browser asks about the microphone/ },
  camera: { denied: /No camera access: voice only/, none: /No camera found/, busy: /Another program uses the camera/, prompt: /If the browser asks about the camera/ },
  place: {
    granted: /Your location is being sent, accurate to ±12 m/, denied: /Location is off.*show the place on the map/s, prompt: /not found yet.*show the place on the map/s,
    timeout: /not found yet.*show the place on the map/s, coarse: /known only roughly, ±3000 m.*show the place on the map/s,
  },
};

/** Refusals that no headless browser gives by itself: the answers are those of the specification. */
function devices({ mic, camera, place }) {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const errors = { denied: "NotAllowedError", none: "NotFoundError", busy: "NotReadableError" };
  navigator.mediaDevices.getUserMedia = (want) => {
    const how = want.audio ? mic : camera;
    if (how === "prompt") return new Promise(() => {});
    return how in errors ? Promise.reject(new DOMException("", errors[how])) : real(want);
  };
  if (place === "prompt") navigator.geolocation.watchPosition = () => 1;
  if (place === "timeout") navigator.geolocation.watchPosition = (_, fail) => setTimeout(() => fail({ code: 3, TIMEOUT: 3, PERMISSION_DENIED: 1 }), 300);
}

/** One cell: opens the page, taps once, and says how long it took and what was wrong. */
async function cell(g, b, what) {
  const accuracy = what.place === "coarse" ? 3000 : 12;
  const c = await w.context(b, { lang: "en-US", viewport: { width: 360, height: 740 }, geo: { latitude: 54.8753, longitude: 69.1628, accuracy }, permissions: what.place === "denied" ? [] : ["geolocation"] });
  try {
    await c.addInitScript(devices, what);
    const page = await c.newPage();
    await page.goto(g.url);
    await page.locator('.linkline[data-open="true"]').waitFor();
    const begin = Date.now();
    await page.locator(".callbutton").click();
    await page.getByText(/Your call is registered/).waitFor();
    const ms = Date.now() - begin;
    const wrong = [];
    const told = async (kind, how) => {
      const expected = words[kind][how];
      if (expected) await page.getByText(expected).first().waitFor().catch(() => wrong.push(`${kind} ${how} is not told`));
    };
    await told("mic", what.mic);
    if (what.camera !== what.mic || what.mic !== "prompt") await told("camera", what.camera);
    await told("place", what.place);
    if (["denied", "none", "busy"].includes(what.mic) && !(await page.getByRole("button", { name: "Allow microphone" }).count())) wrong.push("no way to allow the microphone");
    if (!(await page.locator(".pindoor").count())) wrong.push("no map");
    if (!(await page.locator(".chat form").count())) wrong.push("no writing");
    await page.locator(".end").click();
    await page.locator(".end").click();
    await page.locator(".ended").waitFor();
    return { ...what, ms, wrong };
  } catch (e) {
    return { ...what, ms: 0, wrong: [e.message.split("\n")[0]] };
  } finally {
    await c.close();
  }
}

/** How many pages call at once: more keep a busy machine of two cores from answering any of them. */
const atOnce = 5;

/** All cells: 25 of microphone and position, the camera answering like the microphone, and four where
 * only the camera is missing. */
export async function matrix(g) {
  const b = await w.browser({ wav: w.tone(440) });
  const cells = [...mics.flatMap((mic) => places.map((place) => ({ mic, camera: mic, place }))), ...cameras.map((camera) => ({ mic: "granted", camera, place: "granted" }))];
  const out = [];
  try {
    for (let i = 0; i < cells.length; i += atOnce) out.push(...(await Promise.all(cells.slice(i, i + atOnce).map((what) => cell(g, b, what)))));
  } finally {
    await b.close();
  }
  return out;
}
