import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard, GuestMode, OperatorRow } from "../lib/wire.gen";
import { useConsole } from "./context";
import { guestModes, mayListen } from "./guest";
import { Elapsed, Key, useShortcut } from "./Small";

/** What a supervisor can do with a call that another operator has. */
export function RowActs({ row }: { row: OperatorRow }) {
  const { view } = useConsole();
  if (!row.call || row.staff === view.staff?.staff || !mayListen(view.staff)) return null;
  return <p class="guestacts" role="group" aria-label={t("guest.of", { name: row.name })}><Acts call={row.call} name={row.name} /></p>;
}

function Acts({ call, name, keyed }: { call: string; name: string; keyed?: boolean }) {
  const { desk } = useConsole();
  const here = desk.guest.view?.call === call ? desk.guest.view.mode : undefined;
  return (
    <>
      {guestModes.map((mode) => <ModeButton key={mode} call={call} mode={mode} on={here === mode} name={name} keyed={keyed ?? false} />)}
      <TakeOver call={call} name={name} keyed={keyed ?? false} />
    </>
  );
}

function ModeButton({ call, mode, on, name, keyed }: { call: string; mode: GuestMode; on: boolean; name: string; keyed: boolean }) {
  const { desk } = useConsole();
  const shortcut = useShortcut(mode);
  return (
    <button
      type="button" class={on ? "small warnbtn" : "small"} aria-pressed={on} data-guest={mode} title={t(`guest.${mode}.what`, { name })}
      {...(keyed ? { "aria-keyshortcuts": shortcut } : {})} onClick={() => void desk.beGuest(call, mode)}
    >
      {t(`guest.${mode}`)} {keyed && !(on && mode === "listen") && <Key act={mode} />}
    </button>
  );
}

function TakeOver({ call, name, keyed }: { call: string; name: string; keyed: boolean }) {
  const { desk } = useConsole();
  const shortcut = useShortcut("transfer");
  return (
    <button
      type="button" class="small" data-guest="takeover" title={t("guest.takeover.what", { name })}
      {...(keyed ? { "aria-keyshortcuts": shortcut, "data-act": "transfer" } : {})} onClick={() => void desk.takeOver(call)}
    >
      {t("guest.takeover")} {keyed && <Key act="transfer" />}
    </button>
  );
}

/** The call in which this person is a guest: what they see, who hears them, and the way out. */
export function GuestBar() {
  const { desk, seat } = useConsole();
  const v = desk.guest.view;
  if (!v) return null;
  return (
    <section class="panel guestbar" aria-label={t("guest.here", { number: v.number })}>
      <p role="status">
        <b>{t("guest.here", { number: v.number })}</b> · {v.operator || t("guest.nooperator")} · <b class={`guest-${v.mode}`}>{t(`guest.${v.mode ?? "listen"}.now`)}</b>
      </p>
      <div class="acts">
        <Acts call={v.call} name={v.operator} keyed />
        <button type="button" class="small" data-guest="leave" onClick={() => void desk.leaveGuest()}>{t("guest.leave")}{v.mode === "listen" && <> <Key act="listen" /></>}</button>
      </div>
      {v.kind === "video" && seat.tune?.shown === "off" && <p class="warn" role="status">{t("media.voiceonly")}</p>}
      {seat.callerVideo && v.kind === "video" && seat.tune?.shown !== "off" && <GuestPicture stream={seat.callerVideo} name={t("video.caller")} />}
    </section>
  );
}

/** Who else is in the operator's call, and who hears them. Nobody listens unseen. */
export function GuestLines({ card }: { card: CallCard }) {
  const { seat } = useConsole();
  const guests = card.guests ?? [];
  return (
    <div class="guests">
      <div role="status" aria-label={t("guest.list")}>
        {guests.map((g) => (
          <p key={g.staff} class={`guest-${g.mode}`} data-mode={g.mode}>
            {t(`guest.told.${g.mode}`, { who: t(`guest.as.${g.as === "patrol" ? "patrol" : "supervisor"}`), name: g.name })}
            {!g.link && <span class="warn"> {t("guest.nolink")}</span>} <span aria-hidden="true"><Elapsed since={g.sinceMs} /></span>
          </p>
        ))}
      </div>
      {guests.some((g) => g.mode === "speak") && seat.guestVideo && <GuestPicture stream={seat.guestVideo} name={t("guest.video")} />}
    </div>
  );
}

/** A picture that takes no room before its first frame: not everybody has a camera. */
function GuestPicture({ stream, name }: { stream: MediaStream; name: string }) {
  const el = useRef<HTMLVideoElement>(null);
  const [shown, show] = useState(false);
  useEffect(() => {
    if (el.current) el.current.srcObject = stream;
  }, [stream]);
  return <video ref={el} class={shown ? "guestvideo" : "guestvideo dark"} aria-label={name} aria-hidden={!shown} autoplay playsInline muted onResize={(e) => show(e.currentTarget.videoWidth > 0)} />;
}

/** The voices beside the caller's: operator and guests, each in its slot. */
export function OtherVoices() {
  const { seat } = useConsole();
  return <>{seat.voices.map((s, i) => s && <OneVoice key={i} stream={s} silent={seat.silent} />)}</>;
}

function OneVoice({ stream, silent }: { stream: MediaStream; silent: boolean }) {
  const el = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (!el.current) return;
    el.current.srcObject = stream;
    el.current.play().catch(() => undefined); // as with the caller's voice
  }, [stream, silent]);
  return <audio ref={el} autoplay />;
}
