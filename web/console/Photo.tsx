import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { FileRef } from "../lib/wire.gen";
import { fileURL, previewURL } from "./rest";

/** A photo large: the re-encoded picture to look at, the original to keep. Escape closes. */
export function Photo({ call, file, onClose }: { call: string; file: FileRef; onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="photobox" aria-label={t("photo")} onClose={onClose}>
      {failed ? <p class="bad">{t("photo.failed")}</p> : <img src={previewURL(call, file.file)} alt={t("photo.alt", { name: file.name })} onError={() => setFailed(true)} />}
      <p class="row">
        <span class="hint">{file.name} · {file.width}×{file.height} · {(file.bytes / 1e6).toFixed(1)} MB</span>
        <span class="grow" />
        <a class="button" href={fileURL(call, file.file)} download={file.name}>{t("photo.original")}</a>
        <button type="button" autofocus onClick={() => box.current?.close()}>{t("close")} <kbd>Esc</kbd></button>
      </p>
    </dialog>
  );
}
