import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Field, saying } from "./parts";
import { dropOwnFactor, newFactor, type Session, setFactor } from "./rest";

/** One's own second factor: a QR code for the phone, the same as letters, and a code that shows it works. */
export function Me({ session, changed }: { session: Session; changed: (s: Session) => void }) {
  const [made, setMade] = useState<{ secret: string; uri: string; qr: string } | null>(null);
  const [wrong, setWrong] = useState("");
  const [done, setDone] = useState("");
  const [current, setCurrent] = useState("");
  const act = (p: Promise<void>, totp: boolean, say: string) =>
    p.then(
      () => {
        setMade(null);
        setWrong("");
        setCurrent("");
        setDone(say);
        changed({ ...session, totp });
      },
      (err) => setWrong(saying(err)),
    );
  const begin = () => newFactor().then((m) => { setMade(m); setDone(""); setWrong(""); }, (err) => setWrong(saying(err)));
  const digits = { inputMode: "numeric" as const, autocomplete: "one-time-code", required: true, pattern: "[0-9 ]{6,8}" };
  return (
    <section class="panel me" aria-labelledby="me">
      <h1 id="me">{t("me.title")}</h1>
      <p>{session.totp ? t("me.on") : t("me.off")}</p>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {done && <p class="good" role="status">{done}</p>}
      {session.totp && <Field label={t("me.current")}><input name="current" value={current} onInput={(e) => setCurrent(e.currentTarget.value)} {...digits} required={false} /></Field>}
      {!made && (
        <div class="row">
          <button type="button" class="go" onClick={() => void begin()}>{session.totp ? t("me.renew") : t("me.begin")}</button>
          {session.totp && <button type="button" class="stop" disabled={!current} onClick={() => void act(dropOwnFactor(current.replace(/\s/g, "")), false, t("me.dropped"))}>{t("me.drop")}</button>}
        </div>
      )}
      {made && (
        <form
          class="enrol"
          onSubmit={(e) => {
            e.preventDefault();
            const code = String(new FormData(e.currentTarget).get("code") ?? "").replace(/\s/g, "");
            void act(setFactor(made.secret, code, current.replace(/\s/g, "")), true, t("me.set"));
          }}
        >
          <ol>
            <li>
              <p>{t("me.scan")}</p>
              <img class="qr" src={`data:image/png;base64,${made.qr}`} alt={t("me.qr")} width={264} height={264} />
              <p class="hint">{t("me.letters")} <code>{made.secret.replace(/(.{4})/g, "$1 ").trim()}</code></p>
              <p><a href={made.uri}>{t("me.phone")}</a></p>
            </li>
            <li><Field label={t("me.show")}><input name="code" {...digits} /></Field></li>
          </ol>
          <div class="row">
            <button type="submit" class="go">{t("me.confirm")}</button>
            <button type="button" onClick={() => setMade(null)}>{t("cancel")}</button>
          </div>
        </form>
      )}
      <p class="row"><a href="/console">{t("me.console")}</a><a href="/evidence">{t("me.evidence")}</a></p>
    </section>
  );
}
