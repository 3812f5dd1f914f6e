import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { may } from "../may";
import { type Account, askAccounts, type Line, putLine, type Roster, strikeLine } from "./api";
import { dayWords, siteClock } from "./figures";
import { LineBox } from "./LineBox";
import { shiftRoles } from "./roles";
import { lineID, timesOf, weekDays, weekOf } from "./shifts";
import { useAct, usePolled } from "./useShifts";

/** The week by person. Supervisors write it; everything they do can be taken back for a while. */
export function RosterWeek({ roster, monday, changed }: { roster: Roster; monday: string; changed: () => void }) {
  const { view } = useConsole();
  const manages = may(view.staff, "manage_shifts");
  const [edit, setEdit] = useState<{ line?: Line; day: string; staff?: string }>();
  const accounts = usePolled<Account[]>(() => (manages ? askAccounts() : Promise.resolve([])), 60_000, "accounts");
  const act = useActs(changed);
  const days = weekDays(monday);
  const today = siteClock(roster.nowMs, roster.utcMin).day;
  const people = (accounts.now ?? []).filter((a) => a.roles.some((r) => shiftRoles.includes(r)));
  const rows = weekOf(roster.lines, monday, roster.utcMin, people);
  return (
    <section class="panel roster" aria-label={t("shifts.roster")}>
      {rows.length === 0 && <p class="empty">{t("shifts.empty")}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={t("shifts.roster")}>
        <table>
          <caption class="unseen">{t("shifts.roster")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("shifts.person")}</th>
              {days.map((d, i) => <th key={d} scope="col" class={d === today ? "today" : ""} aria-current={d === today ? "date" : undefined}>{t(`office.day.${i + 1}`)} {dayWords(d).slice(0, 5)}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.map((p) => (
              <tr key={p.staff} data-person={p.staff}>
                <th scope="row">{p.name}</th>
                {p.days.map((list, i) => (
                  <td key={days[i]} class={days[i] === today ? "today" : ""}>
                    {list.map((l) => <Shift key={l.line} line={l} roster={roster} {...(manages ? { onEdit: () => setEdit({ line: l, day: days[i] ?? "" }) } : {})} />)}
                    {manages && <button type="button" class="small add" aria-label={t("shifts.add", { name: p.name, day: dayWords(days[i] ?? "") })} onClick={() => setEdit({ day: days[i] ?? "", staff: p.staff })}>+</button>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {edit && (
        <LineBox
          edit={edit} people={people} utcMin={roster.utcMin} onClose={() => setEdit(undefined)}
          onSave={(l) => void act.save(l, edit.line).then((ok) => ok && setEdit(undefined))}
          {...(edit.line ? { onStrike: () => void act.strike(edit.line as Line).then((ok) => ok && setEdit(undefined)) } : {})}
        />
      )}
    </section>
  );
}

function Shift({ line, roster, onEdit }: { line: Line; roster: Roster; onEdit?: () => void }) {
  const on = roster.on.some((o) => o.line === line.line);
  const over = line.toMs <= roster.nowMs;
  const inside = (
    <>
      <b>{timesOf(line, roster.utcMin)}</b>
      <span>{t(`shifts.role.${line.role}`)}{line.seat && ` · ${line.seat}`}{line.unit && ` · ${line.unit}`}</span>
      {on && <span class="met">✓ {t("shifts.now")}</span>}
    </>
  );
  const kind = `shift ${on ? "on" : over ? "over" : ""}`;
  if (!onEdit || over) return <span class={kind} data-line={line.line}>{inside}</span>;
  return <button type="button" class={kind} data-line={line.line} onClick={onEdit}>{inside}</button>;
}

/** Writing and striking lines, each with its way back. */
function useActs(changed: () => void): { save: (l: Omit<Line, "name">, before?: Line) => Promise<boolean>; strike: (l: Line) => Promise<boolean> } {
  const act = useAct();
  const { desk } = useConsole();
  const undo = (fn: () => Promise<unknown>) => () => {
    desk.hush();
    void act(fn).then((ok) => {
      if (ok !== undefined) desk.say("shifts.undone");
      changed();
    });
  };
  const bare = ({ name: _, ...l }: Line) => l;
  return {
    save: async (l, before) => {
      const done = (await act(() => putLine(l))) !== undefined;
      if (done) desk.say(before ? "shifts.moved" : "shifts.added", { undo: undo(() => (before ? putLine(bare(before)) : strikeLine(l.line))) });
      changed();
      return done;
    },
    strike: async (l) => {
      const done = (await act(() => strikeLine(l.line))) !== undefined;
      if (done) desk.say("shifts.struck", { undo: undo(() => putLine({ ...bare(l), line: lineID() })) });
      changed();
      return done;
    },
  };
}
