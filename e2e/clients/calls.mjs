// Calls between clients that share nothing but the standards. Each kind of client is a caller and an operator, Chromium with each of the
// others both ways; each call is heard and seen both ways and ends in order.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as w from "../world.mjs";
import { firefox, pages, programs } from "./parties.mjs";

const skip = process.env.JEDEL_CLIENTS_SKIP || false;
const hz = { Chromium: 440, Firefox: 660, aiortc: 1100, GStreamer: 1550 }; // none is a harmonic of another
const kinds = {};
let chromium;
let gecko;

before(async () => {
  if (skip) return;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // only in this process, only for the certificate made here
  [chromium, gecko] = await Promise.all([w.browser({ wav: w.tone(hz.Chromium) }), firefox(hz.Firefox)]);
  kinds.Chromium = pages(chromium, { red: true });
  kinds.Firefox = pages(gecko);
  kinds.aiortc = programs("aiortc_client.py", hz.aiortc);
  kinds.GStreamer = programs("gst_client.py", hz.GStreamer);
});

after(async () => {
  await Promise.all([chromium?.close(), gecko?.close()]);
});

// Whoever hears Chromium hears a sender of RED, which none of the others knows.
const calls = [
  ["Chromium", "Firefox"], ["Chromium", "aiortc"], ["Chromium", "GStreamer"], ["Firefox", "Chromium"],
  ["aiortc", "Chromium"], ["GStreamer", "Chromium"], ["Firefox", "aiortc"], ["GStreamer", "Firefox"],
];
for (const [from, to] of calls) {
  test(`a caller on ${from} and an operator on ${to} hear and see each other`, { skip, timeout: 60000 }, async (t) => {
    const ends = [];
    t.after(async () => {
      for (const end of ends.reverse()) await end(t.passed);
    });
    const g = await w.gateway({ args: ["--tls", "self-signed"], scheme: "https", host: process.env.JEDEL_CLIENTS_ADDRESS });
    ends.push(() => g.stop());
    const operator = await kinds[to].operator(ends, g.url);
    const caller = await kinds[from].caller(ends, g.url);
    assert.match(caller.number, /^\d\d-\d{6}$/);
    await operator.answer();
    await Promise.all([operator.hears(hz[from]), caller.hears(hz[to])]);
    await Promise.all([operator.sees(), caller.sees()]);
    const redundant = from === "Chromium" ? caller : to === "Chromium" ? operator : undefined;
    if (redundant) assert.ok((await redundant.speaks()) > 120, `RED is sent: ${await redundant.speaks()} bytes a packet`);
    await caller.hangUp();
    await operator.done();
    assert.deepEqual([...caller.trouble, ...operator.trouble], []);
  });
}
