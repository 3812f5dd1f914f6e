import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { refusedBy, signOnAt, signOnButton } from "../lib/signon";
import { Field, saying } from "./parts";
import { Refused, type Session, signIn } from "./rest";

/** Login, password and second factor, or the organization's own sign-in where there is one. */
export function SignIn({ done }: { done: (s: Session) => void }) {
  const [second, setSecond] = useState(false);
  const [wrong, setWrong] = useState(refusedBy(location.hash) ? t(`refused.${refusedBy(location.hash)}`) : "");
  const [button, setButton] = useState("");
  useEffect(() => {
    void signOnButton(lang()).then(setButton);
  }, []);
  const submit = async (form: HTMLFormElement) => {
    const field = (name: string) => String(new FormData(form).get(name) ?? "");
    try {
      done(await signIn(field("login").trim(), field("password"), field("totp").replace(/\s/g, "")));
    } catch (err) {
      const first = err instanceof Refused && err.code === "totp_needed" && !second;
      if (err instanceof Refused && err.code === "totp_needed") setSecond(true);
      setWrong(first ? "" : saying(err));
    }
  };
  return (
    <form class="panel signin" onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      <h1>{t("title")}</h1>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <Field label={t("login")}><input name="login" autocomplete="username" required maxLength={200} autocapitalize="none" spellcheck={false} /></Field>
      <Field label={t("password")}><input name="password" type="password" autocomplete="current-password" required maxLength={1024} /></Field>
      {second && <Field label={t("code")}><input name="totp" inputMode="numeric" autocomplete="one-time-code" required pattern="[0-9 ]{6,8}" ref={(el) => el?.focus()} /></Field>}
      <button type="submit" class="go">{t("signin")}</button>
      {button && <a class="button" href={signOnAt("admin")}>{button}</a>}
    </form>
  );
}
