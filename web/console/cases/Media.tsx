import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { timeOfDay } from "../clock";
import { useConsole } from "../context";
import { useWhere } from "../useRoom";
import * as api from "./api";
import type { CaseFile, CaseRecording } from "./model";
import { useHand } from "./room";

/** What was recorded and what came with it. Pictures stay closed until somebody chooses to see them. */
export function Media() {
  const { view: c } = useHand();
  const files = c.recordings.reduce((n, r) => n + r.files.length, 0);
  return (
    <section class="panel media" aria-label={t("cases.recordings")}>
      <h3>{t("cases.recordings")} <span class="count">{c.recordings.length}</span>{files > 0 && <span class="hint">{t("cases.files", { n: files })}</span>}</h3>
      <ul>{c.recordings.map((r) => <Recording key={r.call} r={r} />)}</ul>
    </section>
  );
}

const kinds = ["voice", "video", "silent", "report", "patrol", "camera"];

function Recording({ r }: { r: CaseRecording }) {
  const { view } = useConsole();
  const { go } = useWhere();
  const { view: c } = useHand();
  return (
    <li>
      <b>{t(`cases.rec.${kinds.includes(r.kind) ? r.kind : "other"}`)}</b> <span class="hint">{timeOfDay(r.atMs)}{r.merged && ` · ${t("cases.bymerged")}`}</span>
      {r.live && <b class="warn"> {t("cases.live")}</b>}
      {view.card?.call === r.call && <> <button type="button" class="small" onClick={() => go("desk")}>{t("cases.todesk")}</button></>}
      {c.may.includes("play") && <> <a href={`/evidence#${encodeURIComponent(r.call)}`} target="_blank" rel="noopener">{t("cases.evidence")}</a></>}
      {r.files.length > 0 && <ul class="files">{r.files.map((f) => <File key={f.file} f={f} recording={r.call} />)}</ul>}
    </li>
  );
}

const size = (bytes: number) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** One file. It is grey and closed; a picture of it is fetched only when it is opened. */
function File({ f, recording }: { f: CaseFile; recording: string }) {
  const { view: c } = useHand();
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const url = api.fileURL(c.case, recording, f.file);
  const what = ["image", "video", "audio"].find((k) => f.mime.startsWith(`${k}/`)) ?? "other";
  const name = f.name || t(`cases.file.${what}`);
  return (
    <li class="casefile">
      <p>
        <b>{t(`cases.file.${what}`)}</b> {f.name} <span class="hint">{size(f.bytes)}{f.capturedMs > 0 && ` · ${t("cases.file.taken", { at: timeOfDay(f.capturedMs) })}`}</span>
        {f.marks.map((m) => <b key={m} class="warn"> {t(`cases.mark.${["foreign_data", "other_time", "other_place"].includes(m) ? m : "other"}`)}</b>)}
      </p>
      {f.keptMs === 0 ? <p class="warn">{t("cases.file.coming")}</p> : (
        <p class="row">
          {f.preview && what !== "other" && (
            <button type="button" class={open ? "small" : "small closedfile"} aria-expanded={open} onClick={() => { setFailed(false); setOpen(!open); }}>{open ? t("cases.file.hide") : t("cases.file.show")}</button>
          )}
          <a class="button small" href={url} download={name}>{t("cases.file.original")}</a>
        </p>
      )}
      {open && (failed ? <p class="hint" role="alert">{t("cases.file.nopreview")}</p> : <Preview what={what} url={`${url}/preview`} name={name} onFail={() => setFailed(true)} />)}
    </li>
  );
}

/** The re-encoded form that is safe to look at; it comes blurred, and one more press makes it clear. */
function Preview({ what, url, name, onFail }: { what: string; url: string; name: string; onFail: () => void }) {
  const [clear, setClear] = useState(false);
  if (what === "audio") return <audio controls src={url} aria-label={name} onError={onFail} />;
  return (
    <button type="button" class="look" aria-pressed={clear} onClick={() => setClear(!clear)}>
      <img class={clear ? "" : "blurred"} src={url} alt={name} onError={onFail} />
      <span>{t(clear ? "cases.file.blur" : "cases.file.clear")}</span>
    </button>
  );
}
