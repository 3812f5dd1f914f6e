import { t } from "../../lib/i18n";
import { useServerNow } from "../context";
import { Age } from "../Small";
import { useBoard } from "./context";
import { isStale, patrolStates, shapeOf } from "./rules";
import type { PatrolRow } from "./types";

/** Who is on duty, by state; the free first. Choosing one shows it on the map. */
export function PatrolList({ onLook }: { onLook: (p: PatrolRow) => void }) {
  const { state } = useBoard();
  const now = useServerNow(5000);
  const counts = patrolStates.map((s) => [s, state.patrols.filter((p) => p.state === s).length] as const).filter(([, n]) => n > 0);
  return (
    <section class="panel patrollist" aria-label={t("board.patrols")}>
      <h2>
        {t("board.patrols")} <span class="count">{state.patrols.length}</span>
        <span class="hint">{counts.map(([s, n]) => `${t(`board.unit.${s}`)} ${n}`).join(" · ")}</span>
      </h2>
      {state.known && state.patrols.length === 0 && <p class="empty">{t("board.nopatrols")}</p>}
      <ul>
        {state.patrols.map((p) => <li key={p.patrol}><Unit patrol={p} now={now} onLook={onLook} /></li>)}
      </ul>
    </section>
  );
}

function Unit({ patrol: p, now, onLook }: { patrol: PatrolRow; now: number; onLook: (p: PatrolRow) => void }) {
  const old = isStale(p, now);
  return (
    <button type="button" class={old ? "unit old" : "unit"} data-patrol={p.name} data-state={p.state} onClick={() => onLook(p)}>
      <span class={`glyph ${shapeOf(p)}`} aria-hidden="true" />
      <b>{p.name}</b>
      <span class={p.late ? "warn" : ""}>{p.late ? t("board.unit.late") : t(`board.unit.${p.state}`)}</span>
      {p.number && <span class="digits">{t("board.at", { number: p.number })}</span>}
      <span class={old ? "warn" : "hint"}>
        {p.fixMs === 0 ? t("board.nofix") : <>{old && `${t("board.old")} `}<Age at={p.fixMs} /></>}
      </span>
    </button>
  );
}
