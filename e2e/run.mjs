// Runs the browser tests, two files beside each other, since most of what they do is to wait; those that time what they see or load
// the machine run alone. They are measured in real time on machines that are shared: a file that fails is run once more at the end,
// alone, and both outcomes stand in the output. Passing the second time is a reason to look at the test, failing twice is a failure.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const ending = ".test.mjs";
const alone = new Set(["blocked", "caller", "clients", "guests", "line", "load", "path", "story", "thin", "tune"].map((n) => n + ending));
const lanes = os.availableParallelism() > 1 && process.env.SPEEDS !== "hold" ? 2 : 1; // goals of speed are held one at a time
const took = new Map(); // seconds, by file

/** Runs a file and prints what it said in one piece; true where it passed. */
function passes(file) {
  const began = Date.now();
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=400000", file], { cwd: here, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const out of [child.stdout, child.stderr]) out.on("data", (b) => said.push(b));
  return new Promise((resolve) =>
    child.once("close", (code) => {
      const s = (Date.now() - began) / 1000;
      took.set(file, (took.get(file) ?? 0) + s);
      process.stdout.write(`== ${file} ${code === 0 ? "passed" : "FAILED"} in ${s.toFixed(0)} s\n${Buffer.concat(said)}`);
      resolve(code === 0);
    }),
  );
}

/** The files that failed, so many lanes beside each other. */
async function run(files, lanes) {
  const left = [...files];
  const failed = [];
  const lane = async () => {
    for (let f = left.shift(); f; f = left.shift()) if (!(await passes(f))) failed.push(f);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return failed;
}

const wanted = process.argv.slice(2);
const size = (n) => fs.statSync(path.join(here, n)).size;
const files = fs.readdirSync(here).filter((n) => n.endsWith(ending) && (wanted.length === 0 || wanted.some((w) => n.startsWith(w))))
  .sort((a, b) => size(b) - size(a)); // the long ones first, so that no lane ends long before the other
if (files.length === 0) throw new Error(`no test begins with ${wanted.join(" or ")}`);
const once = [...(await run(files.filter((n) => !alone.has(n)), lanes)), ...(await run(files.filter((n) => alone.has(n)), 1))];
if (once.length > 0) console.log(`== FAILED ONCE, run again: ${once.join(" ")}`);
const twice = await run(once, 1);
console.log(`== ${[...took].sort((a, b) => b[1] - a[1]).map(([n, s]) => `${n.slice(0, -ending.length)} ${s.toFixed(0)} s`).join(", ")}`);
console.log(`== ${files.length} files of browser tests, ${once.length} failed once, ${twice.length} failed twice ${twice.join(" ")}`);
process.exitCode = twice.length > 0 ? 1 : 0;
