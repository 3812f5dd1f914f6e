import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { refusedBy, signOnAt, signOnButton } from "../lib/signon";
import type { StaffSelf } from "../lib/wire.gen";
import { type Lang, words } from "./context";
import { RestError, signIn } from "./rest";

/** One function for all drawings: a new one each time would take the focus each time. */
function focusOn(el: HTMLElement | null): void {
  el?.focus();
}

/** Login, password and, when the gateway asks for it, the code of the authenticator. */
export function SignIn({ lang, onIn }: { lang: Lang; onIn: (staff: StaffSelf) => void }) {
  const [needsCode, setNeedsCode] = useState(false);
  const [trouble, setTrouble] = useState(refusedBy(location.hash) ? t("signin.refused", { code: refusedBy(location.hash) }) : "");
  const [busy, setBusy] = useState(false);
  const [button, setButton] = useState("");
  useEffect(() => void signOnButton(lang).then(setButton), [lang]);
  const submit = async (form: HTMLFormElement) => {
    const field = (name: string) => String(new FormData(form).get(name) ?? "").trim();
    const totp = field("totp").replace(/\s/g, "");
    setBusy(true);
    setTrouble("");
    try {
      onIn(await signIn({ login: field("login"), password: String(new FormData(form).get("password") ?? ""), ...(totp ? { totp } : {}) }));
    } catch (err) {
      const e = err instanceof RestError ? err : new RestError("internal");
      if (e.code === "totp_needed") setNeedsCode(true);
      if (e.code !== "totp_needed" || needsCode) setTrouble(words(e.words ?? "error.unreachable", lang));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="signin">
      <form onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
        <h1>{t("title")}</h1>
        <label class="field">{t("signin.login")}<input name="login" autocomplete="username" autofocus required maxLength={64} autocapitalize="none" spellcheck={false} /></label>
        <label class="field">{t("signin.password")}<input name="password" type="password" autocomplete="current-password" required maxLength={256} /></label>
        {needsCode && (
          <label class="field">
            {t("signin.code")}
            <input name="totp" inputMode="numeric" autocomplete="one-time-code" required pattern="[0-9 ]{6,8}" ref={focusOn} />
          </label>
        )}
        {trouble && <p class="bad" role="alert">{trouble}</p>}
        <button type="submit" class="go big" disabled={busy}>{busy ? t("signin.busy") : t("signin")}</button>
        {button && <a class="button" href={signOnAt("console")}>{button}</a>}
      </form>
    </main>
  );
}
