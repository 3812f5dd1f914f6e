// A second, independent client makes a call: aiortc, written from docs/PROTOCOL.md.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import * as w from "./world.mjs";

test("a caller on aiortc is heard by an operator in Chromium, and hears them", async (t) => {
  const g = await w.gateway();
  t.after(() => g.stop());
  const b = await w.browser({ wav: w.tone(880) });
  t.after(() => b.close());
  const operator = await (await w.context(b, { viewport: { width: 1280, height: 800 } })).newPage();
  await operator.goto(`${g.url}/console`);
  await operator.locator("input").nth(0).fill("operator");
  await operator.locator("input").nth(1).fill(w.password);
  await operator.keyboard.press("Enter");
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  const caller = spawn("/usr/bin/python3", [path.join(w.root, "e2e/independent.py"), `ws://127.0.0.1:${g.port}/ws`, w.tone(440), "12"]);
  t.after(() => caller.kill("SIGKILL"));
  let said = "";
  caller.stdout.on("data", (x) => (said += x));
  caller.stderr.on("data", (x) => (said += x));
  const ended = new Promise((resolve) => caller.once("exit", resolve));
  await w.until("the call has a number", () => /\d\d-\d{6}/.test(said)).catch((e) => assert.fail(`${e.message}\n${said}`));
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await operator.getByText("aiortc").first().waitFor();
  await w.hears(operator, 440);
  assert.equal(await ended, 0, said);
  assert.ok(Number(said.match(/heard (\d+)/)?.[1]) > 50, said);
});
