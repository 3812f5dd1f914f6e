import { useEffect, useRef, useState } from "preact/hooks";
import { type Lang, t } from "../../lib/i18n";
import { fileId, sha256 } from "../../lib/upload";
import type { Fix } from "../../lib/wire.gen";
import type { Caller } from "../caller";
import { counts, OnTheMap } from "../OnTheMap";
import { PinDoor } from "../PinDoor";
import { type Attached, blank, type Draft, lacking, sealed, unfit } from "./draft";
import { askKinds, type Kind, keptKinds, keptLimits } from "./kinds";
import { Picker } from "./Picker";
import { sender } from "./sender";
import { put } from "./shelf";
import { Sent } from "./Sent";
import { Thumb } from "./Thumb";
import { TipDoor } from "./TipDoor";
import { Voice } from "./Voice";

const draftKey = "jedel.report.draft";

function keptText(): string {
  try {
    return sessionStorage.getItem(draftKey) ?? "";
  } catch {
    return "";
  }
}

function keepText(text: string): void {
  try {
    sessionStorage.setItem(draftKey, text);
  } catch {
    // It lives as long as the page.
  }
}

/** The form of a report: what, a picture or a voice, where, send. Nothing but one of text and file is
 * needed. */
export function Write({ caller, language, onMine }: { caller: Caller; language: Lang; onMine: () => void }) {
  const [draft, setDraft] = useState<Draft>(() => ({ ...blank, text: keptText() }));
  const [kinds, setKinds] = useState<Kind[]>(keptKinds);
  const [wrong, setWrong] = useState("");
  const [ref, setRef] = useState("");
  const now = useRef(draft);
  now.current = draft;
  useEffect(() => {
    void askKinds().then(setKinds, () => undefined);
    caller.place.start();
    return () => caller.place.stop("stopped");
  }, [caller]);
  const change = (d: Partial<Draft>) => setDraft((have) => ({ ...have, ...d }));
  const fix = (): Fix | null => (caller.view.fix?.source === "device" ? caller.view.fix : null);

  const attach = async (list: Iterable<File>) => {
    setWrong("");
    for (const f of list) {
      const limits = keptLimits();
      const why = unfit(f, now.current.files.length, limits);
      if (why) {
        const most = f.type.startsWith("video/") ? limits.videoBytes : limits.photoBytes;
        setWrong(t(`file.${why}`, { name: f.name, n: limits.files, mb: Math.floor(most / (1 << 20)) }));
        continue;
      }
      const a: Attached = { id: fileId(), blob: f, name: f.name, mime: f.type, sha256: "", capturedMs: Math.min(f.lastModified || Date.now(), Date.now()), fix: fix() };
      setDraft((have) => ({ ...have, files: [...have.files, a] }));
      try {
        const sum = await sha256(f);
        setDraft((have) => ({ ...have, files: have.files.map((x) => (x.id === a.id ? { ...x, sha256: sum } : x)) }));
      } catch {
        setDraft((have) => ({ ...have, files: have.files.filter((x) => x.id !== a.id) }));
        setWrong(t("file.unread", { name: f.name }));
      }
    }
  };
  const submit = async () => {
    const d = { ...draft, pin: caller.view.pin };
    const why = lacking(d);
    if (why) {
      setWrong(t(`lacking.${why}`));
      return;
    }
    const id = fileId();
    const body = sealed(d, id, language, Date.now(), fix());
    try {
      await put(
        { ref: id, body, sha256: await sha256(new Blob([body])), madeMs: Date.now(), report: "", number: "", failed: "", files: d.files.map((f) => ({ id: f.id, name: f.name, sent: false, refused: "" })) },
        d.files.map((f) => ({ id: f.id, ref: id, blob: f.blob })),
      );
    } catch {
      setWrong(t("storage.full"));
      return;
    }
    keepText("");
    setRef(id);
    sender().wake();
  };
  if (ref) return <Sent reference={ref} phone={caller.view.phone} onMine={onMine} onMore={() => (setDraft(blank), setRef(""))} />;
  const kind = kinds.find((k) => k.code === draft.kind);
  return (
    <form
      class="report"
      onSubmit={(e) => {
        e.preventDefault();
        void submit();
      }}
    >
      <h1>{t("lane.title")}</h1>
      <p class="note">
        {t("lane.urgent")} <a href={`tel:${caller.view.phone}`}>{caller.view.phone}</a>
      </p>
      {navigator.onLine === false && <p class="note">{t("lane.offline")}</p>}
      {kinds.length > 0 && (
        <fieldset class="kinds">
          <legend>{t("kind")}</legend>
          {kinds.map((k) => (
            <button type="button" key={k.code} aria-pressed={draft.kind === k.code} onClick={() => change({ kind: draft.kind === k.code ? "" : k.code })}>
              {k.name[language]}
            </button>
          ))}
        </fieldset>
      )}
      <TipDoor />
      <div class="attachments">
        <Picker label={t("file.camera")} capture onFiles={attach} />
        <Picker label={t("file.pick")} onFiles={attach} />
        <Voice onDone={(f) => void attach([f])} />
      </div>
      {draft.files.length > 0 && (
        <ul class="files">
          {draft.files.map((f) => (
            <li key={f.id}>
              <Thumb blob={f.blob} mime={f.mime} />
              <span>
                {f.name} <small>{f.sha256 ? t("file.size", { mb: (f.blob.size / 1e6).toFixed(1) }) : t("file.reading")}</small>
              </span>
              <button type="button" aria-label={t("file.remove", { name: f.name })} onClick={() => change({ files: draft.files.filter((x) => x.id !== f.id) })}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <label class="field">
        {t("text")}
        <textarea
          rows={4}
          maxLength={3500}
          value={draft.text}
          onInput={(e) => {
            change({ text: e.currentTarget.value });
            keepText(e.currentTarget.value);
          }}
        />
      </label>
      {kind?.plate && (
        <label class="field">
          {t("plate")}
          <input value={draft.plate} maxLength={16} autocapitalize="characters" autocomplete="off" placeholder="123 ABC 15" onInput={(e) => change({ plate: e.currentTarget.value })} />
        </label>
      )}
      <section class="where">
        <p>{placeWords(caller)}</p>
        <OnTheMap at={counts(caller.view)} />
        <PinDoor caller={caller} />
        <label class="field">
          {t("where")}
          <input value={draft.where} maxLength={200} placeholder={t("where.hint")} onInput={(e) => change({ where: e.currentTarget.value })} />
        </label>
      </section>
      {!caller.view.self && (
        <label class="field">
          {t("contact")}
          <input type="tel" autocomplete="tel" maxLength={20} value={draft.phone} onInput={(e) => change({ phone: e.currentTarget.value })} />
        </label>
      )}
      {wrong && (
        <p class="alert" role="alert">
          {wrong}
        </p>
      )}
      <button class="go sendreport" type="submit">
        {t("send")}
      </button>
      <p class="fine">{t("lane.notice")}</p>
    </form>
  );
}

function placeWords(caller: Caller): string {
  const v = caller.view;
  if (v.pin) return t("place.pinned");
  if (v.fix?.source === "device") return t("place.known", { m: Math.round(v.fix.accuracyM) });
  return t(v.place === "asking" ? "place.asking" : "place.unknown");
}
