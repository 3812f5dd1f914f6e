import { useEffect, useMemo, useState } from "preact/hooks";
import { lang as langNow, setLang as keepLang, t } from "../lib/i18n";
import type { StaffSelf } from "../lib/wire.gen";
import { volumeKey } from "./Cheat";
import { ConsoleContext, type Lang, type Theme, type ThemeWish, useDesk, words } from "./context";
import type { Desk } from "./desk";
import { Drafts } from "./drafts";
import { loadKeys } from "./keys";
import { config, RestError, session, signOut } from "./rest";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";
import { clampVolume } from "./sounds";
import { loadTheme, saveTheme, themeOf } from "./theme";

interface Props {
  makeDesk: (lang: Lang) => Desk;
  /** Loads the texts of a language; the page is drawn anew afterwards. */
  loadTexts: (lang: Lang) => Promise<void>;
}

type Who = { known: false; trouble?: string } | { known: true; staff?: StaffSelf };

/** Finds out who is here, and shows the desk or the way in. */
export function App({ makeDesk, loadTexts }: Props) {
  const [lang, setLang] = useState<Lang>(langNow() as Lang);
  const [who, setWho] = useState<Who>({ known: false });
  const look = () => {
    session().then((staff) => setWho({ known: true, staff }), (err) => {
      setWho({ known: false, trouble: words((err instanceof RestError && err.words) || "error.unreachable", lang) });
      setTimeout(look, 3000);
    });
  };
  useEffect(look, []);
  const pickLang = (next: Lang) => {
    void loadTexts(next).then(() => {
      keepLang(next);
      setLang(next);
    });
  };
  const [theme, wish, setTheme] = useTheme();
  if (!who.known) return <main class="replaced"><p role="status">{who.trouble ?? t("link.connecting")}</p></main>;
  if (!who.staff) return <SignIn lang={lang} onIn={(staff) => setWho({ known: true, staff })} />;
  return (
    <Signed
      key={who.staff.staff} makeDesk={makeDesk} lang={lang} setLang={pickLang} theme={theme} themeWish={wish} setTheme={setTheme}
      onOut={() => setWho({ known: true })}
    />
  );
}

interface SignedProps {
  makeDesk: (lang: Lang) => Desk;
  lang: Lang;
  setLang: (lang: Lang) => void;
  theme: Theme;
  themeWish: ThemeWish;
  setTheme: (wish: ThemeWish) => void;
  onOut: () => void;
}

/** The desk of the person signed in; it lives until they sign out. */
function Signed({ makeDesk, onOut, ...page }: SignedProps) {
  const [desk] = useState(() => makeDesk(page.lang));
  const [keys, setKeys] = useState(() => loadKeys(localStorage));
  const [street, setStreet] = useState<string | null>(null);
  const drafts = useMemo(() => new Drafts(localStorage), []);
  const { view, seat } = useDesk(desk);
  useEffect(() => {
    desk.ringer.volume = clampVolume(Number(localStorage.getItem(volumeKey) ?? 0.6));
    desk.start();
    config().then((c) => setStreet(c.map.street ? (c.map.attribution ?? "") : null), () => undefined); // the embedded map is there
    return () => desk.close();
  }, [desk]);
  useEffect(() => {
    document.title = t("title");
    document.documentElement.lang = page.lang;
  }, [page.lang]);
  useEffect(() => { // the gateway ended the session: somebody disabled the account, or it ran out
    if (seat.link === "closed" && !view.replaced) session().then((staff) => staff ?? onOut(), () => undefined);
  }, [seat.link, view.replaced]);
  const leave = async () => {
    await desk.setDuty({ state: "off" });
    await signOut().catch(() => undefined); // the cookie dies with its session on the gateway
    onOut();
  };
  const value = { desk, view, seat, drafts, keys, setKeys, street, noStreet: () => setStreet(null), ...page, signOut: () => void leave() };
  return <ConsoleContext.Provider value={value}><Shell /></ConsoleContext.Provider>;
}

/** The theme now, what was wished for, and the way to wish. Looked at again each minute. */
function useTheme(): [Theme, ThemeWish, (wish: ThemeWish) => void] {
  const [wish, setWish] = useState<ThemeWish>(() => loadTheme(localStorage));
  const now = () => themeOf(wish, new Date().getHours(), matchMedia("(prefers-color-scheme: dark)").matches);
  const [theme, setTheme] = useState<Theme>(now);
  useEffect(() => {
    const apply = () => {
      setTheme(now());
      document.documentElement.dataset.theme = now();
    };
    apply();
    const timer = setInterval(apply, 60_000);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", apply);
    return () => {
      clearInterval(timer);
      system.removeEventListener("change", apply);
    };
  }, [wish]);
  return [theme, wish, (next) => {
    saveTheme(localStorage, next);
    setWish(next);
  }];
}
