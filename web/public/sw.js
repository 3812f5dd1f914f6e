// Keeps the caller's page on the phone: it opens at once, and without a network it still shows the
// number to dial. Only the page and its files are kept; nothing of a call ever is.
const shelf = "jedel-shell-1";
self.addEventListener("install", (e) => e.waitUntil(caches.open(shelf).then((c) => c.addAll(["/", "/icon.svg"])).then(() => self.skipWaiting())));
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== location.origin) return;
  const page = url.pathname === "/";
  if (!page && !url.pathname.startsWith("/assets/") && url.pathname !== "/icon.svg") return;
  e.respondWith(
    caches.open(shelf).then(async (c) => {
      const kept = await c.match(page ? "/" : e.request);
      const fresh = fetch(e.request).then((r) => {
        if (r.ok) void c.put(page ? "/" : e.request, r.clone());
        return r;
      });
      if (!kept) return fresh;
      // Files of the build have their content in their name; the page is shown as it was and
      // renewed for the next time.
      fresh.catch(() => undefined);
      return kept;
    }),
  );
});
