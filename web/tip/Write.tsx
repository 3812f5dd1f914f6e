import { useEffect, useRef, useState } from "preact/hooks";
import type { Lang } from "../lib/i18n";
import { fingerprint, newCode } from "./code";
import { Files } from "./Files";
import { maxText } from "./letter";
import type { Prepared } from "./picture";
import { Refused, send, type Start, type Step } from "./post";
import type { Say } from "./words";

interface Props {
  say: Say;
  language: Lang;
  start: Start;
  code: Uint8Array | null; // of a mailbox that is there
  unit: string; // whose it is
  onBack: () => void;
  onSent: (code: Uint8Array) => void;
}

/** The form of a tip. */
export function Write({ say, language, start, code, unit, onBack, onSent }: Props) {
  const [to, setTo] = useState(unit || (start.units.length === 1 ? start.units[0]?.key ?? "" : ""));
  const [text, setText] = useState("");
  const [files, setFiles] = useState<Prepared[]>([]);
  const [wrong, setWrong] = useState("");
  const [step, setStep] = useState<Step | null>(null);
  const busy = useRef<AbortController | null>(null);
  const made = useRef(code ?? newCode()); // of one letter: a second try writes to the same mailbox
  useEffect(() => () => busy.current?.abort(), []);
  const chosen = start.units.find((u) => u.key === to);
  const submit = async () => {
    setWrong("");
    const words = text.trim();
    if (!chosen) return setWrong(say("choose"));
    if (!words && files.length === 0) return setWrong(say("nothing"));
    if (new TextEncoder().encode(words).length > maxText) return setWrong(say("too.long"));
    const job = new AbortController();
    busy.current = job;
    try {
      await send({ unit: chosen, code: made.current, text: words, lang: language, files: files.map((f) => f.part) }, setStep, job.signal);
      onSent(made.current);
    } catch (e) {
      setStep(null);
      if (job.signal.aborted) return;
      const told = e instanceof Refused ? (e.code === "too_large" ? say("too.big") : e.words?.[language] ?? "") : "";
      setWrong(told ? `${say("failed")} ${told}` : say("failed"));
    }
  };
  if (step)
    return (
      <section class="steps" role="status">
        <p class="lead">{say(`step.${step}`)}</p>
        <progress aria-label={say(`step.${step}`)} />
        <button type="button" onClick={() => (busy.current?.abort(), setStep(null))}>
          {say("stop")}
        </button>
      </section>
    );
  return (
    <form
      autocomplete="off"
      onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}
    >
      <button type="button" class="plain" onClick={onBack}>
        ← {say("back")}
      </button>
      <h1>{say(code ? "more" : "title")}</h1>
      <fieldset>
        <legend>{say("unit")}</legend>
        {start.units
          .filter((u) => !unit || u.key === unit)
          .map((u) => (
            <label key={u.key} class="choice">
              <input type="radio" name="unit" checked={u.key === to} onChange={() => setTo(u.key)} />
              {u.names[language]}
            </label>
          ))}
        {chosen && (
          <details>
            <summary>
              {say("finger")}: <code>{fingerprint(chosen.recipients)}</code>
            </summary>
            <p class="small">{say("finger.what")}</p>
          </details>
        )}
      </fieldset>
      <label class="field">
        {say("text")}
        <span class="small" id="hint">
          {say("text.hint")}
        </span>
        <textarea rows={9} aria-describedby="hint" spellcheck={false} autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      <p class="small">{say("risk.self")}</p>
      <Files say={say} files={files} classes={start.classes} onChange={setFiles} onWrong={setWrong} />
      {wrong && (
        <p class="alert" role="alert">
          {wrong}
        </p>
      )}
      <button class="go" type="submit">
        {say("send")}
      </button>
    </form>
  );
}
