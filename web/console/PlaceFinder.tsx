import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type At, findPlaces, type FoundPlace } from "../lib/address";
import { t } from "../lib/i18n";
import { useConsole } from "./context";
import { km } from "./nearby";
import type { Moves } from "./places";

const pause = 250; // after a letter

/** An address that the caller says is looked up, and the place moved there. */
export function PlaceFinder({ near, moves, onDone }: { near: At | undefined; moves: Moves; onDone: () => void }) {
  const { lang, desk } = useConsole();
  const [words, setWords] = useState("");
  const [found, setFound] = useState<FoundPlace[] | "none" | undefined>();
  const list = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
        const gone = new AbortController();
        const typed = words.trim();
        if (typed.length < 2) {
            setFound(undefined);
            return () => gone.abort();
    }
        const timer = setTimeout(() => {
            void findPlaces(typed, near, gone.signal).then((f) => gone.signal.aborted || setFound(f?.length ? f : "none"));
        }, pause);
        return () => {
            clearTimeout(timer);
            gone.abort();
    };
  }, [words]);
  const choose = (f: FoundPlace) => {
        moves.move(f, f.words[lang]).then(onDone, () => desk.say("where.notmoved", { bad: true }));
  };
  return (
        <form
            class="finder"
            role="search"
            onSubmit={(e) => {
              e.preventDefault();
                const best = Array.isArray(found) ? found[0] : undefined;
                if (best) choose(best);
      }}
          >
      <input
        type="search" value={words} maxLength={200} aria-label={t("where.find")} placeholder={t("where.find")} aria-controls={list} autocomplete="off"
                ref={field}
        onInput={(e) => setWords(e.currentTarget.value)} onKeyDown={(e) => e.key === "Escape" && onDone()}
            />
      <ul id={list} aria-live="polite">
                {found === "none" && <li class="hint">{t("where.nothing")}</li>}
                {Array.isArray(found) &&
          found.map((f) => (
                        <li key={`${f.lat},${f.lon},${f.words.kk}`}>
                            <button type="button" onClick={() => choose(f)}>
                <b>{f.words[lang]}</b> <span class="hint">{f.metres !== undefined && km(f.metres)}</span>
                            </button>
            </li>
          ))}
      </ul>
    </form>
  );
}
