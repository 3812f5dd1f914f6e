import { useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { type Access, accesses, opening } from "./rest";

const kept = "jedel.evidence.case";
const reasons = ["investigation", "court", "complaint", "quality", "other"];

/** Nothing of a recording is shown before somebody has said why; it is kept with their name. */
export function Why({ call, done }: { call: string; done: () => void }) {
  const [forCase, setCase] = useState(sessionStorage.getItem(kept) ?? "");
  const [reason, setReason] = useState("investigation");
  const [more, setMore] = useState("");
  const [wrong, setWrong] = useState("");
  return (
    <form
      class="panel signin why"
      onSubmit={(e) => {
        e.preventDefault();
        sessionStorage.setItem(kept, forCase.trim());
        opening(call, forCase, more.trim() ? `${t(`why.${reason}`)}: ${more.trim()}` : t(`why.${reason}`)).then(done, (err) => setWrong(saying(err)));
      }}
    >
      <h1>{t("why.title")}</h1>
      <p class="hint">{t("why.kept")}</p>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <label>{t("why.case")}<input name="case" required maxLength={64} value={forCase} onInput={(e) => setCase(e.currentTarget.value)} /></label>
      <label>
        {t("why.reason")}
        <select name="reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)}>
          {reasons.map((r) => <option key={r} value={r}>{t(`why.${r}`)}</option>)}
        </select>
      </label>
      <label>{t("why.more")}<input name="more" maxLength={300} required={reason === "other"} value={more} onInput={(e) => setMore(e.currentTarget.value)} /></label>
      <button type="submit" class="go">{t("why.open")}</button>
      <a class="button" href="#">{t("back")}</a>
    </form>
  );
}

/** Who has looked at this recording, and why. */
export function Accesses({ call, language }: { call: string; language: Lang }) {
  const [list, setList] = useState<Access[] | null>(null);
  const [wrong, setWrong] = useState("");
  return (
    <details
      class="panel accesses"
      onToggle={(e) => {
        if (e.currentTarget.open) accesses(call).then((r) => setList(r.accesses), (err) => setWrong(saying(err)));
      }}
    >
      <summary>{t("access.title")}</summary>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {list?.length === 0 && <p>{t("access.none")}</p>}
      {list && <AccessList list={list} language={language} />}
    </details>
  );
}

export function AccessList({ list, language }: { list: Access[]; language: Lang }) {
  const when = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <ul>
      {list.map((a, i) => (
        <li key={`${a.atMs}-${i}`}>
          <time class="digits">{when.format(a.atMs)}</time> <b>{a.name || t("keep.schedule")}</b> {t(`access.${a.action.replace(/ (refused|gone)$/, "")}`)}
          {a.action.endsWith(" refused") && <span class="bad"> {t(/^(hold|keep|delete)/.test(a.action) ? "access.denied" : "access.refused")}</span>}
          {a.action.endsWith(" gone") && <span class="bad"> {t("access.gone")}</span>} {a.detail && <span>«{a.detail}»</span>}
        </li>
      ))}
    </ul>
  );
}
