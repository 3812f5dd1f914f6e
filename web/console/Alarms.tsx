import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { PatrolAlarm } from "../lib/wire.gen";
import { coordinates } from "../map/geo";
import { useConsole } from "./context";
import { answerAlarm, RestError } from "./rest";
import { Age, Copy } from "./Small";

/** The key that answers the oldest call for help. It is fixed: it must work at every seat. */
const answerKey = { code: "F2", name: "Ctrl+F2" };

/** Who may answer. */
const answerers = ["operator", "dispatcher", "supervisor"];

/** Calls for help of patrols, above everything, with a sound until somebody has answered. */
export function Alarms() {
  const { view, desk } = useConsole();
  const list = view.state?.alarms ?? [];
  const open = list.filter((a) => !a.by);
  const [failed, setFailed] = useState("");
  const may = view.staff?.roles.some((r) => answerers.includes(r)) ?? false;
  const first = open[0];
  const key = first ? first.patrol + first.ref : "";
  useEffect(() => {
    if (!key) return;
    desk.ringer.play("alarm");
    const timer = setInterval(() => desk.ringer.play("alarm"), 2000);
    return () => clearInterval(timer);
  }, [key]);
  const answer = (a: PatrolAlarm) => {
    setFailed("");
    answerAlarm(a.patrol, a.ref).catch((err) => setFailed(err instanceof RestError ? err.code : "internal"));
  };
  useEffect(() => {
    if (!first || !may) return;
    const down = (e: KeyboardEvent) => {
      if (e.code !== answerKey.code || !e.ctrlKey || e.altKey || e.shiftKey || e.repeat) return;
      e.preventDefault();
      answer(first);
    };
    addEventListener("keydown", down, true);
    return () => removeEventListener("keydown", down, true);
  }, [key, may]);
  if (list.length === 0) return null;
  return (
    <section class="alarms" aria-label={t("alarm.name")}>
      {list.map((a) => (
        <div key={a.patrol + a.ref} class={a.by ? "alarm answered" : "alarm"} role={a.by ? "status" : "alert"}>
          <b>{t("alarm.of", { name: a.name })}</b> <Age at={a.atMs} />
          {a.lat !== undefined && a.lon !== undefined
            ? <span class="row"><b class="digits">{coordinates({ lat: a.lat, lon: a.lon })}</b> ±{Math.round(a.accuracyM)} {t("unit.m")} <Copy text={coordinates({ lat: a.lat, lon: a.lon })} name={t("copy.coordinates")} /></span>
            : <span>{t("alarm.nowhere")}</span>}
          {a.number && <span>№ {a.number}</span>}
          <span class="grow" />
          {a.by ? <span>{t("alarm.answered", { name: a.by })}</span> : may && (
            <button type="button" class="big" aria-keyshortcuts="Control+F2" onClick={() => answer(a)}>{t("alarm.answer")} {a === first && <kbd aria-hidden="true">{answerKey.name}</kbd>}</button>
          )}
        </div>
      ))}
      {failed && <p class="alarm" role="alert">{t("alarm.failed", { code: failed })}</p>}
    </section>
  );
}
