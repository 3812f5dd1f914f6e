import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { moment, saying, useAsked, Waiting } from "./parts";
import { type Account, accounts, approve } from "./rest";
import { found, state } from "./rules";

const roleName = (r: string) => t(`role.${r}`);

/** Roles that wait for a second person; only who did not ask may say yes. */
function Pending({ all, changed }: { all: Account[]; changed: () => void }) {
  const [wrong, setWrong] = useState("");
  const list = all.filter((a) => a.pending.length > 0);
  if (list.length === 0) return null;
  const answer = (a: Account, yes: boolean) => approve(a.staff, yes).then(() => { setWrong(""); changed(); }, (err) => setWrong(saying(err)));
  return (
    <section class="panel warn" aria-labelledby="waiting">
      <h2 id="waiting">{t("pending.title")}</h2>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <ul>
        {list.map((a) => (
          <li key={a.staff} class="row">
            <span class="grow"><b>{a.name}</b>: {a.pending.map(roleName).join(", ")}. {a.pendingBy ? t("pending.by", { name: a.pendingBy }) : t("pending.provider")}</span>
            {a.approve === "" && <button type="button" class="go" aria-label={t("pending.yes.for", { name: a.name })} onClick={() => void answer(a, true)}>{t("pending.yes")}</button>}
            {a.approve === "second_person" && <span class="hint">{t("pending.other")}</span>}
            <button type="button" aria-label={t("pending.no.for", { name: a.name })} onClick={() => void answer(a, false)}>{t("pending.no")}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Everybody who has an account, to look through. */
export function Accounts({ manages }: { manages: boolean }) {
  const asked = useAsked(accounts, "accounts");
  const [text, setText] = useState("");
  if (!asked.value) return <Waiting wrong={asked.wrong} again={asked.again} />;
  const all = asked.value.accounts;
  const list = found(all, text, roleName);
  return (
    <>
      <Pending all={all} changed={asked.again} />
      <section class="panel" aria-labelledby="list">
        <div class="row head">
          <h1 id="list" class="grow">{t("accounts")}</h1>
          {manages && <a class="button go" href="#new">{t("new")}</a>}
        </div>
        <input type="search" aria-label={t("find")} placeholder={t("find")} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <p class="hint" role="status">{list.length === 0 ? t("none") : t("count", { n: list.length })}</p>
        {list.length > 0 && (
          <table>
            <thead><tr><th>{t("name")}</th><th>{t("login")}</th><th>{t("unit")}</th><th>{t("roles")}</th><th>{t("factor")}</th><th>{t("used")}</th><th>{t("state")}</th></tr></thead>
            <tbody>
              {list.map((a) => (
                <tr key={a.staff} data-state={state(a)}>
                  <td data-name={t("name")}>{manages ? <a href={`#account/${a.staff}`}>{a.name}</a> : a.name}</td>
                  <td data-name={t("login")}>{a.login}</td>
                  <td data-name={t("unit")}>{a.unit || t("unit.all")}</td>
                  <td data-name={t("roles")}>{a.roles.map(roleName).join(", ") || "–"}</td>
                  <td data-name={t("factor")}>{a.second ? t("yes") : t("no")}</td>
                  <td data-name={t("used")}>{a.usedMs ? moment(a.usedMs) : t("never")}</td>
                  <td data-name={t("state")}>{t(`state.${state(a)}`)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}
