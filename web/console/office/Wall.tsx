import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole, useServerNow, words } from "../context";
import { Bars } from "./Bars";
import { addDays, dayCurve, dayWords, siteClock, utc, weekdayOf } from "./figures";
import { Heat } from "./Heat";
import { LimitsBox } from "./Limits";
import "./office.css";
import { Plot } from "./Plot";
import { Seats } from "./Seats";
import { Tiles } from "./Tiles";
import type { WallView } from "./api";
import { staleMs, useAnswers, useWall } from "./useWall";

/** How the centre stands: for a supervisor's own screen, and for the wall of the room. */
export default function Wall() {
  const { lang } = useConsole();
  const { wall, atMs, trouble } = useWall();
  const [limits, setLimits] = useState(false);
  const [room, setRoom] = useRoomScreen();
  useServerNow(500); // the board goes stale by itself
  if (!wall) return <main class="replaced"><p role="status">{trouble ? words(trouble, lang) : t("room.loading")}</p></main>;
  const stale = Date.now() - atMs > staleMs;
  const oldCount = wall.nowMs - wall.atMs > staleMs + 1000; // it is counted once a second
  const clock = siteClock(wall.nowMs, wall.utcMin);
  return (
    <main class={room ? "office wall roomscreen" : "office wall"} data-stale={stale}>
      <header class="officehead">
        <h2>{t("wall.title")}</h2>
        <b class="clock">{dayWords(clock.day)} {clock.time}</b>
        <span class="hint">{wall.zone} ({utc(wall.utcMin)})</span>
        <span class="grow" />
        {stale && <b class="warn" role="alert">{t("wall.nonews", { s: Math.round((Date.now() - atMs) / 1000) })}</b>}
        {!stale && oldCount && <b class="warn">{t("wall.oldcount", { s: Math.round((wall.nowMs - wall.atMs) / 1000) })}</b>}
        {!wall.whole && <span class="warn">{t("wall.reading")}</span>}
        {!room && <button type="button" class="small" onClick={() => setLimits(true)}>{t("wall.limits")}</button>}
        <button type="button" class="small" aria-pressed={room} data-act="roomscreen" onClick={() => setRoom(!room)}>{t(room ? "wall.room.leave" : "wall.room")}</button>
      </header>
      <Tiles wall={wall} stale={stale} oldCount={oldCount} />
      <div class="wallbody">
        <Seats wall={wall} room={room} />
        <Around wall={wall} />
      </div>
      {limits && <LimitsBox utcMin={wall.utcMin} onClose={() => setLimits(false)} />}
    </main>
  );
}

/** What the moment is compared with: the usual day, the usual week, what it is about. */
function Around({ wall }: { wall: WallView }) {
  const day = wall.day;
  const q = (o: Record<string, string>) => new URLSearchParams(o);
  const month = { first: addDays(day, -28), last: addDays(day, -1) };
  const [today, usual, heat, kinds] = useAnswers([
    q({ first: day, last: day, by: "hour" }), q({ ...month, by: "hour", weekday: String(weekdayOf(day)) }), q({ ...month, by: "hour_weekday" }), q({ first: addDays(day, -6), last: day, by: "kind" }),
  ], 30_000);
  const { lang } = useConsole();
  const now = siteClock(wall.nowMs, wall.utcMin).hour;
  const curve = today && usual ? dayCurve(today.rows, usual.rows, now, 4) : [];
  return (
    <>
      <section class="panel" aria-label={t("wall.heat")}>
        <h2>{t("wall.heat")} <span class="hint">{t("wall.heat.of")}</span></h2>
        {heat ? <Heat rows={heat.rows} hours={2} name={t("wall.heat")} /> : <Waiting />}
      </section>
      <section class="panel" aria-label={t("wall.curve")}>
        <h2>{t("wall.curve")}</h2>
        {today && usual
          ? <Plot name={t("wall.curve")} fill labels={curve.map((c) => c.hour)} series={[
              { name: t("wall.curve.now"), values: curve.map((c) => c.now), kind: "bars", colour: "blue" },
              { name: t("wall.curve.usual"), values: curve.map((c) => c.usual), kind: "line", colour: "yellow", dashed: true },
            ]} />
          : <Waiting />}
      </section>
      <section class="panel kinds" aria-label={t("wall.kinds")}>
        <h2>{t("wall.kinds")} <span class="hint">{t("wall.kinds.of")}</span></h2>
        {kinds ? <Bars name={t("wall.kinds")} head={t("office.kind")} bars={kinds.rows.slice(0, 6).map((r) => ({ key: r.key, name: r.name[lang], n: r.contacts, share: r.share }))} /> : <Waiting />}
      </section>
    </>
  );
}

function Waiting() {
  return <p class="empty" role="status">{t("office.counting")}</p>;
}

/** The board alone on the whole screen. Leaving the full screen by its own key leaves this too. */
function useRoomScreen(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const changed = () => !document.fullscreenElement && setOn(false);
    const key = (e: KeyboardEvent) => e.code === "Escape" && setOn(false);
    document.addEventListener("fullscreenchange", changed);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("fullscreenchange", changed);
      document.removeEventListener("keydown", key);
    };
  }, []);
  return [on, (next) => {
    setOn(next);
    if (next) void document.documentElement.requestFullscreen?.().catch(() => undefined); // without it the board still fills the window
    else if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
  }];
}

