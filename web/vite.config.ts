import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** Writes sw.js with the list of what the caller's page is made of: its entry, what that imports at
 * once, its style and its texts. */
function shell(): Plugin {
  return {
    name: "jedel-shell",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = new Set(["/", "/icon.svg"]);
        const content = createHash("sha256");
        const add = (name: string): void => {
          const chunk = bundle[name];
          if (chunk?.type !== "chunk" || files.has(`/${name}`)) return;
          files.add(`/${name}`);
          for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(`/${css}`);
          chunk.imports.forEach(add);
        };
        for (const [name, file] of Object.entries(bundle)) {
          if (file.type !== "chunk") continue;
          if ((file.isEntry && file.name === "caller") || /\/(locales\/(caller|lane)|caller\/report)\//.test(file.facadeModuleId ?? "")) add(name);
        }
        for (const f of [...files].sort()) content.update(f);
        content.update(readFileSync(resolve(import.meta.dirname, "index.html")));
        const list = JSON.stringify({ version: content.digest("hex").slice(0, 12), files: [...files] });
        const source = readFileSync(resolve(import.meta.dirname, "caller/sw.js"), "utf8").replace("__SHELL__", list);
        this.emitFile({ type: "asset", fileName: "sw.js", source });
      },
    },
  };
}

// One entry per page; each is served by the gateway under its own path, so assets are absolute.
// The development server forwards to a gateway on 8080.
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [shell()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy knows no data: scripts
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        caller: resolve(import.meta.dirname, "index.html"),
        console: resolve(import.meta.dirname, "console.html"),
        evidence: resolve(import.meta.dirname, "evidence.html"),
        admin: resolve(import.meta.dirname, "admin.html"),
        patrol: resolve(import.meta.dirname, "patrol.html"),
      },
    },
  },
  server: { proxy: { "/api": "http://localhost:8080", "/ws": { target: "http://localhost:8080", ws: true } } },
});
