import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Lang, lang, langs, loadLocale, setLang, t } from "../lib/i18n";
import { Call } from "./Call";
import { type Caller, leaving } from "./caller";
import { keptCalls, markLeft } from "./store";
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

type Room = "write" | "mine";
type LanePage = ComponentType<{ caller: Caller; language: Lang; room: Room; onRoom: (r: Room | null) => void }>;

function roomOf(hash: string): Room | null {
  return hash === "#report" ? "write" : hash === "#mine" ? "mine" : null;
}

/** The lane of reports: none of it is loaded before it is asked for. The address says which room is open,
 * so that Back leads out of it. */
function useLane(): { room: Room | null; It: LanePage | undefined; failed: boolean; go: (r: Room | null) => void } {
  const [room, setRoom] = useState<Room | null>(roomOf(location.hash));
  const [lane, setLane] = useState<{ It: LanePage }>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const moved = () => setRoom(roomOf(location.hash));
    // A notice was tapped while this page was open somewhere behind.
    const noticed = (e: MessageEvent) => (e.data as { open?: string } | null)?.open === "/#mine" && (location.hash = "mine");
    addEventListener("hashchange", moved);
    navigator.serviceWorker?.addEventListener("message", noticed);
    return () => {
      removeEventListener("hashchange", moved);
      navigator.serviceWorker?.removeEventListener("message", noticed);
    };
  }, []);
  useEffect(() => {
    if (room && !lane) void import("./report/Lane").then(({ Lane }) => setLane({ It: Lane }), () => setFailed(true));
  }, [room, lane]);
  const go = (r: Room | null) => {
    setFailed(false);
    location.hash = r === "write" ? "report" : r ?? "";
  };
  return { room, It: lane?.It, failed, go };
}

/** Whether this phone has sent or kept reports, or made calls. */
function useReports(): boolean {
  const [any, setAny] = useState(keptCalls().length > 0);
  useEffect(() => {
    try {
      void indexedDB.databases?.().then((list) => list.some((d) => d.name === "jedel.reports") && setAny(true), () => undefined);
    } catch {
      // No storage, no reports.
    }
  }, []);
  return any;
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
  const lane = useLane();
  const reports = useReports();
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
  let page = <Home caller={caller} reports={reports} onProfile={() => showProfile(true)} onReport={lane.go} />;
  if (s === "ended" && v.call) page = <Ended caller={caller} call={v.call} />;
  else if (s !== "home" && silent) page = <Silent caller={caller} />;
  else if (s !== "home") page = <Call caller={caller} now={now} />;
  else if (lane.room && lane.It) page = <lane.It caller={caller} language={language} room={lane.room} onRoom={lane.go} />;
  else if (lane.room && !lane.failed) page = <main aria-busy="true" />;
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
