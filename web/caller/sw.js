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

// A notice says that there is news and of which number, never what and never whose: others may see the
// screen. A tap opens the page's own list.
const news = { kk: "Жаңалық бар", ru: "Есть новости", en: "There is news" };

function told(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

self.addEventListener("push", (e) => {
  const n = told(e.data);
  const lang = news[n.lang] ? n.lang : "kk";
  const number = /^[0-9A-Za-z-]{1,32}$/.test(n.number) ? n.number : "";
  e.waitUntil(self.registration.showNotification(news[lang], { body: number && `№ ${number}`, lang, tag: number || "news", renotify: true, data: { url: "/#mine" } }));
});
self.addEventListener("notificationclick", (e) => {
  e.notification.close();
  const url = e.notification.data?.url ?? "/#mine";
  const at = new URL(url, location.origin).pathname;
  e.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((all) => {
      const there = all.find((c) => new URL(c.url).pathname === at);
      if (!there) return self.clients.openWindow(url);
      there.postMessage({ open: url }); // a page in a call is not loaded anew
      return there.focus();
    }),
  );
});
