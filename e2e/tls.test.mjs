// Phones on the local network: https with a certificate of our own, sockets and devices included.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import * as w from "./world.mjs";

test("a call over https with a self-signed certificate, the same after a restart", async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // only in this process, only for the certificate made here
  const g = await w.gateway({ args: ["--tls", "self-signed"], scheme: "https" });
  const b = await w.browser({ wav: w.tone(440) });
  try {
    const c = await b.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", permissions: ["geolocation"] });
    const page = await c.newPage();
    await page.goto(g.url);
    assert.equal(await page.evaluate(() => `${location.protocol} ${isSecureContext}`), "https: true");
    await page.locator(".callbutton").click();
    await page.getByText(/No\.? ?\d\d-000001|№ \d\d-000001/).waitFor();
    const text = await (await fetch(`${g.url}/metrics`)).text();
    assert.match(text, /jedel_recorder_open_archives 1/);
    const cert = fs.readFileSync(path.join(g.data, "self-signed.crt"));
    assert.equal(fs.statSync(path.join(g.data, "self-signed.key")).mode & 0o777, 0o600);
    await g.kill();
    await g.start();
    assert.deepEqual(fs.readFileSync(path.join(g.data, "self-signed.crt")), cert, "phones trust it once");
    await w.until("the call goes on", async () => /jedel_recorder_open_archives 1/.test(await (await fetch(`${g.url}/metrics`)).text()));
  } finally {
    await b.close();
    await g.stop();
  }
});
