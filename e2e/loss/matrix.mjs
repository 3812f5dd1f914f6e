// The loss matrix: node e2e/loss/matrix.mjs [--cells a,b] [--variants all,fec] [--seconds 20] [--settle 8] [--program jedel] [--label x]
// [--commit text] [--save name] [--keep dir] [--first: before the other work of the machine]. Prints a table per variant; --save keeps it as results/NAME-VARIANT.json and writes docs/LOSS.md.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as w from "../world.mjs";
import { cells, variants } from "./cells.mjs";
import { lane, measure, why } from "./lane.mjs";
import { markdown, print } from "./report.mjs";

const results = path.join(path.dirname(fileURLToPath(import.meta.url)), "results");
const { values: o } = parseArgs({ options: {
  cells: { type: "string" }, variants: { type: "string", default: "all" }, seconds: { type: "string", default: "20" },
  settle: { type: "string", default: "8" }, program: { type: "string" }, label: { type: "string", default: "Now" }, commit: { type: "string" }, save: { type: "string" }, keep: { type: "string" },
  first: { type: "boolean", default: false },
} });
const load = () => os.loadavg()[0].toFixed(1);
const commit = o.commit ?? execFileSync("git", ["log", "-1", "--format=%cs %h"], { cwd: w.root }).toString().trim();

/** A run of some cells replaces these in what was measured before; each of them says of which commit it is. */
function joined(file, set) {
  if (!o.cells || !fs.existsSync(file)) return set;
  const was = JSON.parse(fs.readFileSync(file, "utf8"));
  for (const [k, r] of Object.entries(set.cells)) was.cells[k] = { ...r, commit: set.commit, date: set.date };
  return was;
}

let l = await lane({ program: o.program, first: o.first });

async function run(name) {
  const v = variants[name];
  const set = { label: o.label, words: v.words, variant: name, commit, date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC", seconds: Number(o.seconds), settle: Number(o.settle),
    cores: os.cpus().length, load: [load()], cells: {} };
  for (const c of o.cells?.split(",") ?? cells.map((x) => x.name)) {
    const cell = cells.find((x) => x.name === c);
    if (!cell) throw new Error(`no cell ${c}`);
    try {
      set.cells[c] = await measure(l, cell, { strip: v.strip, settle: set.settle, seconds: set.seconds, keep: o.keep });
    } catch (e) {
      set.cells[c] = { error: why(e) };
      await l.close(); // what a failed call has left may be in the way of the next
      l = await lane({ program: o.program, first: o.first });
    }
    print({ ...set, cells: { [c]: set.cells[c] } });
  }
  set.load.push(load());
  return set;
}

try {
  for (const name of o.variants.split(",")) {
    const set = await run(name);
    print(set);
    const file = path.join(results, `${o.save}-${name}.json`);
    if (o.save) fs.writeFileSync(file, JSON.stringify(joined(file, set), (k, v) => (typeof v === "number" ? Math.round(v * 1e4) / 1e4 : v), 1) + "\n");
  }
} finally {
  await l.close();
}
if (o.save) {
  const order = Object.keys(variants);
  const sets = fs.readdirSync(results).filter((n) => n.endsWith(".json")).map((n) => JSON.parse(fs.readFileSync(path.join(results, n), "utf8")));
  sets.sort((a, b) => (a.label === b.label ? order.indexOf(a.variant) - order.indexOf(b.variant) : a.label < b.label ? -1 : 1));
  fs.writeFileSync(path.join(w.root, "docs/LOSS.md"), markdown(sets));
}
process.exit(0);
