import { useEffect, useRef, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { wordy } from "../lib/ladder";
import type { Caller } from "./caller";
import { Phone, Photo, Play, Send } from "./icons";
import { clock, type Line } from "./view";

function Said({ caller, line }: { caller: Caller; line: Line }) {
  const who = line.from === "caller" ? t("chat.you") : line.name || t("chat.operator");
  const time = new Date(line.atMs).toLocaleTimeString(lang(), { hour: "2-digit", minute: "2-digit" });
  return (
    <li data-from={line.from}>
      <small>
        {who} {time} {line.state !== "sent" && t(`chat.${line.state}`)}
      </small>
      {line.note || line.file?.mime.startsWith("audio/") ? <Spoken line={line} quiet={caller.view.call?.kind === "silent"} /> : line.file ? <span class="file">{line.file.name}</span> : <span>{line.text}</span>}
      {line.state === "failed" && (
        <button type="button" onClick={() => void caller.outbox.retry(line.id)}>
          {t("chat.retry")}
        </button>
      )}
    </li>
  );
}

/** A voice note: how long it is, and how much of it has arrived. Who spoke it can hear it, unless they are not to be heard. */
function Spoken({ line, quiet }: { line: Line; quiet: boolean }) {
  const part = line.note && line.state !== "sent" ? line.note.part : 1;
  const player = useRef<HTMLAudioElement>(null);
  const url = quiet ? undefined : line.note?.url;
  return (
    <span class="spoken">
      <Phone /> {t("note.line")} {line.note && clock(0, line.note.ms)} {part < 1 && <progress value={part} aria-label={t("chat.sending")} />}
      {url && (
        <button type="button" onClick={() => void play(player.current)}>
          <Play /> {t("note.play")} <audio ref={player} src={url} />
        </button>
      )}
    </span>
  );
}

/** Plays from the beginning, or stops. */
async function play(el: HTMLAudioElement | null): Promise<void> {
  if (!el) return;
  if (!el.paused) return el.pause();
  el.currentTime = 0;
  await el.play().catch(() => undefined);
}

/** The conversation in writing, with three answers that need no typing. */
export function Chat({ caller }: { caller: Caller }) {
  const v = caller.view;
  const [text, setText] = useState("");
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }, [v.chat.length]);
  const send = (what: string) => {
    const words = what.trim();
    if (words) void caller.outbox.write(words);
  };
  return (
    <section class="chat" aria-label={t("chat")}>
      {v.chat.length === 0 && <p class="hint">{t("meanwhile")}</p>}
      {v.error && <p class="alert" role="alert">{t("error.code", { code: v.error })}</p>}
      <ul ref={list} aria-live="polite">
        {v.chat.map((l) => (
          <Said key={`${l.from}${l.id}`} caller={caller} line={l} />
        ))}
      </ul>
      <div class="quick">
        {["yes", "no", "dk"].map((k) => (
          <button type="button" key={k} onClick={() => send(t(k))}>
            {t(k)}
          </button>
        ))}
      </div>
      <form
        class="line"
        onSubmit={(e) => {
          e.preventDefault();
          send(text);
          setText("");
        }}
      >
        {!wordy(v.rung) && <label class="photo" title={t("chat.photo")}>
          <Photo />
          <span class="unseen">{t("chat.photo")}</span>
          <input
            type="file"
            accept="image/*"
            onChange={(e) => {
              const file = e.currentTarget.files?.[0];
              if (file) void caller.outbox.photo(file);
              e.currentTarget.value = "";
            }}
          />
        </label>}
        <input value={text} maxLength={1000} aria-label={t("chat.write")} placeholder={t("chat.write")} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit" aria-label={t("chat.send")}>
          <Send />
        </button>
      </form>
    </section>
  );
}
