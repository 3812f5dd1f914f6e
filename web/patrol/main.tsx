import { render } from "preact";
import { lang, loadLocale } from "../lib/i18n";
import { App } from "./App";
import "./patrol.css";

const root = document.getElementById("app");
if (root) {
  await loadLocale("patrol", lang());
  render(<App />, root);
}
if ("serviceWorker" in navigator && location.protocol !== "file:") void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
