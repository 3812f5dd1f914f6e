import { resolve } from "node:path";
import { defineConfig } from "vite";

// One entry per page; each is served by the gateway under its own path, so assets are absolute.
// The development server forwards to a gateway on 8080.
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
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
      },
    },
  },
  server: { proxy: { "/api": "http://localhost:8080", "/ws": { target: "http://localhost:8080", ws: true } } },
});
