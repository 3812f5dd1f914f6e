// Keeps the caller's page on the phone: it opens at once, and without a network it still shows the
// number to dial. Only the page and its files are kept; nothing of a call ever is. The build writes
// the list, so that the first visit is kept whole and a new build takes the place of the old one.
const shell = __SHELL__;
const shelf = `jedel-shell-${shell.version}`;
const kept = new Set(shell.files);

self.addEventListener("install", (e) => e.waitUntil(caches.open(shelf).then((c) => c.addAll(shell.files)).then(() => self.skipWaiting())));
self.addEventListener("activate", (e) =>
  e.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((n) => n.startsWith("jedel-shell-") && n !== shelf).map((n) => caches.delete(n))))
      .then(() => self.clients.claim()),
  ),
);
self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== location.origin || !kept.has(url.pathname)) return;
  e.respondWith(caches.open(shelf).then((c) => c.match(url.pathname)).then((r) => r ?? fetch(e.request)));
});
