// A stranger's client, written from docs/PROTOCOL.md: many calls at once, and calls while the gateway is killed.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { callbot, gateway } from "./world.mjs";

test("callers and operators by the public protocol alone: nothing lost, nothing double", async () => {
  const g = await gateway();
  try {
    const run = await callbot("load", g.url, "--calls", "6", "--talk", "2s", "--every", "100ms", "--video", "--json");
    assert.equal(run.code, 0, run.stdout + run.stderr);
    const r = run.report;
    assert.deepEqual(r.violations, []);
    assert.deepEqual({ ...r.calls }, { tapped: 6, created: 6, offered: 6, answered: 6, ended: 6, chatSaid: 6, chatRead: 6, botsFailed: 0 });
    assert.equal(r.legs.console.audioReceived.lost, 0);
    assert.equal(r.legs.console.videoReceived.lost, 0);
    assert.ok(r.legs.console.audioReceived.packets > 6 * 60, "the operators heard the callers");
    assert.ok(r.legs.caller.audioReceived.packets > 6 * 60, "the callers heard the operators");
    assert.ok(r.legs.console.videoReceived.frames > 6 * 10, "the operators saw the callers");
    console.log(`tap to ringing p50 ${r.ms.tapToRinging.p50} ms, answer to sound p95 ${r.ms.acceptToAudio.p95} ms`);
  } finally {
    await g.stop();
  }
});

test("the gateway is killed twice while calls wait, ring and talk: no promise is broken", async () => {
  const g = await gateway();
  let harms = 0;
  const harm = http.createServer(async (_, res) => {
    await g.kill();
    await g.start();
    harms++;
    res.end("done");
  });
  await new Promise((resolve) => harm.listen(0, "127.0.0.1", resolve));
  try {
    const run = await callbot("drill", g.url, "--calls", "6", "--talk", "6s", "--every", "500ms", "--after", "4s", "--times", "2", "--json",
      "--do", `node -e "fetch('http://127.0.0.1:${harm.address().port}/').then(r => r.text())"`);
    assert.equal(run.code, 0, run.stdout + run.stderr + g.log);
    assert.equal(harms, 2, run.stderr);
    assert.deepEqual(run.report.violations, []);
    assert.equal(run.report.calls.ended, 6);
    assert.equal(run.report.calls.answered, 6);
    assert.equal(run.report.calls.chatRead, 6);
  } finally {
    harm.close();
    await g.stop();
  }
});

test("beyond the limit of waiting peers callers wait in text, and are heard when their turn comes", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-limit-"));
  const file = path.join(dir, "jedel.yaml");
  fs.writeFileSync(file, "media: {waiting_peers: 1}\n");
  const g = await gateway({ args: ["--config", file] });
  let least = Infinity; // connections while almost all wait
  const watch = setInterval(async () => {
    const text = await fetch(`${g.url}/metrics`).then((r) => r.text()).catch(() => ""); // the last look may meet a gateway that has stopped
    const value = (name) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0);
    if (value("jedel_queue_waiting_calls") >= 6) least = Math.min(least, value("jedel_media_peers")); // before anybody has hung up
  }, 100);
  try {
    const run = await callbot("load", g.url, "--calls", "8", "--talk", "2s", "--every", "150ms", "--json");
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal(run.report.calls.answered, 8);
    assert.equal(run.report.ms.acceptToAudio.n, 8, "every operator heard the caller");
    assert.ok(least >= 4 && least <= 5, `${least} connections: two operators, two who talk, one who waits`);
    assert.ok(run.report.ms.mediaSetUp.n > 10, "callers connected again when their turn came");
  } finally {
    clearInterval(watch);
    await g.stop();
    fs.rmSync(dir, { recursive: true });
  }
});
