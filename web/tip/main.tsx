import { render } from "preact";
import { App } from "./App";
import { wipe } from "./leave";
import "./tip.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
// Going away leaves nothing for whoever presses Back.
addEventListener("pagehide", wipe);
addEventListener("pageshow", (e) => {
  if (e.persisted) location.reload();
});
