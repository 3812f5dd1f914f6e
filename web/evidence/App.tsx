import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { type Lang, lang, langs, loadLocale, setLang, t } from "../lib/i18n";
import { refusedBy, signOnAt, signOnButton } from "../lib/signon";
import type { StaffSelf } from "../lib/wire.gen";
import { Case } from "./Case";
import { KeepingPage, Keepings } from "./Keepings";
import { Person } from "./Person";
import { Refused, signIn, signOut, whoAmI } from "./rest";
import { Search } from "./Search";
import { Whole } from "./Whole";

type Theme = "dark" | "light";

const names: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** What a refusal says in the page's language. */
export function saying(err: unknown): string {
  return (err instanceof Refused && err.words?.[lang()]) || t("failed");
}

function SignIn({ done }: { done: (s: StaffSelf) => void }) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [totp, setTOTP] = useState("");
  const [second, setSecond] = useState(false);
  const [wrong, setWrong] = useState(refusedBy(location.hash) ? t("signin.refused", { code: refusedBy(location.hash) }) : "");
  const [button, setButton] = useState("");
  useEffect(() => void signOnButton(lang()).then(setButton), []);
  return (
    <form
      class="panel signin"
      onSubmit={(e) => {
        e.preventDefault();
        signIn(login, password, totp).then(
          (r) => done(r.staff),
          (err) => {
            if (err instanceof Refused && err.code === "totp_needed") setSecond(true);
            setWrong(saying(err));
          },
        );
      }}
    >
      <h1>{t("title")}</h1>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <label>{t("login")}<input autocomplete="username" value={login} onInput={(e) => setLogin(e.currentTarget.value)} /></label>
      <label>{t("password")}<input type="password" autocomplete="current-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>
      {second && <label>{t("totp")}<input inputMode="numeric" autocomplete="one-time-code" value={totp} onInput={(e) => setTOTP(e.currentTarget.value)} /></label>}
      <button type="submit" class="go">{t("signin")}</button>
      {button && <a class="button" href={signOnAt("evidence")}>{button}</a>}
    </form>
  );
}

const has = (staff: StaffSelf, ...roles: string[]) => roles.some((r) => staff.roles.includes(r));
const searches = (staff: StaffSelf) => has(staff, "supervisor", "investigator");
const keeps = (staff: StaffSelf) => has(staff, "supervisor", "investigator", "administrator");

const audits = (staff: StaffSelf) => has(staff, "supervisor", "administrator");

export function App() {
  const [staff, setStaff] = useState<StaffSelf | null | undefined>(undefined);
  const [language, choose] = useState<Lang>(lang());
  const [theme, setTheme] = useState<Theme>(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const [call, setCall] = useState(location.hash.slice(1));
  useEffect(() => {
    whoAmI().then((r) => setStaff(r.staff), () => setStaff(null));
    const moved = () => setCall(location.hash.slice(1));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useLayoutEffect(() => { // before any effect of the page reads a colour
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    document.title = t("title");
  }, [language]);
  let page = <p class="wait">{t("loading")}</p>;
  if (staff === null) page = <SignIn done={setStaff} />;
  else if (staff && call.startsWith("keeping/")) page = <KeepingPage call={call.slice(8)} language={language} playable={searches(staff)} />;
  else if (staff && call === "staff" && audits(staff)) page = <Person language={language} />;
  else if (staff && (call === "keeping" || !searches(staff))) page = <Keepings language={language} />;
  else if (staff && call.startsWith("case/")) page = <Whole key={call} id={call.slice(5)} language={language} />;
  else if (staff && call) page = <Case id={call} language={language} theme={theme} fetchable={staff.roles.includes("investigator")} />;
  else if (staff) page = <Search theme={theme} />;
  return (
    <div class="page">
      <header class="bar">
        <b>{t("title")}</b>
        {staff && keeps(staff) && (
          <nav class="row" aria-label={t("keep.pages")}>
            {searches(staff) && <a href="#" aria-current={call.startsWith("keeping") || call === "staff" ? undefined : "page"}>{t("keep.calls")}</a>}
            <a href="#keeping" aria-current={call.startsWith("keeping") ? "page" : undefined}>{t("keep.list")}</a>
            {audits(staff) && <a href="#staff" aria-current={call === "staff" ? "page" : undefined}>{t("person.nav")}</a>}
          </nav>
        )}
        <span class="grow" />
        {staff && <span>{staff.name}</span>}
        <select
          aria-label={t("lang")}
          value={language}
          onChange={async (e) => {
            const next = e.currentTarget.value as Lang;
            setLang(next);
            await loadLocale("evidence", next);
            choose(next);
          }}
        >
          {langs.map((l) => <option key={l} value={l} lang={l}>{names[l]}</option>)}
        </select>
        <button type="button" onClick={() => setTheme(theme === "dark" ? "light" : "dark")}>{t("theme")}</button>
        {staff && <button type="button" onClick={() => void signOut().finally(() => setStaff(null))}>{t("signout")}</button>}
      </header>
      <main>{page}</main>
    </div>
  );
}
