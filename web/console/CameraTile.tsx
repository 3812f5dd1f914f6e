import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Look, type LookState } from "../lib/whep";
import type { Text } from "../lib/wire.gen";
import { type CameraRow, clipBack, clipOn, type ClipState, clipState, distance, dropClip, freshID, makeClip } from "./cameras";
import { RestError } from "./rest";

interface Props {
  camera: CameraRow;
  lang: keyof Text;
  /** What clips are kept with; missing: there is no clip button. */
  recording?: string | undefined;
  /** It is looked at from the beginning, as on a wall of pictures. */
  watched?: boolean;
  /** Makes it large, or small again; missing: there is no such button. */
  enlarge?: { on: boolean; key: string; toggle: () => void };
}

/** One camera: its name and state, the live picture on request, and clips of it. */
export function CameraTile({ camera: c, lang, recording, watched, enlarge }: Props) {
  const [watching, setWatching] = useState(watched ?? false);
  const name = c.name[lang] || c.name.ru;
  const far = c.distanceM === undefined ? undefined : distance(c.distanceM);
  const unfit = ["no_video", "wrong_codec", "reordered"].includes(c.code);
  return (
    <li class={`camera ${c.state}`} aria-label={name} data-camera={c.camera}>
      <p class="row">
        <b id={`camera-${c.camera}`}>{name}</b>
        {far && <span class="hint digits">{t(`camera.${far.unit}`, { n: far.n })}</span>}
      </p>
      <p class={c.state === "failed" ? "warn" : "hint"}>{c.words[lang]}{c.codec && ` (${c.codec})`}</p>
      {watching && <Live camera={c} lang={lang} name={name} />}
      <p class="row">
        <button type="button" class="small" disabled={unfit && !watching} aria-describedby={`camera-${c.camera}`} onClick={() => setWatching(!watching)}>
          {watching ? t("camera.stop.watching") : t("camera.watch")}
        </button>
        {enlarge && (
          <button type="button" class="small" aria-pressed={enlarge.on} aria-keyshortcuts={enlarge.key} aria-describedby={`camera-${c.camera}`} onClick={enlarge.toggle}>
            {t("camera.large")} <kbd aria-hidden="true">{enlarge.key}</kbd>
          </button>
        )}
        {recording && <Clip key={recording} camera={c.camera} lang={lang} recording={recording} off={unfit} />}
      </p>
    </li>
  );
}

/** The live picture. It comes with the newest key frame, mostly at once. */
function Live({ camera: c, name, lang }: { camera: CameraRow; name: string; lang: keyof Text }) {
  const el = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<LookState>("connecting");
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    setSeen(false);
    const look = new Look(c.camera, {
      state: setState,
      stream: (s) => {
        if (el.current) el.current.srcObject = s;
      },
    });
    return () => look.close();
  }, [c.camera]);
  const words = c.state === "failed" ? c.words[lang] : t(`look.${state === "live" && !seen ? "waiting" : state}`);
  return (
    <div class="stage">
      <video ref={el} autoplay playsInline muted aria-label={t("camera.picture", { name })} onPlaying={() => setSeen(true)} />
      {(state !== "live" || !seen || c.state === "failed") && <p class="empty" role="status">{words}</p>}
    </div>
  );
}

/** Keeps what the camera showed just now and what it shows next; it can be taken back meanwhile. */
function Clip({ camera, lang, recording, off }: { camera: string; lang: keyof Text; recording: string; off: boolean }) {
  const [clip, setClip] = useState<ClipState>();
  const [failed, setFailed] = useState("");
  const busy = clip?.state === "taking" || clip?.state === "keeping";
  const id = clip?.clip;
  useEffect(() => {
    if (!busy || !id) return;
    const timer = setInterval(() => clipState(camera, id).then(setClip, () => undefined), 1000); // the next asks again
    return () => clearInterval(timer);
  }, [busy, camera, id]);
  const run = (p: Promise<ClipState>) => {
    setFailed("");
    p.then(setClip, (err: unknown) => setFailed((err instanceof RestError && err.words?.[lang]) || t("clip.unreachable")));
  };
  return (
    <>
      <button type="button" class="small" disabled={busy || off} aria-describedby={`camera-${camera}`} onClick={() => run(makeClip(camera, recording, freshID()))}>
        {t("clip.make", { back: clipBack, on: clipOn })}
      </button>
      {clip?.state === "taking" && (
        <>
          <progress max={1} value={clip.progress} aria-label={t("clip.taking")} />
          <button type="button" class="small" onClick={() => run(dropClip(camera, clip.clip))}>{t("clip.undo")}</button>
        </>
      )}
      <span role="status" class={clip?.state === "failed" || failed ? "bad" : "hint"} data-clip={clip?.state}>{failed || (clip && clipWords(clip, lang))}</span>
    </>
  );
}

/** How a clip stands, in a sentence; what is missing is said. */
function clipWords(c: ClipState, lang: keyof Text): string {
  if (c.state === "failed") return `${t("clip.failed")} ${c.words[lang]}`;
  if (c.state !== "kept") return t(`clip.${c.state}`);
  const s = Math.round((c.endsMs - c.beginsMs) / 1000);
  const missing = [...new Set(c.gaps.map((g) => g.words[lang]))].join("; ");
  return c.complete ? t("clip.kept", { s }) : t("clip.part", { s, missing });
}
