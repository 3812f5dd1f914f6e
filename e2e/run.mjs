// Runs the browser tests, a file at a time. They are measured in real time on machines that are shared: a
// file that fails is run once more at the end, and both outcomes stand in the output. Passing the second time is a reason
// to look at the test, failing twice is a failure.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = fs.readdirSync(here).filter((n) => n.endsWith(".test.mjs") && (wanted.length === 0 || wanted.some((w) => n.startsWith(w)))).sort();

/** The files that failed. */
function run(list) {
  return list.filter((n) => {
    console.log(`== ${n}`);
    return spawnSync(process.execPath, ["--test", "--test-concurrency=1", "--test-timeout=400000", n], { cwd: here, stdio: "inherit" }).status !== 0;
  });
}

if (files.length === 0) throw new Error(`no test begins with ${wanted.join(" or ")}`);
const once = run(files);
if (once.length > 0) console.log(`== FAILED ONCE, run again: ${once.join(" ")}`);
const twice = run(once);
console.log(`== ${files.length} files of browser tests, ${once.length} failed once, ${twice.length} failed twice ${twice.join(" ")}`);
process.exitCode = twice.length > 0 ? 1 : 0;
