import { render } from "preact";
import { lang, loadLocale } from "../lib/i18n";
import { App } from "./App";
import "./admin.css";

const root = document.getElementById("app");
if (root) {
  await loadLocale("admin", lang());
  render(<App />, root);
}
