import type { Lang } from "../lib/i18n";
import { wordsOf } from "./code";
import type { Say } from "./words";

interface Props {
  say: Say;
  language: Lang;
  keep: string; // "1y", "90d"
  code: Uint8Array;
  fresh: boolean;
  onKept: () => void;
}

/** A letter is there: its code, this once. */
export function Code({ say, language, keep, code, fresh, onKept }: Props) {
  const kept = say(`keep.${keep.slice(-1)}`, { n: Number.parseInt(keep, 10) });
  return (
    <>
      <h1 aria-live="polite">{say("done")}</h1>
      {fresh ? (
        <>
          <h2 id="code">{say("done.code")}</h2>
          <ol class="code" aria-labelledby="code">
            {wordsOf(code, language === "en" ? "latin" : "cyrillic").map((w, i) => (
              <li key={i}>{w}</li>
            ))}
          </ol>
          <p class="lead">{say("done.keep")}</p>
          <p>{say("done.secret")}</p>
        </>
      ) : (
        <p class="lead">{say("done.more")}</p>
      )}
      <p class="small">{say("keep", { keep: kept })}</p>
      <button type="button" class="go" onClick={onKept}>
        {say(fresh ? "done.gone" : "back")}
      </button>
    </>
  );
}
