import { t } from "../../lib/i18n";
import type { OperatorRow } from "../../lib/wire.gen";
import { tOf, useConsole, words } from "../context";
import { RowActs } from "../GuestBar";
import { Elapsed } from "../Small";
import type { SeatRow, WallView } from "./api";

const states = ["off", "ready", "offered", "talking", "wrapup", "busy", "pause", "not_responding", "link_lost"];

/** Who sits where, what they do and since when, and what a supervisor can do with their call. */
export function Seats({ wall, room }: { wall: WallView; room: boolean }) {
  return (
    <section class="panel seats" aria-label={t("wall.seats")}>
      <h2>
        {t("wall.seats")}
        <span class="hint" title={t("wall.staffing.what")}>
          {t("wall.staffing", { a: wall.available, s: wall.staffed })}
          {" · "}{t("wall.rostered", { n: wall.rostered })}
        </span>
      </h2>
      {wall.seats.length === 0 && <p class="empty">{t("wall.noseats")}</p>}
      {wall.seats.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("wall.seats")}>
          <table>
            <thead><tr>{["seat", "who", "state", "time", "case"].map((c) => <th key={c} scope="col">{t(`wall.seat.${c}`)}</th>)}</tr></thead>
            <tbody>{[...wall.seats].sort(byBusy).map((s) => <Seat key={s.staff} seat={s} acts={!room} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** Who is off stands last; else by seat and name. */
function byBusy(a: SeatRow, b: SeatRow): number {
  return Number(a.state === "off") - Number(b.state === "off") || a.seat.localeCompare(b.seat, undefined, { numeric: true }) || a.name.localeCompare(b.name);
}

function Seat({ seat, acts }: { seat: SeatRow; acts: boolean }) {
  const { view, lang } = useConsole();
  const why = view.pauses.find((p) => p.key === seat.reason);
  const row: OperatorRow = { staff: seat.staff, name: seat.name, state: seat.state as OperatorRow["state"], sinceMs: seat.sinceMs, number: seat.number, call: seat.call };
  return (
    <tr class={`seat ${seat.level} ${seat.state}`} data-seat={seat.staff} data-state={seat.state}>
      <td>{seat.seat || "–"}</td>
      <th scope="row">{seat.name}</th>
      <td>
        <span class={`duty duty-${seat.state}`}>{tOf("duty", seat.state, states)}{why && ` (${words(why.words, lang)})`}</span>
        {(seat.level === "warn" || seat.level === "bad") && <b class="level"> ⚠ <span class="unseen">{t(`wall.level.${seat.level}`)}</span></b>}
      </td>
      <td><Elapsed since={seat.sinceMs} /></td>
      <td>
        {seat.number && <>{seat.number} {seat.priority > 0 && <span class={`p p${seat.priority}`}>P{seat.priority}</span>}</>}
        {acts && <RowActs row={row} />}
      </td>
    </tr>
  );
}
