// Builds the page of anonymous tips into a folder of its own, dist/tip: it shares no file with other
// pages, asks for one script and one style, and has nothing by which it could keep anything.
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const limit = 80 * 1024;
const out = resolve(import.meta.dirname, "dist/tip");
await build({
  configFile: false,
  root: import.meta.dirname,
  publicDir: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: resolve(import.meta.dirname, "tip.html"), output: { codeSplitting: false } },
  },
});
const files = ["tip.html", ...readdirSync(`${out}/assets`).map((f) => `assets/${f}`)];
if (files.length !== 3) throw new Error(`the page of tips has ${files.length} files, not a page, a script and a style: ${files}`);
let total = 0;
for (const f of files) {
  const raw = readFileSync(`${out}/${f}`);
  total += gzipSync(raw, { level: 9 }).length;
  const keeps = /localStorage|sessionStorage|indexedDB|serviceWorker|document\.cookie|caches\.|sendBeacon|https?:\/\/(?!kk\.wikipedia\.org\/|www\.w3\.org\/)[a-z]/.exec(raw.toString());
  if (keeps) throw new Error(`${f} could keep or tell something: ${keeps[0]}`);
}
console.log(`page of tips, gzip: ${total} B of ${limit} B`);
if (total > limit) throw new Error("the page of tips is over its budget");
