import { useEffect, useState } from "preact/hooks";
import { type Lang, langs } from "../lib/i18n";
import { Code } from "./Code";
import { Home } from "./Home";
import { leave, onShifts } from "./leave";
import { Mailbox } from "./Mailbox";
import { begin, type Start } from "./post";
import { firstLang, sayIn } from "./words";
import { Write } from "./Write";

const names: Record<Lang, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

/** Where the page is. A code stands here only as long as it is shown or used. */
type Stage = { at: "home" } | { at: "write"; code: Uint8Array | null; unit: string } | { at: "code"; code: Uint8Array; fresh: boolean } | { at: "box"; code: Uint8Array | null };

export function App() {
  const [language, choose] = useState<Lang>(firstLang);
  const [stage, go] = useState<Stage>({ at: "home" });
  const [start, setStart] = useState<Start | null>(null);
  const [off, setOff] = useState(false);
  const say = sayIn(language);
  useEffect(onShifts, []);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = "102";
  }, [language]);
  useEffect(() => scrollTo(0, 0), [stage.at]);
  const load = () => {
    setOff(false);
    begin().then(setStart, () => setOff(true));
  };
  useEffect(load, []);
  const home = () => go({ at: "home" });
  return (
    <>
      <header class="top">
        <div class="langs" role="group" aria-label={say("lang")}>
          {langs.map((l) => (
            <button type="button" key={l} lang={l} aria-label={names[l]} aria-pressed={l === language} onClick={() => choose(l)}>
              {l}
            </button>
          ))}
        </div>
        <button type="button" class="exit" onClick={leave}>
          {say("exit")}
        </button>
      </header>
      <main>
        {stage.at === "home" && <Home say={say} start={start} off={off} onRetry={load} onWrite={() => go({ at: "write", code: null, unit: "" })} onCode={() => go({ at: "box", code: null })} />}
        {stage.at === "write" && start && (
          <Write say={say} language={language} start={start} code={stage.code} unit={stage.unit} onBack={() => go(stage.code ? { at: "box", code: stage.code } : { at: "home" })} onSent={(code) => go({ at: "code", code, fresh: !stage.code })} />
        )}
        {stage.at === "code" && start && <Code say={say} language={language} keep={start.keep} code={stage.code} fresh={stage.fresh} onKept={stage.fresh ? home : () => go({ at: "box", code: stage.code })} />}
        {stage.at === "box" && <Mailbox say={say} language={language} start={start} code={stage.code} onBack={home} onMore={(code, unit) => go({ at: "write", code, unit })} />}
      </main>
    </>
  );
}
