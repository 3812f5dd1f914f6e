import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { saying, usePage } from "./parts";

function Sound({ stream }: { stream: MediaStream }) {
  const ref = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (!ref.current || ref.current.srcObject === stream) return;
    ref.current.srcObject = stream;
    void ref.current.play().catch(() => undefined);
  });
  return <audio ref={ref} autoplay />;
}

function Picture({ stream }: { stream: MediaStream }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (ref.current && ref.current.srcObject !== stream) ref.current.srcObject = stream;
  });
  return <video ref={ref} class="live-picture" aria-label={t("live.picture")} playsInline autoplay muted />;
}

/** The call of the task, where it goes on: one tap to listen, one to speak. The picture is shown when asked for. */
export function LiveBar() {
  const { work, language } = usePage();
  const live = work.live;
  const [seen, show] = useState(false);
  const call = work.view?.live ?? "";
  const v = live.view;
  useEffect(() => {
    if (!v) show(false);
  }, [v === undefined]);
  const trouble = live.trouble && <p class="bad" role="alert">{live.trouble.code === "mic" ? t("live.nomic") : saying(live.trouble.words, live.trouble.code, language)}</p>;
  if (!v) {
    return (
      <>
        {live.out && live.out.why !== "left" && <p class="banner" role="status">{t("live.out")} <button type="button" onClick={() => live.read()}>{t("read")}</button></p>}
        {call && (
          <section class="panel livebar" aria-label={t("live")}>
            <button type="button" class="huge listen" disabled={live.busy} onClick={() => void live.join(call)}>{t("live.join")}</button>
            <p class="hint">{t("live.what")}</p>
            {trouble}
          </section>
        )}
      </>
    );
  }
  const speaking = v.mode === "speak";
  return (
    <section class="panel livebar" aria-label={t("live")} data-mode={v.mode}>
      <p role="status"><b>{t(speaking ? "live.speaking" : "live.listening")}</b> · № {v.number} · {v.operator || t("live.nooperator")}</p>
      {live.sounds.map((s, i) => s && <Sound key={i} stream={s} />)}
      {v.kind === "silent" && <p class="warn">{t("live.silent")}</p>}
      <div class="two">
        <button type="button" class={speaking ? "huge stop" : "huge go"} aria-pressed={speaking} disabled={live.busy} onClick={() => void live.speak(!speaking)}>{t(speaking ? "live.mute" : "live.speak")}</button>
        <button type="button" class="huge" disabled={live.busy} onClick={() => void live.leave()}>{t("live.leave")}</button>
      </div>
      {live.line === "own" && <p class="warn" role="status">{t("live.line")}</p>}
      {seen && live.held && <p class="warn" role="status">{t("live.held")}</p>}
      {v.kind !== "voice" && live.picture && <button type="button" class="big" aria-pressed={seen} onClick={() => show(!seen)}>{t("live.picture")}</button>}
      {seen && live.picture && !live.held && <Picture stream={live.picture} />}
      {trouble}
    </section>
  );
}
