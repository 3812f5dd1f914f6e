import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Finish } from "./Finish";
import { usePage } from "./parts";
import type { CaseView } from "./rest";
import { buttons, mayDecline, standing } from "./words";

/** The four words of a task: the sensible next one is large and coloured, what was said is ticked. */
export function Buttons({ task }: { task: CaseView }) {
  const { work } = usePage();
  const [sheet, open] = useState<"" | "finish" | "decline">("");
  const step = work.step;
  if (step === "over") return <p class="banner" role="status">{t("over.waits")}</p>;
  if (sheet === "finish") return <Finish task={task} onDone={() => open("")} />;
  if (sheet === "decline") return <Decline onDone={() => open("")} />;
  return (
    <section class="words" aria-label={t("words")}>
      {buttons.map((word) => {
        const how = standing(step, word);
        return (
          <button
            key={word} type="button" class="word" data-word={word} data-how={how} disabled={how === "done"}
            onClick={() => (word === "cleared" ? open("finish") : void work.say(word))}
          >
            {how === "done" && <span aria-hidden="true">✓ </span>}{t(how === "done" ? `said.${word}` : `say.${word}`)}
          </button>
        );
      })}
      {mayDecline(step) && <button type="button" class="decline" onClick={() => open("decline")}>{t("say.declined")}</button>}
    </section>
  );
}

/** A task is declined with a reason, which goes onto the card. */
function Decline({ onDone }: { onDone: () => void }) {
  const { work } = usePage();
  const [why, setWhy] = useState("");
  return (
    <form class="panel sheet" onSubmit={(e) => { e.preventDefault(); void work.say("declined", `${t("declined.note")}: ${why}`).then(onDone); }}>
      <h2>{t("declined.why")}</h2>
      <div class="two">
        {["busy", "far", "vehicle", "other"].map((k) => (
          <button key={k} type="button" class="big" aria-pressed={why === t(`declined.${k}`)} onClick={() => setWhy(t(`declined.${k}`))}>{t(`declined.${k}`)}</button>
        ))}
      </div>
      <label class="field">{t("declined.words")}<input value={why} maxLength={200} onInput={(e) => setWhy(e.currentTarget.value)} /></label>
      <button type="submit" class="huge stop" disabled={!why.trim()}>{t("say.declined")}</button>
      <button type="button" class="big" onClick={onDone}>{t("back")}</button>
    </form>
  );
}
