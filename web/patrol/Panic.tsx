import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { timeOf, usePage } from "./parts";

const holdMs = 1000;

/** The call for help: held for a second, tried until the centre has it, and then who has answered. */
export function Panic() {
  const { work, language } = usePage();
  const [holding, hold] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const help = work.help;
  const begin = () => {
    clearTimeout(timer.current);
    hold(true);
    navigator.vibrate?.(50);
    timer.current = setTimeout(() => {
      hold(false);
      navigator.vibrate?.([100, 50, 100]);
      help.raise();
    }, holdMs);
  };
  const end = () => {
    clearTimeout(timer.current);
    hold(false);
  };
  const key = (e: KeyboardEvent, down: boolean) => {
    if (e.code !== "Enter" && e.code !== "Space") return;
    e.preventDefault();
    if (!down) end();
    else if (!e.repeat) begin();
  };
  const a = help.alarm;
  return (
    <section class="panic" aria-label={t("alarm")}>
      {help.waiting && <p class="bad" role="alert">{t(help.unheard ? "alarm.lost" : "alarm.sending")}</p>}
      {!help.waiting && a && <p class={a.by ? "ok" : "bad"} role="status">{a.by ? t("alarm.answered", { name: a.by, at: timeOf(a.answeredMs, language) }) : t("alarm.there", { at: timeOf(a.atMs, language) })}</p>}
      <button
        type="button" data-holding={holding} onPointerDown={begin} onPointerUp={end} onPointerCancel={end} onPointerLeave={end} onBlur={end} onContextMenu={(e) => e.preventDefault()}
        onKeyDown={(e) => key(e, true)} onKeyUp={(e) => key(e, false)}
      >
        {t(holding ? "alarm.holding" : "alarm.hold")}
      </button>
    </section>
  );
}
