import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { clock } from "../view";

const longest = 5 * 60 * 1000;

/** A spoken message: one touch begins it, the next ends it. */
export function Voice({ onDone }: { onDone: (f: File) => void }) {
  const [since, setSince] = useState(0);
  const [now, setNow] = useState(0);
  const [wrong, setWrong] = useState(false);
  const rec = useRef<MediaRecorder | null>(null);
  useEffect(() => {
    if (!since) return;
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() - since > longest) rec.current?.stop();
    }, 500);
    return () => clearInterval(timer);
  }, [since]);
  useEffect(() => () => rec.current?.stop(), []);
  if (typeof MediaRecorder === "undefined") return null;
  const begin = async () => {
    setWrong(false);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: true, autoGainControl: true } });
      const type = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"].find((m) => MediaRecorder.isTypeSupported(m));
      const r = new MediaRecorder(stream, { ...(type ? { mimeType: type } : {}), audioBitsPerSecond: 24000 });
      const parts: Blob[] = [];
      r.ondataavailable = (e) => parts.push(e.data);
      r.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        rec.current = null;
        setSince(0);
        const mime = (r.mimeType || "audio/webm").split(";")[0] ?? "audio/webm";
        const file = new File(parts, `voice.${mime === "audio/mp4" ? "m4a" : mime === "audio/ogg" ? "ogg" : "webm"}`, { type: mime, lastModified: Date.now() });
        if (file.size > 0) onDone(file);
      };
      r.start(1000);
      rec.current = r;
      setNow(Date.now());
      setSince(Date.now());
    } catch {
      setWrong(true);
    }
  };
  return (
    <>
      <button type="button" class="attach" aria-pressed={since > 0} onClick={() => (since ? rec.current?.stop() : void begin())}>
        <Mic /> {since ? `${t("voice.stop")} ${clock(since, now)}` : t("voice.start")}
      </button>
      {wrong && (
        <p class="note" role="alert">
          {t("voice.denied")}
        </p>
      )}
    </>
  );
}

function Mic() {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
      <path d="M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5 11a7 7 0 0 0 14 0M12 18v3" />
    </svg>
  );
}
