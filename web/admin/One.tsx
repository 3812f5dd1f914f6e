import { useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { Field, Link, moment, Roles, saying, Sure, useAsked, Waiting } from "./parts";
import { type Account, accounts, change, create, dropFactor, invite, type Made, setDisabled, setRoles } from "./rest";
import { differs, state, willWait } from "./rules";

/** A new account: its owner chooses the password by a link. */
export function New() {
  const [ticked, setTicked] = useState<string[]>(["operator"]);
  const [wrong, setWrong] = useState("");
  const [made, setMade] = useState<Made | null>(null);
  const submit = (form: HTMLFormElement) => {
    const field = (name: string) => String(new FormData(form).get(name) ?? "").trim();
    create({ login: field("login"), name: field("name"), unit: field("unit"), lang: lang(), roles: ticked }).then(
      (m) => { setWrong(""); setMade(m); },
      (err) => setWrong(saying(err)),
    );
  };
  if (made) {
    return (
      <section class="one">
        <h1>{made.account.name}</h1>
        <Link token={made.link ?? ""} hours={made.hours ?? 0} name={made.account.name} />
        {made.account.pending.length > 0 && <p class="warn panel">{t("wait", { roles: made.account.pending.map((r) => t(`role.${r}`)).join(", ") })}</p>}
        <p><a href="#">{t("back")}</a></p>
      </section>
    );
  }
  return (
    <form class="panel one" onSubmit={(e) => { e.preventDefault(); submit(e.currentTarget); }}>
      <p><a href="#">{t("back")}</a></p>
      <h1>{t("new")}</h1>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <Field label={t("name")}><input name="name" required maxLength={100} autocomplete="off" /></Field>
      <Field label={t("login")}><input name="login" required maxLength={50} pattern="\S+" autocomplete="off" autocapitalize="none" spellcheck={false} /></Field>
      <Field label={t("unit.hint")}><input name="unit" maxLength={40} autocomplete="off" /></Field>
      <Roles ticked={ticked} set={setTicked} />
      <div class="row"><button type="submit" class="go">{t("new.go")}</button></div>
    </form>
  );
}

/** One account and everything that can be done about it. */
export function One({ staff }: { staff: string }) {
  const asked = useAsked(accounts, staff);
  const [made, setMade] = useState<Made | null>(null);
  const account = made?.account.staff === staff ? made.account : asked.value?.accounts.find((a) => a.staff === staff);
  if (!asked.value) return <Waiting wrong={asked.wrong} again={asked.again} />;
  if (!account) return <p class="panel" role="alert">{t("none")} <a href="#">{t("back")}</a></p>;
  return <Edit key={staff} a={account} made={made} set={setMade} />;
}

function Edit({ a, made, set }: { a: Account; made: Made | null; set: (m: Made) => void }) {
  const [ticked, setTicked] = useState([...a.roles, ...a.pending]);
  const [wrong, setWrong] = useState("");
  const [done, setDone] = useState("");
  const act = (p: Promise<Made>) =>
    p.then(
      (m) => {
        set(m);
        setTicked([...m.account.roles, ...m.account.pending]);
        setWrong("");
        setDone(t("saved"));
      },
      (err) => { setWrong(saying(err)); setDone(""); },
    );
  const waits = willWait(a, ticked);
  return (
    <section class="one" aria-labelledby="one">
      <p><a href="#">{t("back")}</a></p>
      <h1 id="one">{a.name}</h1>
      <p class="hint">{a.login} · {t(`state.${state(a)}`)} · {t("used")}: {a.usedMs ? moment(a.usedMs) : t("never")}{a.linked && ` · ${t("linked")}`}</p>
      <div aria-live="polite">
        {wrong && <p class="bad" role="alert">{wrong}</p>}
        {done && <p class="good" role="status">{done}</p>}
      </div>
      {made?.link && <Link token={made.link} hours={made.hours ?? 0} name={a.name} />}
      {a.pending.length > 0 && <p class="panel warn">{t("wait", { roles: a.pending.map((r) => t(`role.${r}`)).join(", ") })}</p>}
      <form
        class="panel"
        onSubmit={(e) => {
          e.preventDefault();
          const field = (name: string) => String(new FormData(e.currentTarget).get(name) ?? "").trim();
          void act(change(a.staff, field("name"), field("unit")));
        }}
      >
        <Field label={t("name")}><input name="name" required maxLength={100} defaultValue={a.name} autocomplete="off" /></Field>
        <Field label={t("unit.hint")}><input name="unit" maxLength={40} defaultValue={a.unit} autocomplete="off" /></Field>
        <div class="row"><button type="submit" class="go">{t("save")}</button></div>
      </form>
      <form class="panel" onSubmit={(e) => { e.preventDefault(); void act(setRoles(a.staff, ticked)); }}>
        <Roles ticked={ticked} set={setTicked} />
        {waits.length > 0 && <p class="hint">{t("wait", { roles: waits.map((r) => t(`role.${r}`)).join(", ") })}</p>}
        <div class="row"><button type="submit" class="go" disabled={!differs(a, ticked)}>{t("roles.save")}</button></div>
      </form>
      <div class="panel acts">
        {!a.disabled && <Sure label={t("invite")} question={t("invite.sure")} act={() => void act(invite(a.staff))} />}
        {a.second && <Sure label={t("factor.drop")} question={t("factor.sure")} act={() => void act(dropFactor(a.staff))} />}
        {a.disabled
          ? <Sure label={t("enable")} question={t("enable.sure")} act={() => void act(setDisabled(a.staff, false))} />
          : <Sure stop label={t("disable")} question={t("disable.sure")} act={() => void act(setDisabled(a.staff, true))} />}
      </div>
    </section>
  );
}
