import { render } from "preact";
import { lang, loadLocale } from "../lib/i18n";
import { Peer } from "../lib/peer";
import { Session } from "../lib/socket";
import "./console.css";
import { App } from "./App";
import type { Lang } from "./context";
import { Desk } from "./desk";

/** The desk of this tab over a real session and real devices. */
function makeDesk(pageLang: Lang): Desk {
  const session = new Session({ role: "console", lang: pageLang, storage: sessionStorage, agent: "jedel-console" });
  return new Desk({
    session,
    makePeer: () => new Peer(session, "console"),
    devices: navigator.mediaDevices,
    tab: sessionStorage,
    now: () => Date.now(),
  });
}

const root = document.getElementById("app");
if (root) {
  await loadLocale("console", lang());
  render(<App makeDesk={makeDesk} loadTexts={(next) => loadLocale("console", next)} />, root);
}
