import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { refusedBy, signOnAt, signOnButton } from "../lib/signon";
import type { StaffSelf } from "../lib/wire.gen";
import { saying } from "./parts";
import { Refused, signIn } from "./rest";

/** Login, password and, when the gateway asks for it, the code of the authenticator. */
export function SignIn({ onIn }: { onIn: (s: StaffSelf) => void }) {
  const [second, setSecond] = useState(false);
  const [wrong, setWrong] = useState(refusedBy(location.hash) ? t("refused.code", { code: refusedBy(location.hash) }) : "");
  const [busy, setBusy] = useState(false);
  const [button, setButton] = useState("");
  useEffect(() => void signOnButton(lang()).then(setButton), []);
  const submit = async (form: HTMLFormElement) => {
    const field = (name: string) => String(new FormData(form).get(name) ?? "");
    setBusy(true);
    setWrong("");
    try {
      onIn((await signIn(field("login").trim(), field("password"), field("totp").replace(/\s/g, ""))).staff);
    } catch (err) {
      const e = err instanceof Refused ? err : new Refused("", 0);
      if (e.code === "totp_needed") setSecond(true);
      if (e.code !== "totp_needed" || second) setWrong(saying(e.words, e.code, lang()));
    }
    setBusy(false);
  };
  return (
    <main class="signin">
      <form onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
        <h1>{t("title")}</h1>
        <label class="field">{t("login")}<input name="login" autocomplete="username" required maxLength={64} autocapitalize="none" spellcheck={false} /></label>
        <label class="field">{t("password")}<input name="password" type="password" autocomplete="current-password" required maxLength={1024} /></label>
        {second && (
          <label class="field">
            {t("totp")}
            <input name="totp" inputMode="numeric" autocomplete="one-time-code" required pattern="[0-9 ]{6,8}" ref={(el) => el?.focus()} />
          </label>
        )}
        {wrong && <p class="bad" role="alert">{wrong}</p>}
        <button type="submit" class="go huge" disabled={busy}>{t("signin")}</button>
        {button && <a class="button huge" href={signOnAt("patrol")}>{button}</a>}
      </form>
    </main>
  );
}
