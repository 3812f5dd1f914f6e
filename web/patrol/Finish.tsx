import { useState } from "preact/hooks";
import type { Lang } from "../lib/i18n";
import { t } from "../lib/i18n";
import { usePage } from "./parts";
import type { CaseView } from "./rest";

const known = (l: string): Lang => (l === "ru" || l === "en" ? l : "kk");

/** How a task ends: with words for the case, and either the case stays open with the centre, or it is closed
 * here with an outcome and the reply that its citizen gets. */
export function Finish({ task, onDone }: { task: CaseView; onDone: () => void }) {
  const { work, language } = usePage();
  const [note, setNote] = useState("");
  const [close, setClose] = useState(false);
  const [outcome, setOutcome] = useState("");
  const [reply, setReply] = useState("");
  const theirs = known(task.citizen.lang);
  const alone = task.sendings.filter((s) => s.endedMs === 0).length <= 1;
  const there = work.step === "on_scene";
  const pick = (code: string) => {
    setOutcome(code);
    setReply(work.choices.outcomes.find((o) => o.code === code)?.reply[theirs] ?? "");
  };
  const send = async () => {
    if (note.trim()) await work.note(note);
    if (close) await work.finish(outcome, reply);
    else await work.say("cleared");
    onDone();
  };
  return (
    <form class="panel sheet" onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <h2>{t("finish")}</h2>
      <label class="field">{t("finish.note")}<textarea rows={3} maxLength={2000} value={note} onInput={(e) => setNote(e.currentTarget.value)} /></label>
      <div class="two" role="group" aria-label={t("finish.how")}>
        <button type="button" class="big" aria-pressed={!close} onClick={() => setClose(false)}>{t("finish.clear")}</button>
        <button type="button" class="big" aria-pressed={close} disabled={!there || !alone} onClick={() => setClose(true)}>{t("finish.close")}</button>
      </div>
      {!there && <p class="hint">{t("close.notthere")}</p>}
      {there && !alone && <p class="hint">{t("close.notalone")}</p>}
      {close && (
        <>
          <label class="field">
            {t("finish.outcome")}
            <select required value={outcome} onChange={(e) => pick(e.currentTarget.value)}>
              <option value="">…</option>
              {work.choices.outcomes.map((o) => <option key={o.code} value={o.code}>{o.name[language]}</option>)}
            </select>
          </label>
          <label class="field">{t("finish.reply", { lang: t(`lang.${theirs}`) })}<textarea rows={4} required maxLength={1000} value={reply} onInput={(e) => setReply(e.currentTarget.value)} /></label>
        </>
      )}
      <button type="submit" class="huge go" disabled={close && (!outcome || !reply.trim())}>{t(close ? "finish.close.do" : "finish.clear.do")}</button>
      <button type="button" class="big" onClick={onDone}>{t("back")}</button>
    </form>
  );
}
