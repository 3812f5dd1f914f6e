import { t } from "../../lib/i18n";
import { timeOfDay } from "../clock";
import { Elapsed } from "../Small";
import type { CaseSending, CaseTold } from "./model";
import { statusName, useHand } from "./room";

/** Patrols, and what the citizen was told: when, by which way, and whether it arrived. */
export function Told() {
  const { view: c } = useHand();
  return (
    <>
      {c.sendings.length > 0 && (
        <section class="panel sendings" aria-label={t("cases.sendings")}>
          <h3>{t("cases.sendings")}</h3>
          <ul>{c.sendings.toReversed().map((s) => <Sending key={`${s.patrol}${s.atMs}`} s={s} />)}</ul>
        </section>
      )}
      <section class="panel told" aria-label={t("cases.told")}>
        <h3>{t("cases.told")}</h3>
        {c.repliedMs === 0 && <p class="warn">{t("cases.unanswered.long")}</p>}
        <ul>{c.replies.map((r) => <Reply key={`${r.atMs}${r.status}`} r={r} lane={c.lane} />)}</ul>
      </section>
    </>
  );
}

/** Pure: where a patrol stands, by its latest step. */
export function stepOf(s: CaseSending): { word: string; atMs: number } {
  if (s.endedMs) return { word: ["cleared", "recalled", "declined", "closed"].includes(s.why) ? s.why : "cleared", atMs: s.endedMs };
  if (s.onSceneMs) return { word: "on_scene", atMs: s.onSceneMs };
  if (s.enRouteMs) return { word: "en_route", atMs: s.enRouteMs };
  if (s.acceptedMs) return { word: "accepted", atMs: s.acceptedMs };
  return { word: s.late ? "late" : "assigned", atMs: s.atMs };
}

function Sending({ s }: { s: CaseSending }) {
  const step = stepOf(s);
  return (
    <li class={s.endedMs ? "hint" : ""}>
      <b>{s.name}</b> <span class={step.word === "late" ? "warn" : ""}>{t(`cases.step.${step.word}`)}</span> {s.endedMs ? timeOfDay(step.atMs) : <Elapsed since={step.atMs} />}
      <span class="hint"> {t("cases.sentby", { name: s.by, at: timeOfDay(s.atMs) })}{s.reason && ` · ${s.reason}`}</span>
    </li>
  );
}

const stages = ["queued", "sending", "sent", "delivered", "failed", "given_up"];
/** What a message may say of itself (internal/outbox), by the key of our words for it. */
const reasons: Record<string, string> = {
  "no channel": "no_channel", expired: "expired", "attempts used up": "attempts", "may have arrived": "doubt", "reported as failed": "reported", "no answer": "no_answer",
  "no subscription": "no_subscription", "no carrier": "no_channel",
};

function Reply({ r, lane }: { r: CaseTold; lane: string }) {
  const voice = lane === "call" && (r.status === "registered" || r.status === "in_work");
  const m = r.message;
  const bad = m !== undefined && (m.stage === "failed" || m.stage === "given_up");
  return (
    <li>
      <b>{statusName(r.status)}</b> <span class="hint">{timeOfDay(r.atMs)}</span>
      {r.text && <span class="text">«{r.text}»</span>}
      <span class={bad ? "how warn" : "how hint"}>
        {m && stages.includes(m.stage)
          ? `${m.channel ? t(`cases.by.${m.channel}`) : t("cases.by.none")}: ${t(`cases.stage.${m.stage}`)}${m.reason ? ` (${reasonOf(m.reason)})` : ""}, ${timeOfDay(m.atMs)}`
          : t(voice ? "cases.by.voice" : "cases.by.page")}
        {m && ` · ${t("cases.by.page")}`}
      </span>
    </li>
  );
}

/** Pure: why a message did not arrive, in words where we have them. */
function reasonOf(reason: string): string {
  const key = reasons[reason];
  return key ? t(`cases.reason.${key}`) : reason;
}
