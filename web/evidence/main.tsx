import { render } from "preact";
import { lang, loadLocale } from "../lib/i18n";
import { App } from "./App";
import "./evidence.css";

const root = document.getElementById("app");
if (root) {
  await loadLocale("evidence", lang());
  render(<App />, root);
}
