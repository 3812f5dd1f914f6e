import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole, useServerNow, words } from "../context";
import { Elapsed } from "../Small";
import { useWhere } from "../useRoom";
import { askHandOvers, askRoster, type HandOvers, type Roster, setOnDuty } from "./api";
import { addDays, dayWords, siteClock, utc } from "./figures";
import { HandOver } from "./HandOver";
import "./office.css";
import { RosterWeek } from "./Roster";
import { midnight, mondayOf, weekDays } from "./shifts";
import { useAct, usePolled } from "./useShifts";

const every = 4000;

/** Who works when, who is here now, and what they hand over to each other. */
export default function Shifts() {
  const { lang, view, desk } = useConsole();
  const { query, go } = useWhere();
  const [utcMin, setUTC] = useState(300);
  const asked = query.get("week");
  const monday = mondayOf(asked && /^\d{4}-\d\d-\d\d$/.test(asked) && !Number.isNaN(Date.parse(asked)) ? asked : siteClock(desk.now + view.skewMs, utcMin).day);
  const from = midnight(monday, utcMin) - 86_400_000; // the night shift of the Sunday before reaches in
  const roster = usePolled(async () => {
    const r = await askRoster(from, midnight(addDays(monday, 7), utcMin));
    setUTC(r.utcMin);
    return r;
  }, every, `${monday}${utcMin}`);
  const works = view.staff?.roles.some((r) => !["administrator", "investigator"].includes(r)) ?? false;
  const hand = usePolled<HandOvers | undefined>(() => (works ? askHandOvers() : Promise.resolve(undefined)), every, "hand");
  if (!roster.now) return <main class="replaced"><p role="status">{roster.trouble ? words(roster.trouble, lang) : t("room.loading")}</p></main>;
  const days = weekDays(monday);
  const show = (day: string) => go("shifts", new URLSearchParams({ week: day }), true);
  return (
    <main class="office shifts">
      <header class="officehead">
        <h2>{t("shifts.title")}</h2>
        <span class="row" role="group" aria-label={t("shifts.week")}>
          <button type="button" class="small" aria-label={t("shifts.earlier")} onClick={() => show(addDays(monday, -7))}>◀</button>
          <b>{dayWords(days[0] ?? "")}–{dayWords(days[6] ?? "")}</b>
          <button type="button" class="small" aria-label={t("shifts.later")} onClick={() => show(addDays(monday, 7))}>▶</button>
        </span>
        <button type="button" class="small" onClick={() => go("shifts", undefined, true)}>{t("shifts.thisweek")}</button>
        <span class="hint">{t("stats.zone", { zone: roster.now.zone, utc: utc(roster.now.utcMin) })}</span>
        <span class="grow" />
        {works && <Duty roster={roster.now} mine={hand.now?.mine.length ?? 0} changed={(r) => { roster.look(); hand.look(); void r; }} />}
      </header>
      {roster.trouble && <p class="bad" role="alert">{words(roster.trouble, lang)}</p>}
      <RosterWeek roster={roster.now} monday={monday} changed={roster.look} />
      <div class="shiftbody">
        <Here roster={roster.now} />
        {works && hand.now && <HandOver hand={hand.now} put={hand.put} look={hand.look} />}
      </div>
    </main>
  );
}

/** The own shift: begun and ended here. Whoever still has cases in hand is asked to hand them over first. */
function Duty({ roster, mine, changed }: { roster: Roster; mine: number; changed: (r: Roster) => void }) {
  const act = useAct();
  const { desk } = useConsole();
  const [asking, setAsking] = useState(false);
  const set = (on: boolean) => void act(() => setOnDuty(on)).then((r) => {
    setAsking(false);
    if (!r) return;
    desk.say(on ? "shifts.begun" : "shifts.ended");
    changed(r);
  });
  if (!roster.duty) return <button type="button" class="go" data-act="come" onClick={() => set(true)}>{t("shifts.begin")}</button>;
  return (
    <span class="row">
      <b class="met">✓ {t("shifts.onduty")}</b>
      {!asking && <button type="button" data-act="leave" onClick={() => (mine > 0 ? setAsking(true) : set(false))}>{t("shifts.end")}</button>}
      {asking && (
        <span class="row ask" role="alert">
          {t("shifts.askhand", { n: mine })}
          <button type="button" onClick={() => { setAsking(false); document.querySelector<HTMLElement>('[data-hand="mine"]')?.focus(); }}>{t("shifts.handfirst")}</button>
          <button type="button" class="warnbtn" data-act="leaveanyway" onClick={() => set(false)}>{t("shifts.endanyway")}</button>
        </span>
      )}
    </span>
  );
}

function Here({ roster }: { roster: Roster }) {
  useServerNow(30_000);
  const line = (id: string) => roster.lines.find((l) => l.line === id);
  return (
    <section class="panel" aria-label={t("shifts.here")}>
      <h2>{t("shifts.here")} <span class="count">{roster.on.length}</span></h2>
      {roster.on.length === 0 && <p class="empty">{t("shifts.nobody")}</p>}
      <ul class="here-list">
        {roster.on.map((o) => (
          <li key={o.staff} data-onduty={o.staff}>
            <b>{o.name}</b>
            <span class="hint">{line(o.line) ? `${t(`shifts.role.${line(o.line)?.role}`)}${line(o.line)?.seat ? ` · ${t("shifts.seat", { s: line(o.line)?.seat ?? "" })}` : ""}` : t("shifts.noline")}</span>
            <span><Elapsed since={o.sinceMs} /></span>
            <span class="hint">{o.untilMs > 0 ? t("shifts.until", { t: siteClock(o.untilMs, roster.utcMin).time }) : t("shifts.open")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
