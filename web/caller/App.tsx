import { useEffect, useState } from "preact/hooks";
import { type Lang, lang, langs, loadLocale, setLang, t } from "../lib/i18n";
import { Call } from "./Call";
import { type Caller, leaving } from "./caller";
import { markLeft } from "./store";
import { Ended } from "./Ended";
import { Home } from "./Home";
import { Profile } from "./Profile";
import { Silent } from "./Silent";
import { stage } from "./view";

const names: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** Leaves for a page that tells nothing; Back does not return here. */
export function leave(): void {
  document.documentElement.replaceChildren();
  markLeft();
  dispatchEvent(new Event(leaving));
  location.replace("https://kk.wikipedia.org/");
}

function useQuickExit(): void {
  useEffect(() => {
    const pressed: number[] = [];
    const key = (e: KeyboardEvent) => {
      if (e.code !== "ShiftLeft" && e.code !== "ShiftRight") return;
      pressed.push(e.timeStamp);
      const third = pressed.at(-3);
      if (third !== undefined && e.timeStamp - third < 2000) leave();
    };
    addEventListener("keyup", key);
    return () => removeEventListener("keyup", key);
  }, []);
}

/** Draws the page anew with every change of the view, and every second for its clocks. */
export function useView(caller: Caller): number {
  const [, redraw] = useState(0);
  const [now, tick] = useState(Date.now());
  useEffect(() => caller.subscribe(() => redraw((n) => n + 1)), [caller]);
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function App({ caller }: { caller: Caller }) {
  const now = useView(caller);
  const [language, choose] = useState<Lang>(lang());
  const [profile, showProfile] = useState(false);
  useQuickExit();
  const v = caller.view;
  const s = stage(v);
  const silent = (v.call?.kind ?? (s === "home" ? null : v.tapped)) === "silent"; // from the tap on, before the gateway has answered
  useEffect(() => {
    document.title = t("title");
  }, [language]);
  const pick = async (next: Lang) => {
    setLang(next);
    await loadLocale("caller", next);
    choose(next);
  };
  let page = <Home caller={caller} onProfile={() => showProfile(true)} />;
  if (s === "ended" && v.call) page = <Ended caller={caller} call={v.call} />;
  else if (s !== "home" && silent) page = <Silent caller={caller} />;
  else if (s !== "home") page = <Call caller={caller} now={now} />;
  else if (profile) page = <Profile caller={caller} language={language} onBack={() => showProfile(false)} />;
  return (
    <div class={silent ? "page dark" : "page"} key={language}>
      <header class="top">
        <b class="mark">{v.phone}</b>
        <div class="langs" role="group" aria-label={t("lang")}>
          {langs.map((l) => (
            <button type="button" key={l} lang={l} aria-label={names[l]} aria-pressed={l === language} onClick={() => void pick(l)}>
              {l}
            </button>
          ))}
        </div>
        <button type="button" class="exit" onClick={leave}>
          {t("exit")}
        </button>
      </header>
      {page}
    </div>
  );
}
