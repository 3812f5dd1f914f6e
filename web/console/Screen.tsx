import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { useConsole } from "./context";
import { Key, useShortcut } from "./Small";

/** The caller's picture, at once and as it is; one key blurs it. Own picture in the corner while it is sent. */
export function Screen({ card, blurred, onBlur }: { card: CallCard; blurred: boolean; onBlur: () => void }) {
  const { seat, desk } = useConsole();
  const ask = useShortcut("ask");
  const blur = useShortcut("blur");
  const held = card.media.camera === "on" && seat.tune?.shown === "off";
  const shown = !held && card.media.camera === "on" && seat.callerVideo !== undefined && card.phase !== "reconnecting";
  return (
    <section class="panel screen" aria-label={t("video")}>
      <h2>
        {t("video")}
        <span class="grow" />
        <OwnVideo />
        <button type="button" class="small" aria-pressed={blurred} aria-keyshortcuts={blur} onClick={onBlur}>
          {t("video.blur")} <Key act="blur" />
        </button>
        <button type="button" class="small" aria-keyshortcuts={ask} onClick={() => void desk.ask("camera.request", { call: card.call }).then((ok) => ok && desk.say("video.asked"))}>
          {t("video.ask")} <Key act="ask" />
        </button>
      </h2>
      <div class="stage">
        {shown ? <Picture stream={seat.callerVideo} name={t("video.caller")} class={blurred ? "blurred" : ""} /> : <p class={held ? "empty held" : "empty"}>{card.phase === "reconnecting" ? t("media.nolink") : held ? t("video.held") : t(`cam.${card.media.camera}.long`)}</p>}
        {seat.ownVideo && (
          <figure class="own">
            <Picture stream={seat.ownVideo} name={t("video.own")} class={seat.tune?.video === "off" ? "mirror unsent" : "mirror"} />
            <figcaption>{t(seat.tune?.video === "off" ? "video.ownheld" : "video.ownnote")}</figcaption>
          </figure>
        )}
      </div>
    </section>
  );
}

function OwnVideo() {
  const { desk, seat } = useConsole();
  const shortcut = useShortcut("camera");
  const on = seat.camera === "on";
  return (
    <button
      type="button" aria-pressed={on} class={on ? "small warnbtn" : "small"} disabled={seat.camera === "asking"} aria-keyshortcuts={shortcut}
      onClick={() => void desk.camera()}
    >
      {on ? t("camera.stop") : t("camera.send")} <Key act="camera" />
    </button>
  );
}

function Picture({ stream, name, class: c }: { stream: MediaStream | undefined; name: string; class: string }) {
  const el = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (el.current) el.current.srcObject = stream ?? null;
  }, [stream]);
  return <video ref={el} class={c} aria-label={name} autoplay playsInline muted />;
}

/** The caller's voice. It plays from the moment the transport is up; the gateway decides when there is something to hear. */
export function Voice() {
  const { seat } = useConsole();
  const el = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (!el.current) return;
    el.current.srcObject = seat.callerAudio ?? null;
    if (seat.callerAudio) el.current.play().catch(() => undefined); // the bar "click for sound" stands while this is refused
  }, [seat.callerAudio, seat.silent]);
  return <audio ref={el} autoplay />;
}
