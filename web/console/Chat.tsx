import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard, ChatItem, FileRef } from "../lib/wire.gen";
import { timeOfDay } from "./clock";
import { useConsole } from "./context";
import type { Outgoing } from "./desk";
import { Photo } from "./Photo";
import { Key } from "./Small";
import { VoiceNote } from "./Thin";
import { callerLang, expand, snippets } from "./snippets";
import { previewURL } from "./rest";
import { live } from "./view";

/** The chat of the call: lines, photos that stay closed until opened, sentences at one press. */
export function Chat({ card }: { card: CallCard }) {
  const { view, desk, seat } = useConsole();
  const [photo, setPhoto] = useState<FileRef>();
  const end = useRef<HTMLDivElement>(null);
  const outbox = seat.outbox.filter((o) => o.call === card.call);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [card.chat.length, outbox.length]);
  return (
    <section class="panel chat" aria-label={t("chat")} onFocusIn={() => desk.dispatch({ type: "local.seen" })}>
      <h2>{t("chat")} {view.unread > 0 && <span class="count new">{t("chat.new", { n: view.unread })}</span>} <Key act="chat" /></h2>
      <div class="log" role="log" aria-label={t("chat.log")} tabIndex={0}>
        {card.chat.length === 0 && <p class="empty">{t("chat.empty")}</p>}
        {card.chat.map((i) => <Line key={i.id} item={i} call={card.call} onOpen={setPhoto} />)}
        {outbox.map((o) => <Waiting key={o.id} out={o} />)}
        <div ref={end} />
      </div>
      {live(card) && <Writer card={card} />}
      {photo && <Photo call={card.call} file={photo} onClose={() => setPhoto(undefined)} />}
    </section>
  );
}

function Line({ item: i, call, onOpen }: { item: ChatItem; call: string; onOpen: (f: FileRef) => void }) {
  const file = i.file;
  return (
    <div class={`line ${i.from}`}>
      <p class="from">{t(`from.${i.from}`)} <time>{timeOfDay(i.atMs)}</time></p>
      {i.text && <p class="text" dir="auto">{i.text}</p>}
      {file?.mime.startsWith("audio/") && <VoiceNote call={call} file={file} />}
      {file && !file.mime.startsWith("audio/") && (
        <button type="button" class="photo" onClick={() => onOpen(file)}>
          <img src={previewURL(call, file.file)} alt="" loading="lazy" width={120} height={90} />
          <span>{t("photo.open")} · {file.width}×{file.height}</span>
        </button>
      )}
    </div>
  );
}

function Waiting({ out: o }: { out: Outgoing }) {
  const { desk } = useConsole();
  return (
    <div class="line operator pending">
      <p class="text" dir="auto">{o.text}</p>
      {o.failed ? (
        <p class="bad">{t("chat.failed")} <button type="button" class="small" onClick={() => void desk.chat(o.call, o.text, o.id)}>{t("retry")}</button></p>
      ) : <p class="hint">{t("chat.sending")}</p>}
    </div>
  );
}

/** 4 KiB of UTF-8 is what the protocol takes; letters here are two bytes each. */
const longest = 2000;

function Writer({ card }: { card: CallCard }) {
  const { desk, drafts } = useConsole();
  const [text, setText] = useState(() => drafts.read(card.call).chat ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  const lang = card.caller.lang;
  const write = (value: string) => {
    const full = expand(value, lang);
    setText(full);
    drafts.write(card.call, { chat: full });
  };
  const send = () => {
    const line = text.trim();
    if (!line) return;
    write("");
    void desk.chat(card.call, line);
  };
  return (
    <form class="writer" onSubmit={(e) => { e.preventDefault(); send(); }}>
      <ol class="snippets" aria-label={t("snippets")}>
        {snippets.map((s, i) => (
          <li key={s.en}>
            <button type="button" class="small" lang={callerLang(lang)} title={`/${i + 1}`} onClick={() => { write(s[callerLang(lang)]); field.current?.focus(); }}>
              <kbd>/{i + 1}</kbd> {s[callerLang(lang)]}
            </button>
          </li>
        ))}
      </ol>
      <div class="row">
        <textarea
          ref={field} data-focus="chat" rows={2} maxLength={longest} aria-label={t("chat.write")} placeholder={t("chat.write")} value={text}
          onInput={(e) => write(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.code !== "Enter" && e.code !== "NumpadEnter" || e.shiftKey || e.isComposing) return;
            e.preventDefault();
            send();
          }}
        />
        <button type="submit">{t("chat.send")}</button>
      </div>
    </form>
  );
}
