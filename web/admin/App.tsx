import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { type Lang, lang, langs, loadLocale, setLang, t } from "../lib/i18n";
import { Accounts } from "./Accounts";
import { Changes } from "./Changes";
import { Invited } from "./Invited";
import { Me } from "./Me";
import { New, One } from "./One";
import { type Session, signOut, whoAmI } from "./rest";
import { place } from "./rules";
import { SignIn } from "./SignIn";

type Theme = "dark" | "light";

const names: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

function Page({ session, set, hash }: { session: Session; set: (s: Session) => void; hash: string }) {
  const manages = session.staff.roles.includes("administrator");
  const sees = manages || session.staff.roles.includes("supervisor");
  const at = place(hash);
  if (at.page === "me" || !sees) return <Me session={session} changed={set} />;
  if (at.page === "changes" && manages) return <Changes />;
  if (at.page === "new" && manages) return <New />;
  if (at.page === "account" && manages) return <One staff={at.staff} />;
  return <Accounts manages={manages} />;
}

export function App() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [language, choose] = useState<Lang>(lang());
  const [theme, setTheme] = useState<Theme>(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    whoAmI().then(setSession, () => setSession(null));
    const moved = () => setHash(location.hash);
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    document.title = t("title");
  }, [language]);
  const at = place(hash);
  const signed = (s: Session) => {
    setHash(location.hash);
    setSession(s);
  };
  const manages = session?.staff.roles.includes("administrator");
  const link = (to: string, page: string, text: string) => <a href={to} aria-current={at.page === page ? "page" : undefined}>{text}</a>;
  return (
    <div class="page">
      <header class="bar">
        <b>{t("title")}</b>
        {session && at.page !== "invited" && (
          <nav class="row" aria-label={t("pages")}>
            {(manages || session.staff.roles.includes("supervisor")) && link("#", "accounts", t("accounts"))}
            {manages && link("#changes", "changes", t("changes"))}
            {link("#me", "me", t("me.nav"))}
          </nav>
        )}
        <span class="grow" />
        {session && <span>{session.staff.name}</span>}
        <select
          aria-label={t("lang")}
          value={language}
          onChange={async (e) => {
            const next = e.currentTarget.value as Lang;
            setLang(next);
            await loadLocale("admin", next);
            choose(next);
          }}
        >
          {langs.map((l) => <option key={l} value={l} lang={l}>{names[l]}</option>)}
        </select>
        <button type="button" onClick={() => setTheme(theme === "dark" ? "light" : "dark")}>{t("theme")}</button>
        {session && <button type="button" onClick={() => void signOut().finally(() => setSession(null))}>{t("signout")}</button>}
      </header>
      <main>
        {at.page === "invited" && <Invited token={at.token} done={signed} />}
        {at.page !== "invited" && session === undefined && <p class="hint" role="status">{t("loading")}</p>}
        {at.page !== "invited" && session === null && <SignIn done={signed} />}
        {at.page !== "invited" && session && <Page session={session} set={setSession} hash={hash} />}
      </main>
    </div>
  );
}
