import { render } from "preact";
import { lang, loadLocale } from "../lib/i18n";
import { App, leave } from "./App";
import { Caller } from "./caller";
import { cameBack } from "./store";
import "./caller.css";

// The socket opens and the transport warms before anything is drawn: the tap must cost one message.
const caller = new Caller(lang());
const back = cameBack();
if (back) leave();
else caller.start();

const root = document.getElementById("app");
if (root && !back) {
  await loadLocale("caller", lang());
  root.replaceChildren();
  render(<App caller={caller} />, root);
  // A tap before the script ran has reloaded the page with this wish.
  if (new URLSearchParams(location.search).get("call")) {
    history.replaceState(null, "", "/");
    void caller.tap("video");
  }
}
if ("serviceWorker" in navigator && location.protocol !== "file:") void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
