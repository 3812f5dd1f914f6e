import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { wordy } from "../lib/ladder";
import type { Caller } from "./caller";
import { Chat } from "./Chat";
import { Camera, CameraOff, Flip, Handset, Phone, PhoneOff } from "./icons";
import { useLate } from "./late";
import { Speak } from "./Speak";
import { Where } from "./Where";
import { useWakeLock } from "./wake";
import { clock, heldBack, rated, stage, talksOn, type View } from "./view";

const wordsPatience = 5000;

/** What is told at the top, in one sentence. */
export function sentence(v: View): string {
  switch (stage(v)) {
    case "calling":
      return v.registered ? t("thin.registered") : v.link === "open" ? t("tapped") : t("link.connecting");
    case "waiting":
      return v.call && v.call.ahead > 0 ? t("queue", { n: v.call.ahead }) : t("next");
    case "ringing":
      return t("ringing");
    case "connecting":
      return wordy(v.rung) ? t("connected", { name: v.call?.operator ?? "" }) : t("connecting");
    case "hold":
      return t("hold");
    case "far":
      return t("operator.far");
    case "lost":
      return t("link.lost");
    default:
      return t("connected", { name: v.call?.operator ?? "" });
  }
}

function Media({ stream, kind, label, muted, volume }: { stream: MediaStream | null; kind: "audio" | "video"; label: string; muted?: boolean; volume?: number }) {
  const ref = useRef<HTMLMediaElement>(null);
  useEffect(() => {
    const el = ref.current;
    if (!el || el.srcObject === stream) return;
    el.srcObject = stream;
    if (stream) void el.play().catch(() => undefined);
  });
  useEffect(() => {
    if (ref.current && volume !== undefined) ref.current.volume = volume;
  }, [volume]);
  if (kind === "audio") return <audio ref={ref as never} autoplay />;
  return <video ref={ref as never} class={label} aria-label={t(label)} playsInline autoplay muted={muted === true} />;
}

/** Hanging up takes a second press within four seconds. */
export function EndButton({ onEnd }: { onEnd: () => void }) {
  const [sure, setSure] = useState(false);
  useEffect(() => {
    if (!sure) return;
    const timer = setTimeout(() => setSure(false), 4000);
    return () => clearTimeout(timer);
  }, [sure]);
  return (
    <button type="button" class="end" data-sure={sure} onClick={() => (sure ? onEnd() : setSure(true))}>
      {sure ? t("end.sure") : t("end")}
    </button>
  );
}

function Devices({ caller }: { caller: Caller }) {
  const v = caller.view;
  const trouble = v.mic === "denied" || v.mic === "none" || v.mic === "busy";
  return (
    <>
      {v.mic === "asking" && <p class="note">{t("mic.asking")}</p>}
      {v.mic !== "asking" && v.camera === "asking" && <p class="note">{t("cam.asking")}</p>}
      {trouble && (
        <p class="note">
          {t(`mic.${v.mic}`)}{" "}
          <button type="button" onClick={() => void caller.micOn()}>
            {t("mic.allow")}
          </button>
        </p>
      )}
      {(v.camera === "denied" || v.camera === "none" || v.camera === "busy") && <p class="note">{t(`cam.${v.camera}`)}</p>}
      <div class="controls">
        <button type="button" aria-pressed={v.mic === "on"} onClick={() => void caller.toggleMic()}>
          {v.mic === "on" ? <Phone /> : <PhoneOff />}
          {v.mic === "on" ? t("mic.on") : t("mic.off")}
        </button>
        <button type="button" aria-pressed={v.camera === "on"} onClick={() => void caller.toggleCamera()}>
          {v.camera === "on" ? <Camera /> : <CameraOff />}
          {v.camera === "on" ? t("cam.on") : t("cam.off")}
        </button>
        {v.camera === "on" && v.cameras > 1 && (
          <button type="button" class="flip" onClick={() => void caller.flip()}>
            <Flip />
            {t("cam.flip")}
          </button>
        )}
      </div>
    </>
  );
}

/** The number of the call, which is read out and so stays in one piece. */
export function Registered({ id }: { id: string }) {
  const [before = "", after = ""] = t("registered", { id }).split(id);
  return (
    <span>
      {before}
      <span class="number">{id}</span>
      {after}
    </span>
  );
}

/** Told where words do not get through for a while although the voice does; a moment is nobody's business. */
function Words({ v }: { v: View }) {
  const late = useLate(!talksOn(v), wordsPatience);
  return late ? <p class="note words" role="status">{t("link.words")}</p> : null;
}

/** The telephone beside a call whose link is gone; the longer it is, the larger. */
function OtherWay({ v }: { v: View }) {
  const there = v.link === "open" || talksOn(v);
  const late = useLate(there, 4000);
  const later = useLate(there, 20000);
  if (!late) return null;
  return (
    <a class={later ? "telephone first" : "telephone"} href={`tel:${v.phone}`}>
      <Handset /> {t("phone", { phone: v.phone })}
    </a>
  );
}

export function Call({ caller, now }: { caller: Caller; now: number }) {
  const v = caller.view;
  const call = v.call;
  const [volume, setVolume] = useState(1);
  useWakeLock();
  const held = heldBack(v);
  const recording = call?.recording.state ?? "stopped";
  return (
    <main class="call" data-stage={stage(v)}>
      <div class="status">
        <p class="sentence" aria-live="polite">
          {sentence(v)}
        </p>
        <p class="facts">
          {(call || v.registered) && <Registered id={call?.number ?? v.registered} />}
          {call && <span class="clock">{clock(call.createdMs, now)}</span>}
          <span class="rec" data-state={recording}>
            {recording === "stopped" ? t("rec.stopped") : t("rec.recording")}
          </span>
          {rated(v) && <span>{t(`quality.${rated(v)}`)}</span>}
        </p>
      </div>
      {call?.guests?.map((g) => <p key={g.name} class="note" role="status">{t(`with.${g.as === "patrol" ? "patrol" : "supervisor"}`, { name: g.name })}</p>)}
      <Words v={v} />
      <OtherWay v={v} />
      {v.cameraAsked && (
        <div class="ask" role="alert">
          <p>{t("cam.ask")}</p>
          <button type="button" class="go" onClick={() => void caller.cameraOn()}>
            {t("cam.yes")}
          </button>
          <button type="button" onClick={() => caller.set({ cameraAsked: false })}>
            {t("cam.no")}
          </button>
        </div>
      )}
      <div class="pictures" data-any={v.camera === "on" || call?.opCamera === true}>
        {call?.opCamera && !held.theirs && <Media stream={caller.remoteVideo} kind="video" label="operator.video" muted />}
        {v.camera === "on" && !held.own && <Media stream={caller.preview} kind="video" label="preview" muted />}
        {(held.own || held.theirs) && (
          <p class="heldback" role="status" data-own={held.own} data-theirs={held.theirs}>
            <CameraOff />
            <span>{t("weak")}</span>
          </p>
        )}
      </div>
      <Media stream={caller.remoteAudio} kind="audio" label="sound" volume={volume} />
      {caller.others.map((s, i) => <Media key={i} stream={s} kind="audio" label="sound" volume={volume} />)}
      <Speak caller={caller} now={now} />
      {!wordy(v.rung) && <Devices caller={caller} />}
      {!wordy(v.rung) && (
        <label class="volume">
          {t("sound")}
          <input type="range" min="0" max="1" step="0.05" value={volume} onInput={(e) => setVolume(Number(e.currentTarget.value))} />
        </label>
      )}
      <Where caller={caller} now={now} />
      {(call || v.registered) && <Chat caller={caller} />}
      <EndButton onEnd={() => void caller.end()} />
    </main>
  );
}
