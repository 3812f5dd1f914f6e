import { useEffect, useState } from "preact/hooks";
import type { Lang } from "../lib/i18n";
import { readCode } from "./code";
import { drop, Refused, type Reply, replies, type Start } from "./post";
import type { Say } from "./words";

interface Props {
  say: Say;
  language: Lang;
  start: Start | null;
  code: Uint8Array | null;
  onBack: () => void;
  onMore: (code: Uint8Array, unit: string) => void;
}

/** The replies to whoever has the six words. */
export function Mailbox({ say, language, start, code, onBack, onMore }: Props) {
  const [typed, setTyped] = useState("");
  const [own, setOwn] = useState(code);
  const [box, setBox] = useState<{ unit: string; list: Reply[] } | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const told = (e: unknown) => setWrong(e instanceof Refused ? e.words?.[language] ?? say("off") : say("off"));
  const open = async (c: Uint8Array | null) => {
    setWrong("");
    if (!c) return setWrong(say("code.bad"));
    setBusy(true);
    try {
      setBox(await replies(c));
      setOwn(c);
      setTyped("");
    } catch (e) {
      told(e);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (code) void open(code);
  }, []);
  const remove = async (r: Reply) => {
    if (!own || !box) return;
    try {
      await drop(own, r.letter);
      setBox({ ...box, list: box.list.filter((x) => x !== r) });
    } catch (e) {
      told(e);
    }
  };
  const problem = wrong && (
    <p class="alert" role="alert">
      {wrong}
    </p>
  );
  if (!box || !own)
    return (
      <form
        autocomplete="off"
        onSubmit={(e) => {
          e.preventDefault();
          void open(code ?? readCode(typed));
        }}
      >
        <button type="button" class="plain" onClick={onBack}>
          ← {say("back")}
        </button>
        <h1>{say("box")}</h1>
        {!code && (
          <label class="field">
            {say("code")}
            <span class="small" id="codehint">
              {say("code.hint")}
            </span>
            <textarea class="typed" rows={2} aria-describedby="codehint" autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={256} value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
          </label>
        )}
        {problem}
        <button class="go" type="submit" disabled={busy}>
          {say(busy ? "opening" : "open")}
        </button>
      </form>
    );
  const unit = start?.units.find((u) => u.key === box.unit);
  return (
    <>
      <h1>{say("box")}</h1>
      <p>{say("box.to", { unit: unit?.names[language] ?? box.unit })}</p>
      {problem}
      {box.list.length === 0 && <p class="lead">{say("none")}</p>}
      {box.list.map((r) => (
        <article key={r.letter}>
          <h2>{say("day", { day: dayIn(r.day) })}</h2>
          <p class="reply">{r.text ?? say("shut")}</p>
          <button type="button" class="plain" onClick={() => void remove(r)}>
            {say("drop")}
          </button>
        </article>
      ))}
      <div class="doors">
        {unit && (
          <button type="button" class="go" onClick={() => onMore(own, box.unit)}>
            {say("more")}
          </button>
        )}
        <button type="button" onClick={onBack}>
          {say("close")}
        </button>
      </div>
    </>
  );
}

/** A day as people here write it, the same in all three languages. */
function dayIn(day: string): string {
  return day.split("-").reverse().join(".");
}
