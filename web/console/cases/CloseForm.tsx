import { useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { replyOf } from "./caseDrafts";
import { open } from "./model";
import { useHand, useRoom } from "./room";

/** Closing a case: an outcome, and what its citizen is told, in their language. Without a reply nothing is closed. */
export function CloseForm() {
  const { view: c, mayEdit } = useHand();
  const [shown, setShown] = useState(false);
  if (!open(c) || !mayEdit) return null;
  return (
    <section class="panel caseclose" aria-label={t("cases.close")}>
      {shown ? <Form onDone={() => setShown(false)} /> : <button type="button" class="big" onClick={() => setShown(true)}>{t("cases.close")}…</button>}
    </section>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const { lang } = useConsole();
  const { choices } = useRoom();
  const { view: c, act, draft: d, write } = useHand();
  const [tried, setTried] = useState(false);
  const [sending, setSending] = useState(false);
  const text = useRef<HTMLTextAreaElement>(null);
  const theirs = (["kk", "ru", "en"] as const).find((l) => l === c.citizen.lang) ?? "kk";
  const usual = choices.outcomes.map((o) => ({ code: o.code, reply: o.reply[theirs] }));
  const outcome = d.outcome ?? "";
  const reply = d.reply ?? "";
  const pick = (code: string) => write({ outcome: code, reply: replyOf(d.reply, code, usual) });
  const send = async () => {
    setTried(true);
    if (!outcome || !reply.trim()) {
      if (outcome) text.current?.focus();
      return;
    }
    setSending(true);
    const ok = await act({ act: "close", outcome, text: reply.trim(), version: c.version });
    setSending(false);
    if (!ok) return;
    write({ outcome: "", reply: "" });
    onDone();
  };
  return (
    <form onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <fieldset class="chips">
        <legend>{t("outcome")} {tried && !outcome && <span class="bad" role="alert">{t("cases.close.outcome")}</span>}</legend>
        {choices.outcomes.map((o) => (
          <label key={o.code} class={o.code === outcome ? "chip on" : "chip"}>
            <input type="radio" name="caseoutcome" value={o.code} checked={o.code === outcome} onChange={() => pick(o.code)} />{o.name[lang]}
          </label>
        ))}
      </fieldset>
      <label class="field">{t("cases.close.reply", { lang: t(`lang.${theirs}`) })}
        <textarea ref={text} rows={3} maxLength={2000} lang={theirs} value={reply} aria-invalid={tried && !reply.trim()} onInput={(e) => write({ reply: e.currentTarget.value })} />
      </label>
      {tried && !reply.trim() && <p class="bad" role="alert">{t("cases.close.noreply")}</p>}
      {c.merged.length > 0 && <p class="warn">{t("cases.close.others", { n: c.merged.length })}</p>}
      <p class="hint">{t("cases.close.when")}</p>
      <p class="row">
        <button type="submit" class="go" disabled={sending}>{t("cases.close.send")}</button>
        <button type="button" onClick={onDone}>{t("cases.cancel")}</button>
      </p>
    </form>
  );
}
