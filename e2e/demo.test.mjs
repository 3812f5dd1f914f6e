// The demo centre: a whole city by the public protocol, against a real gateway, for some forty seconds at
// high speed. What it tells must agree with what the gateway counts.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { callbot, gateway, password, root, until } from "./world.mjs";

/** The values of a metric, added up over its labels. */
async function counted(g, name, labels = "") {
  const text = await (await fetch(`${g.url}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}(?:\\{([^}]*)\\})? (\\S+)$`, "gm"))].filter((m) => (m[1] ?? "").includes(labels)).reduce((sum, m) => sum + Number(m[2]), 0);
}

async function signedIn(g, login) {
  const r = await fetch(`${g.url}/api/v1/staff/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ login, password }) });
  return { Authorization: `Bearer ${(await r.json()).token}` };
}

async function ask(g, headers, where) {
  const r = await fetch(g.url + where, { headers });
  assert.equal(r.status, 200, where);
  return r.json();
}

test("a city for forty seconds: calls answered, reports registered, patrols there, cases closed with replies, nothing broken", async () => {
  const g = await gateway();
  try {
    const run = await callbot("centre", g.url, "--json", "--speed", "30", "--minutes", "0.7", "--calls-per-hour", "12", "--reports-per-hour", "20", "--operators", "2", "--dispatcher",
      "--cameras", "0", "--seed", "11", "--from", "2026-11-27T19:00:00+05:00");
    assert.equal(run.code, 0, run.stdout + run.stderr);
    const r = run.report;
    assert.deepEqual(r.violations, []);
    assert.deepEqual(r.errors, []);
    assert.ok(r.calls.created >= 3 && r.calls.answered >= 2, run.stderr);
    assert.equal(r.calls.ended, r.calls.created);
    assert.ok(r.reports.registered >= 5, run.stderr);
    assert.equal(r.reports.refused, 0);
    assert.equal(r.patrols.onDuty, 6);
    assert.ok(r.patrols.accepted >= 1 && r.patrols.onScene >= 1, run.stderr);
    assert.ok(r.cases.closed >= 1 && r.reports.replied >= 1, run.stderr);

    // The gateway counts the same, and every call of it is somewhere.
    await until("every call has ended", async () => (await counted(g, "jedel_calls_ended_total")) === r.calls.created);
    assert.equal(await counted(g, "jedel_calls_created_total"), r.calls.created);
    assert.equal(await counted(g, "jedel_queue_waiting_calls"), 0);
    const who = await signedIn(g, "supervisor");
    let cases = [];
    for (let next = ""; ; ) {
      const page = await ask(g, who, `/api/v1/cases?cursor=${encodeURIComponent(next)}`);
      cases = cases.concat(page.cases);
      next = page.next;
      if (!next) break;
    }
    assert.equal(cases.filter((c) => c.lane === "call").length, r.calls.created, "a case for each call");
    assert.equal(cases.filter((c) => c.lane === "report").length, r.reports.registered, "a case for each report");
    const closed = cases.filter((c) => c.status === "closed" && c.lane === "report" && !c.into);
    assert.ok(closed.length > 0);
    for (const c of closed) {
      await until(`${c.number} has its reply`, async () => (await ask(g, who, `/api/v1/cases/${c.case}`)).replies.some((x) => x.status === "closed" && x.text), 20000);
    }
    const patrols = (await ask(g, who, "/api/v1/patrols")).patrols;
    assert.deepEqual(patrols.filter((p) => p.state !== "off"), [], "all patrols are off duty");
    console.log(`${r.calls.created} calls, ${r.reports.registered} reports, ${r.patrols.onScene} arrivals, ${r.cases.closed} closed, ${r.reports.files} files in ${r.seconds.toFixed(0)} s`);
  } finally {
    await g.stop();
  }
});

test("ten reports of one fire are proposed as one event", async () => {
  const g = await gateway();
  try {
    const run = await callbot("centre", g.url, "--json", "--scene", "same-fire-10-reports", "--speed", "10", "--minutes", "0.25", "--cameras", "0", "--patrols", "0", "--seed", "4");
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal(run.report.reports.registered, 10, run.stderr);
    const who = await signedIn(g, "operator");
    const { cases } = await ask(g, who, "/api/v1/cases?open=1");
    assert.equal(cases.length, 10);
    const similar = (await ask(g, who, `/api/v1/cases/${cases[0].case}/similar`)).cases;
    assert.equal(similar.length, 9, "all the others");
    assert.ok(similar.every((c) => c.score > 0.35 && c.metres < 300));
  } finally {
    await g.stop();
  }
});

test("interrupted, everybody goes home: calls are hung up and patrols are off duty", async () => {
  const g = await gateway();
  const child = spawn(path.join(root, "bin/callbot"), ["centre", g.url, "--speed", "10", "--calls-per-hour", "60", "--reports-per-hour", "60", "--operators", "1", "--cameras", "0", "--seed", "5"],
    { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (b) => (log += b));
  child.stderr.on("data", (b) => (log += b));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  try {
    await until("somebody talks", () => /call \d+ +talking/.test(log), 40000);
    await until("a patrol is on duty", () => /patrol\d +on duty/.test(log), 20000);
    process.kill(child.pid, "SIGINT");
    const late = setTimeout(() => process.kill(child.pid, "SIGKILL"), 20000);
    const code = await ended;
    clearTimeout(late);
    assert.equal(code, 0, log);
    assert.match(log, /everybody goes home/);
    const who = await signedIn(g, "supervisor");
    assert.deepEqual((await ask(g, who, "/api/v1/patrols")).patrols.filter((p) => p.state !== "off"), []);
    await until("every call has ended", async () => (await counted(g, "jedel_calls_ended_total")) === (await counted(g, "jedel_calls_created_total")));
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, "SIGKILL");
    await g.stop();
  }
});
