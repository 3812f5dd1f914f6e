import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { moment, saying, useAsked, Waiting } from "./parts";
import { type Change, changes, undo } from "./rest";

/** A value of a change in words: roles by their names, yes and no. */
function value(c: Change, text: string): string {
  if (c.field === "roles" || c.field === "pending") return text.split(" ").filter(Boolean).map((r) => t(`role.${r}`)).join(", ") || "–";
  if (text === "yes" || text === "no") return t(text);
  return text || "–";
}

/** Who changed what of which account, and back again where nothing happened since. */
export function Changes() {
  const asked = useAsked(changes, "changes");
  const [wrong, setWrong] = useState("");
  if (!asked.value) return <Waiting wrong={asked.wrong} again={asked.again} />;
  const list = asked.value.changes;
  const back = (c: Change) => undo(c.change).then(() => { setWrong(""); asked.again(); }, (err) => { setWrong(saying(err)); asked.again(); });
  return (
    <section class="panel" aria-labelledby="changes">
      <h1 id="changes">{t("changes")}</h1>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {list.length === 0 && <p class="hint">{t("changes.none")}</p>}
      {list.length > 0 && (
        <table>
          <thead><tr><th>{t("when")}</th><th>{t("who")}</th><th>{t("whose")}</th><th>{t("what")}</th><th>{t("before")}</th><th>{t("after")}</th><th><span class="unseen">{t("undo")}</span></th></tr></thead>
          <tbody>
            {list.map((c) => (
              <tr key={c.change}>
                <td data-name={t("when")}>{moment(c.atMs)}</td>
                <td data-name={t("who")}>{c.by || t("provider")}</td>
                <td data-name={t("whose")}>{c.name}</td>
                <td data-name={t("what")}>{t(`field.${c.field}`)}</td>
                <td data-name={t("before")}>{value(c, c.before)}</td>
                <td data-name={t("after")}>{value(c, c.after)}</td>
                <td data-name="">{c.undone ? t("undone") : c.undo && <button type="button" aria-label={t("undo.of", { what: t(`field.${c.field}`), name: c.name })} onClick={() => void back(c)}>{t("undo")}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
