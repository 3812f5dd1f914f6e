import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { useConsole, words } from "./context";
import { duration } from "./clock";
import { live } from "./view";

/** What needs an act of the operator, above everything: own link lost, sound that waits for a click. */
export function Banners() {
  const { view, seat, desk } = useConsole();
  const [lostAt, setLostAt] = useState<number>();
  const [now, setNow] = useState(desk.now);
  const lost = seat.link === "lost" || (seat.link === "connecting" && view.known);
  useEffect(() => {
    if (!lost) return setLostAt(undefined);
    setLostAt(desk.now);
    const timer = setInterval(() => setNow(desk.now), 1000);
    return () => clearInterval(timer);
  }, [lost]);
  useEffect(() => {
    if (!seat.silent) return;
    const any = () => void desk.unlock(); // whatever is pressed first will do
    window.addEventListener("pointerdown", any);
    window.addEventListener("keydown", any);
    return () => {
      window.removeEventListener("pointerdown", any);
      window.removeEventListener("keydown", any);
    };
  }, [seat.silent]);
  return (
    <>
      {lost && lostAt !== undefined && (
        <div class="banner bad" role="alert">
          <b>{t("lost")}</b> <span class="clock" aria-hidden="true">{duration(Math.max(0, now - lostAt))}</span>{" "}
          {live(view.card) ? t("lost.call") : t("lost.idle")}
        </div>
      )}
      {seat.silent && (
        <div class="banner warn" role="alert">
          {t("silent.sound")} <button type="button" onClick={() => void desk.unlock()}>{t("silent.unlock")}</button>
        </div>
      )}
    </>
  );
}

/** How long a line stays: long enough to take something back. */
const stayMs = 10_000;

/** The last thing said to the person, with its undo. */
export function ToastLine() {
  const { seat, desk, lang } = useConsole();
  const toast = seat.toast;
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => desk.hush(toast.id), stayMs);
    return () => clearTimeout(timer);
  }, [toast?.id]);
  return (
    <div class="toastplace" role={toast?.bad ? "alert" : "status"}>
      {toast && (
        <p class={toast.bad ? "toast bad" : "toast"}>
          {words(toast.words, lang)}
          {toast.undo && <button type="button" class="small" onClick={toast.undo}>{t("undo")}</button>}
          <button type="button" class="small" onClick={() => desk.hush(toast.id)}>{t("close")}</button>
        </p>
      )}
    </div>
  );
}

/** A newer tab took over: this one says so and stops. */
export function Replaced() {
  return (
    <main class="replaced">
      <div role="alert">
        <h1>{t("replaced")}</h1>
        <p>{t("replaced.what")}</p>
      </div>
      <button type="button" class="big" onClick={() => location.reload()}>{t("replaced.here")}</button>
    </main>
  );
}
