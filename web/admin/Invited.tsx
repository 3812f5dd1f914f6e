import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Field, saying, useAsked, Waiting } from "./parts";
import { accept, invited, type Session, signIn } from "./rest";

const least = 8;

/** Whoever has a link chooses a password; then they are signed in and offered a second factor. */
export function Invited({ token, done }: { token: string; done: (s: Session) => void }) {
  const who = useAsked(() => invited(token), token);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  if (!who.value) return <Waiting wrong={who.wrong} again={who.again} />;
  const { login, name } = who.value;
  const submit = async (form: HTMLFormElement) => {
    const one = String(new FormData(form).get("one") ?? "");
    if (one !== String(new FormData(form).get("two") ?? "")) {
      setWrong(t("invited.differ"));
      return;
    }
    setBusy(true);
    try {
      await accept(token, one);
      history.replaceState(null, "", "#me");
      done(await signIn(login, one, ""));
    } catch (err) {
      setWrong(saying(err));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="panel signin" onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      <h1>{t("invited.title", { name })}</h1>
      <p>{t("invited.hint", { login })}</p>
      <input type="text" name="username" autocomplete="username" value={login} hidden readOnly />
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <Field label={t("invited.one")}><input name="one" type="password" autocomplete="new-password" required minLength={least} maxLength={1024} /></Field>
      <Field label={t("invited.two")}><input name="two" type="password" autocomplete="new-password" required minLength={least} maxLength={1024} /></Field>
      <button type="submit" class="go" disabled={busy}>{t("invited.go")}</button>
    </form>
  );
}
