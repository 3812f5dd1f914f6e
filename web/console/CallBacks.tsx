import { t } from "../lib/i18n";
import type { CallBackRow } from "../lib/wire.gen";
import { phone } from "./clock";
import { useConsole } from "./context";
import { Copy, Elapsed, Key } from "./Small";
import { answers } from "./view";

const results = ["reached", "not_reached", "not_needed"] as const;

/** Callers the centre owes a call. Closing one waits ten seconds, in which it can be undone. */
export function CallBacks() {
  const { view, seat, desk } = useConsole();
  const rows = (view.state?.callBacks ?? []).filter((r) => !seat.closing.includes(r.call));
  return (
    <section class="panel callbacks" aria-label={t("callbacks")} data-focus="callback" tabIndex={-1}>
      <h2>{t("callbacks")} <span class="count">{rows.length}</span> <Key act="callback" /></h2>
      {rows.length === 0 && <p class="empty">{t("callbacks.empty")}</p>}
      <ul>
        {rows.map((r) => <Row key={r.call} row={r} mayClose={answers(view.staff)} onClose={(o) => desk.closeCallBack(r.call, o)} />)}
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
