// Prints what the caller's page weighs before a call and fails above the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
const limit = 60 * 1024;
const first = 14 * 1024;
const size = (f) => gzipSync(readFileSync(f), { level: 9 }).length;
const html = readFileSync("dist/index.html", "utf8");
const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => `dist${m[1]}`);
const own = files.map((f) => [f, size(f)]);
const entry = readFileSync(files.find((f) => f.endsWith(".js")) ?? "", "utf8");
const texts = [...entry.matchAll(/assets\/((?:kk|ru|en)[^"'`]*\.js)/g)].map((m) => m[1]);
const page = size("dist/index.html");
let total = page + own.reduce((n, [, b]) => n + b, 0);
console.log(`caller page, gzip: html ${page} B`);
for (const [f, b] of own) console.log(`  ${f.replace("dist/assets/", "")} ${b} B`);
console.log(`before the call without texts: ${total} B of ${limit} B; first flight aim ${first} B${texts.length ? "" : ""}`);
const map = files.filter((f) => /live|maplibre|pick|Pin|geo-|MapView/.test(f));
if (map.length > 0) {
  console.error(`a map is loaded before anybody asks for it: ${map}`);
  process.exit(1);
}
if (total > limit) {
  console.error("the caller page is over its budget");
  process.exit(1);
}
