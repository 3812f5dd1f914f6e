import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import { useConsole } from "./context";
import { Key, useShortcut } from "./Small";

/** The click that begins the work: it plays the bell, opens the microphone and makes the operator ready. */
export function OnDuty() {
  const { desk, seat } = useConsole();
  const shortcut = useShortcut("answer");
  const failed = ["denied", "none", "busy"].includes(seat.mic);
  return (
    <section class="panel onduty" aria-label={t("onduty")}>
      <button type="button" class="go huge" disabled={seat.starting} aria-keyshortcuts={shortcut} onClick={() => void startDuty(desk)}>
        {seat.starting ? t("onduty.starting") : t("onduty")} <Key act="answer" />
      </button>
      <p>{t("onduty.what")}</p>
      {failed && (
        <div role="alert">
          <p class="bad"><b>{t(`own.mic.${seat.mic}`)}</b></p>
          <p>{t(`own.mic.${seat.mic}.how`)}</p>
        </div>
      )}
    </section>
  );
}

/** Going on duty also asks, once, whether the system may show a ringing call. */
export function startDuty(desk: { goOnDuty(): Promise<void> }): Promise<void> {
  if ("Notification" in window && Notification.permission === "default") void Notification.requestPermission();
  return desk.goOnDuty();
}

/** How loud the microphone is now. It moves on its own, without redrawing the page. */
export function Meter() {
  const { desk, seat } = useConsole();
  const bar = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    if (seat.mic !== "on") return;
    const timer = setInterval(() => {
      if (bar.current) bar.current.value = seat.muted ? 0 : (desk.level?.read() ?? 0);
    }, 100);
    return () => clearInterval(timer);
  }, [seat.mic, seat.muted]);
  if (seat.mic !== "on") return null;
  return (
    <label class="meter">
      {t("onduty.level")} <meter ref={bar} min={0} max={1} value={0} />
    </label>
  );
}
