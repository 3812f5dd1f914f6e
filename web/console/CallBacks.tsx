import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallBackRow } from "../lib/wire.gen";
import { phone } from "./clock";
import { useConsole } from "./context";
import { Copy, Elapsed, Key } from "./Small";
import { answers } from "./view";

/** How long a closed task can be taken back. UX.md 1.4: undo, not "are you sure". */
const undoMs = 10_000;
const results = ["reached", "not_reached", "not_needed"] as const;

/** Callers the centre owes a call. Closing one waits ten seconds, in which it can be undone. */
export function CallBacks() {
  const { view, desk } = useConsole();
  const [closing, setClosing] = useState<string[]>([]);
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  useEffect(() => () => {
    for (const timer of timers.current.values()) clearTimeout(timer);
  }, []);

  const undo = (call: string) => {
    clearTimeout(timers.current.get(call));
    timers.current.delete(call);
    setClosing((list) => list.filter((c) => c !== call));
    desk.hush();
  };
  const close = (row: CallBackRow, outcome: string) => {
    setClosing((list) => [...list, row.call]);
    desk.say("callback.closed", { undo: () => undo(row.call) });
    timers.current.set(row.call, setTimeout(() => {
      void desk.ask("callback.done", { call: row.call, outcome }).then(() => undo(row.call));
    }, undoMs));
  };
  const rows = (view.state?.callBacks ?? []).filter((r) => !closing.includes(r.call));
  return (
    <section class="panel callbacks" aria-label={t("callbacks")} data-focus="callback" tabIndex={-1}>
      <h2>{t("callbacks")} <span class="count">{rows.length}</span> <Key act="callback" /></h2>
      {rows.length === 0 && <p class="empty">{t("callbacks.empty")}</p>}
      <ul>
        {rows.map((r) => <Row key={r.call} row={r} mayClose={answers(view.staff)} onClose={(o) => close(r, o)} />)}
      </ul>
    </section>
  );
}

function Row({ row: r, mayClose, onClose }: { row: CallBackRow; mayClose: boolean; onClose: (outcome: string) => void }) {
  return (
    <li>
      <p>
        <b>{t(`callback.${r.reason}`)}</b> <Elapsed since={r.sinceMs} /> <span class="hint">{t("no")} {r.number}</span> {r.name}
      </p>
      {r.kind === "silent" && <p class="bad">{t("callback.silent")}</p>}
      <p class="row">
        {r.phone ? (
          <>
            {r.kind === "silent" ? <span class="digits">{phone(r.phone)}</span> : <a class="digits" href={`tel:${r.phone}`}>{phone(r.phone)}</a>}
            <Copy text={r.phone} name={t("copy.phone", { phone: phone(r.phone) })} />
          </>
        ) : t("person.nophone")}
      </p>
      {mayClose && (
        <p class="row" role="group" aria-label={t("callback.result", { number: r.number })}>
          {results.map((o) => <button type="button" class="small" key={o} onClick={() => onClose(o)}>{t(`callback.${o}`)}</button>)}
        </p>
      )}
    </li>
  );
}
