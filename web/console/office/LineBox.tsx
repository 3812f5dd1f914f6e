import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { Account, Line } from "./api";
import { siteClock } from "./figures";
import { shiftRoles } from "./roles";
import { lineID, shiftTimes } from "./shifts";

interface Props {
  edit: { line?: Line; day: string; staff?: string };
  people: Account[];
  utcMin: number;
  onSave: (l: Omit<Line, "name">) => void;
  onStrike?: () => void;
  onClose: () => void;
}

/** One shift of one person, to write or to move. Where the usual day and night shifts fit, one press sets them. */
export function LineBox({ edit, people, utcMin, onSave, onStrike, onClose }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const l = edit.line;
  const [id] = useState(l?.line ?? lineID());
  const [staff, setStaff] = useState(l?.staff ?? edit.staff ?? people[0]?.staff ?? "");
  const person = people.find((p) => p.staff === staff);
  const roles = shiftRoles.filter((r) => person?.roles.includes(r));
  const [role, setRole] = useState(l?.role ?? "");
  const [seat, setSeat] = useState(l?.seat ?? "");
  const [unit, setUnit] = useState(l?.unit ?? person?.unit ?? "");
  const [day, setDay] = useState(l ? siteClock(l.fromMs, utcMin).day : edit.day);
  const [from, setFrom] = useState(l ? siteClock(l.fromMs, utcMin).time : "08:00");
  const [to, setTo] = useState(l ? siteClock(l.toMs, utcMin).time : "20:00");
  useEffect(() => box.current?.showModal(), []);
  const chosen = roles.includes(role) ? role : (roles[0] ?? "");
  const send = (e: Event) => {
    e.preventDefault();
    onSave({ line: id, staff, role: chosen, seat: seat.trim(), unit: unit.trim(), ...shiftTimes(day, from, to, utcMin) });
  };
  const usual = (name: string, a: string, b: string) => (
    <button type="button" class="small" aria-pressed={from === a && to === b} onClick={() => { setFrom(a); setTo(b); }}>{t(`shifts.usual.${name}`)} {a}–{b}</button>
  );
  return (
    <dialog ref={box} class="linebox" aria-label={t(l ? "shifts.edit" : "shifts.new")} onClose={onClose}>
      <form onSubmit={send}>
        <h2>{t(l ? "shifts.edit" : "shifts.new")}</h2>
        <label class="field">{t("shifts.person")}
          <select name="staff" value={staff} onChange={(e) => setStaff(e.currentTarget.value)}>{people.map((p) => <option key={p.staff} value={p.staff}>{p.name}</option>)}</select>
        </label>
        <label class="field">{t("shifts.as")}
          <select name="role" value={chosen} onChange={(e) => setRole(e.currentTarget.value)}>{roles.map((r) => <option key={r} value={r}>{t(`shifts.role.${r}`)}</option>)}</select>
        </label>
        <label class="field">{t("shifts.day")}<input name="day" type="date" required value={day} onInput={(e) => setDay(e.currentTarget.value)} /></label>
        <p class="row" role="group" aria-label={t("shifts.time")}>{usual("day", "08:00", "20:00")}{usual("night", "20:00", "08:00")}</p>
        <p class="row">
          <label class="field">{t("shifts.from")}<input name="from" type="time" required value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
          <label class="field">{t("shifts.to")}<input name="to" type="time" required value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        </p>
        <p class="row">
          <label class="field">{t("shifts.seatname")}<input name="seat" maxLength={40} value={seat} onInput={(e) => setSeat(e.currentTarget.value)} /></label>
          <label class="field">{t("shifts.unit")}<input name="unit" maxLength={40} value={unit} onInput={(e) => setUnit(e.currentTarget.value)} /></label>
        </p>
        <p class="row">
          <button type="submit" class="go" disabled={!chosen}>{t("shifts.save")}</button>
          {onStrike && <button type="button" class="warnbtn" data-act="strike" onClick={onStrike}>{t("shifts.strike")}</button>}
          <span class="grow" />
          <button type="button" onClick={() => box.current?.close()}>{t("close")}</button>
        </p>
      </form>
    </dialog>
  );
}
