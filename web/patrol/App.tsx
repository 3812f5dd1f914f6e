import { useEffect, useState } from "preact/hooks";
import { loadTheme, saveTheme, themeOf } from "../console/theme";
import { type Lang, lang, langs, loadLocale, setLang, t } from "../lib/i18n";
import type { StaffSelf } from "../lib/wire.gen";
import { Duty } from "./Duty";
import { Panic } from "./Panic";
import { PageContext } from "./parts";
import { session, signOut } from "./rest";
import { SignIn } from "./SignIn";
import { Task } from "./Task";
import { Work } from "./work";

const names: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** Dark from 20 to 7 or where the phone is, light by day; a tap chooses. */
function useTheme(): ["light" | "dark", () => void] {
  const now = () => themeOf(loadTheme(localStorage), new Date().getHours(), matchMedia("(prefers-color-scheme: dark)").matches);
  const [theme, setTheme] = useState(now);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const look = () => setTheme(now());
    const timer = setInterval(look, 60_000);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", look);
    return () => {
      clearInterval(timer);
      system.removeEventListener("change", look);
    };
  }, []);
  return [theme, () => {
    const next = theme === "dark" ? "light" : "dark";
    saveTheme(localStorage, next);
    setTheme(next);
  }];
}

type Who = { known: false; lost: boolean } | { known: true; staff: StaffSelf | undefined };

export function App() {
  const [language, choose] = useState<Lang>(lang());
  const [who, setWho] = useState<Who>({ known: false, lost: false });
  const [theme, turn] = useTheme();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const look = () => session().then((staff) => setWho({ known: true, staff }), () => {
      setWho({ known: false, lost: true });
      timer = setTimeout(look, 3000);
    });
    void look();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    document.title = t("title");
  }, [language]);
  const pick = async (next: Lang) => {
    setLang(next);
    await loadLocale("patrol", next);
    choose(next);
  };
  const out = () => setWho({ known: true, staff: undefined });
  return (
    <div class="page">
      <header class="top">
        <b class="mark">{t("title")}</b>
        <div class="langs" role="group" aria-label={t("lang")}>
          {langs.map((l) => (
            <button type="button" key={l} lang={l} aria-label={names[l]} aria-pressed={l === language} onClick={() => void pick(l)}>{l}</button>
          ))}
        </div>
        <button type="button" class="turn" aria-label={t("theme")} onClick={turn}>{theme === "dark" ? "☀" : "☾"}</button>
      </header>
      {!who.known ? <main aria-busy="true">{who.lost && <p role="status">{t("unreached")}</p>}</main>
        : !who.staff ? <SignIn key={language} onIn={(staff) => setWho({ known: true, staff })} />
        : !who.staff.roles.includes("patrol") ? <NotOne staff={who.staff} onOut={out} />
        : <Signed key={who.staff.staff} staff={who.staff} language={language} theme={theme} onOut={out} />}
    </div>
  );
}

function NotOne({ staff, onOut }: { staff: StaffSelf; onOut: () => void }) {
  return (
    <main>
      <p role="alert">{t("notpatrol", { name: staff.name })}</p>
      <button type="button" class="huge" onClick={() => void signOut().catch(() => undefined).then(onOut)}>{t("signout")}</button>
    </main>
  );
}

/** The page of the patrol signed in; its work lives until they sign out. */
function Signed({ staff, language, theme, onOut }: { staff: StaffSelf; language: Lang; theme: "light" | "dark"; onOut: () => void }) {
  const [work] = useState(() => new Work(staff, language));
  const [, redraw] = useState(0);
  useEffect(() => {
    const off = work.subscribe(() => redraw((n) => n + 1));
    work.start();
    return () => {
      off();
      work.close();
    };
  }, [work]);
  useEffect(() => {
    if (work.signedOut) onOut(); // what waits stays on the phone and is told after the next sign-in
  }, [work.signedOut]);
  const leave = () => void signOut().catch(() => undefined).then(onOut);
  if (work.replaced) return <main><p role="alert">{t("replaced")}</p><button type="button" class="huge" onClick={() => location.reload()}>{t("here")}</button></main>;
  return (
    <PageContext.Provider value={{ work, language, theme }}>
      <main>
        <Duty onOut={leave} />
        <Panic />
        {work.view?.task && <Task key={work.view.task.case} task={work.view.task} />}
      </main>
    </PageContext.Provider>
  );
}
