// Builds the page of a copy on a disk: one file, dist/viewer.html, that fetches nothing.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "vite";

const limit = 600 * 1024;
const { output } = [
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      write: false,
      target: "es2022",
      cssCodeSplit: false,
      modulePreload: false,
      rolldownOptions: { input: resolve(import.meta.dirname, "viewer/main.tsx"), output: { codeSplitting: false } },
    },
  }),
].flat()[0];
const code = output.filter((o) => o.type === "chunk");
const styles = output.filter((o) => o.type === "asset" && o.fileName.endsWith(".css"));
if (code.length !== 1) throw new Error(`the viewer fell into ${code.length} files: ${code.map((c) => c.fileName)}`);
const script = code[0].code.replaceAll("</script", "<\\/script");
const html = `<!doctype html>
<html lang="kk">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; media-src 'self' file:; img-src 'self' file:">
<title>Jedel</title>
<style>${styles.map((s) => s.source).join("\n")}</style>
</head>
<body>
<div id="app"></div>
<script id="data" type="application/json">null</script>
<script type="module">${script}</script>
</body>
</html>
`;
if (html.length > limit) throw new Error(`the viewer has ${html.length} bytes, its limit is ${limit}`);
writeFileSync(resolve(import.meta.dirname, "dist/viewer.html"), html);
console.log(`viewer, one file: ${html.length} B`);
