import type { Start } from "./post";
import type { Say } from "./words";

interface Props {
  say: Say;
  start: Start | null;
  off: boolean;
  onRetry: () => void;
  onWrite: () => void;
  onCode: () => void;
}

/** What protects and what does not, before anything is written. */
export function Home({ say, start, off, onRetry, onWrite, onCode }: Props) {
  return (
    <>
      <h1>{say("title")}</h1>
      <p class="lead">{say("lead")}</p>
      {off ? (
        <div class="alert" role="alert">
          <p>{say("off")}</p>
          <button type="button" onClick={onRetry}>
            {say("retry")}
          </button>
        </div>
      ) : (
        <div class="doors">
          <button type="button" class="go" disabled={!start} onClick={onWrite}>
            {say("write")}
          </button>
          <button type="button" disabled={!start} onClick={onCode}>
            {say("have")}
          </button>
        </div>
      )}
      <p class="note">{say("urgent")}</p>
      <section>
        <h2>{say("risk")}</h2>
        <ul class="risks">
          {["network", "history", "self", "files", "page"].map((k) => (
            <li key={k}>{say(`risk.${k}`)}</li>
          ))}
        </ul>
        {start?.onion && <p class="onion">{say("onion", { onion: start.onion })}</p>}
      </section>
      <section>
        <h2>{say("safe")}</h2>
        <ul class="safes">
          {["sealed", "nobody", "photos", "nothing"].map((k) => (
            <li key={k}>{say(`safe.${k}`)}</li>
          ))}
        </ul>
      </section>
    </>
  );
}
