import { useEffect, useState } from "preact/hooks";
import { addLocale, t } from "../../lib/i18n";
import { useConsole, useServerNow } from "../context";
import { useWhere } from "../useRoom";
import { askHandOvers, askRoster } from "./api";
import { siteClock } from "./figures";
import { proposal } from "./shifts";
import { usePolled } from "./useShifts";

const every = 15_000;
const halfDay = 12 * 3_600_000;
const works = ["operator", "dispatcher", "camera", "navigation", "supervisor"];

/** In every room: cases are offered to me, or my shift ends and cases are in my hands. */
export function ShiftBar() {
  const { view, desk, lang } = useConsole();
  const { room, rooms, go } = useWhere();
  const [loaded, setLoaded] = useState("");
  const me = view.staff?.staff ?? "";
  const mine = view.staff?.roles.some((r) => works.includes(r)) ?? false;
  const here = mine && room !== "shifts" && rooms.some((r) => r.id === "shifts");
  useEffect(() => {
    if (here && loaded !== lang) void addLocale("office", lang).then(() => setLoaded(lang), () => undefined);
  }, [here, lang]);
  const state = usePolled(async () => {
    if (!here) return undefined;
    const now = desk.now + view.skewMs;
    const [hand, roster] = await Promise.all([askHandOvers(), askRoster(now - halfDay, now + halfDay)]);
    return { hand, roster };
  }, every, `${here}`);
  const now = useServerNow(10_000);
  if (!here || !state.now || loaded !== lang) return null;
  const { hand, roster } = state.now;
  const p = proposal(me, roster.on, roster.lines, hand.mine, now);
  if (hand.offered.length === 0 && !p) return null;
  return (
    <p class="banner warn shiftbar" role="status">
      {hand.offered.length > 0 && <b>{t("shifts.bar.offered", { n: hand.offered.length })}</b>}
      {p && <b>{t(p.over ? "shifts.bar.over" : "shifts.bar.ends", { t: siteClock(p.endsMs, roster.utcMin).time, n: p.cases })}</b>}
      <button type="button" class="small" data-act="handover" onClick={() => go("shifts")}>{t("shifts.bar.open")}</button>
    </p>
  );
}
