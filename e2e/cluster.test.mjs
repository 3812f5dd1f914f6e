// The story on one node with PostgreSQL and Redis; losing Redis changes nothing for callers.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import * as w from "./world.mjs";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "jedel-cluster-"));
const children = [];
let redisPort;
let g;
let b1;
let b2;

const port = () =>
  new Promise((resolve) => {
    const s = net.createServer().listen(0, "127.0.0.1", () => {
      const p = s.address().port;
      s.close(() => resolve(p));
    });
  });
const answers = (p) =>
  new Promise((resolve) => {
    const s = net.connect(p, "127.0.0.1", () => resolve(s.end() && true));
    s.once("error", () => resolve(false));
  });

function run(cmd, args, who = {}) {
  const child = spawn(cmd, args, { stdio: "ignore", cwd: dir, ...who });
  children.push(child);
  return child;
}

async function startRedis() {
  const child = run("redis-server", ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir]);
  await w.until("redis answers", () => answers(redisPort));
  return child;
}

async function startPostgres() {
  const bin = path.join("/usr/lib/postgresql", fs.readdirSync("/usr/lib/postgresql").sort().at(-1), "bin");
  const root = process.getuid() === 0;
  const who = root ? { uid: Number(execFileSync("id", ["-u", "postgres"])), gid: Number(execFileSync("id", ["-g", "postgres"])) } : {};
  const data = path.join(dir, "pg");
  fs.mkdirSync(data, { mode: 0o700 });
  fs.chmodSync(dir, 0o755);
  if (root) fs.chownSync(data, who.uid, who.gid);
  execFileSync(path.join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", "jedel", "--no-sync"], { stdio: "ignore", cwd: data, ...who });
  const p = await port();
  run(path.join(bin, "postgres"), ["-D", data, "-p", String(p), "-h", "127.0.0.1", "-k", data], { ...who, cwd: data });
  await w.until("postgres answers", () => answers(p));
  await w.until("postgres takes queries", () => {
    execFileSync(path.join(bin, "psql"), ["-h", "127.0.0.1", "-p", String(p), "-U", "jedel", "postgres", "-c", "select 1"], { stdio: "ignore" });
    return true;
  });
  return `postgres://jedel@127.0.0.1:${p}/postgres?sslmode=disable`;
}

before(async () => {
  redisPort = await port();
  await startRedis();
  const url = await startPostgres();
  g = await w.gateway({ args: ["--store", url, "--hints", `redis://127.0.0.1:${redisPort}/0`] });
  b1 = await w.browser({ wav: w.tone(440) });
  b2 = await w.browser({ wav: w.tone(880) });
});
after(async () => {
  await b1?.close();
  await b2?.close();
  await g?.stop();
  for (const c of children) c.kill("SIGKILL");
  fs.rmSync(dir, { recursive: true, force: true });
});

test("calls on PostgreSQL go on while Redis is gone, and new ones come", async () => {
  const operator = await (await w.context(b2, { viewport: { width: 1280, height: 800 } })).newPage();
  await operator.goto(`${g.url}/console`);
  await operator.locator("input").nth(0).fill("operator");
  await operator.locator("input").nth(1).fill(w.password);
  await operator.keyboard.press("Enter");
  await operator.getByText("Заступить на смену").waitFor();
  await operator.keyboard.press("F2");
  const caller = await (await w.context(b1)).newPage();
  await caller.goto(g.url);
  await caller.locator(".callbutton").click();
  await operator.locator(".offer").waitFor();
  await operator.keyboard.press("F2");
  await w.hears(operator, 440);
  children[0].kill("SIGKILL");
  await w.hears(caller, 880);
  await caller.locator(".chat form input:not([type=file])").fill("без Redis");
  await caller.keyboard.press("Enter");
  await operator.getByText("без Redis").waitFor();
  const staff = path.join(dir, "staff");
  fs.writeFileSync(staff, `operator2 ${w.password}\n`);
  const gone = Date.now();
  const run = await w.callbot("load", g.url, "--staff", staff, "--calls", "24", "--every", "2500ms", "--talk", "1s", "--video", "--json");
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.equal(run.report.calls.answered, 24);
  assert.ok(Date.now() - gone >= 60000, "a minute without Redis");
  await w.hears(operator, 440);
  const second = await (await w.context(b1)).newPage();
  await second.goto(g.url);
  await second.locator(".callbutton").click();
  await second.getByText(/Ваш звонок зарегистрирован. № \d\d-0000\d\d/).waitFor();
  await startRedis();
  await g.kill();
  await g.start();
  await w.hears(operator, 440);
  await second.getByText(/№ \d\d-0000\d\d/).waitFor();
  await second.getByText(/Следующая очередь ваша/).waitFor();
});
