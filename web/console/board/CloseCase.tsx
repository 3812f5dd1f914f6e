import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { useBoard } from "./context";

/** Closes the case with an outcome and the reply to its citizen; the patrols are free once it is settled. */
export function CloseCase() {
  const { choices, close, state } = useBoard();
  const { lang } = useConsole();
  const [open, setOpen] = useState(false);
  const [outcome, setOutcome] = useState("");
  const [text, setText] = useState("");
  const citizen = state.view?.citizen.lang ?? lang;
  const pick = (code: string) => {
    setOutcome(code);
    const reply = choices.outcomes.find((o) => o.code === code)?.reply;
    setText(reply ? reply[citizen] || reply.ru : "");
  };
  if (!open) return <p><button type="button" class="small" aria-expanded={false} onClick={() => setOpen(true)}>{t("board.close")}</button></p>;
  return (
    <form class="closecase" onSubmit={(e) => { e.preventDefault(); void close(outcome, text.trim()).then((ok) => ok && setOpen(false)); }}>
      <label class="field">
        {t("board.outcome")}
        <select required value={outcome} onChange={(e) => pick(e.currentTarget.value)}>
          <option value="">{t("board.outcome.choose")}</option>
          {choices.outcomes.map((o) => <option key={o.code} value={o.code}>{o.name[lang] || o.name.ru}</option>)}
        </select>
      </label>
      <label class="field">{t("board.reply")}<textarea required rows={3} maxLength={4000} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
      <p class="row">
        <button type="submit" class="go" disabled={!outcome || !text.trim()}>{t("board.closeit")}</button>
        <button type="button" onClick={() => setOpen(false)}>{t("board.cancel")}</button>
        <span class="hint">{t("board.closehint")}</span>
      </p>
    </form>
  );
}
