import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import { acts, label, table } from "./keys";

/** The keys, from the table that binds them. */
export function Help({ open, close }: { open: boolean; close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !ref.current?.open) ref.current?.showModal();
    if (!open) ref.current?.close();
  }, [open]);
  return (
    <dialog ref={ref} class="panel help" aria-label={t("help")} onClose={close} onKeyDown={(e) => e.key === "?" && close()}>
      {open && <Table close={close} />}
    </dialog>
  );
}

function Table({ close }: { close: () => void }) {
  return (
    <>
      <div class="row">
        <h2>{t("help")}</h2>
        <span class="grow" />
        <button type="button" onClick={close}>{t("close")}</button>
      </div>
      <dl>
        {acts.map((a) => (
          <div key={a}>
            <dt>{table[a].map((chord) => <kbd key={chord}>{chord === "Space" ? t("key.space") : label(chord)}</kbd>)}</dt>
            <dd>{t(`act.${a}`)}</dd>
          </div>
        ))}
        <div>
          <dt><kbd>←</kbd><kbd>→</kbd><kbd>PgUp</kbd><kbd>PgDn</kbd><kbd>Home</kbd><kbd>End</kbd></dt>
          <dd>{t("act.lane")}</dd>
        </div>
      </dl>
    </>
  );
}
