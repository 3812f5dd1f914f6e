import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { may } from "../may";
import { give, type HandOvers, type Held, reply } from "./api";
import { useAct } from "./useShifts";

interface Props { hand: HandOvers; put: (h: HandOvers) => void; look: () => void }

/** Cases go from hand to hand: offered by their owner, accepted one by one, and never nobody's meanwhile. */
export function HandOver({ hand, put, look }: Props) {
  const { view } = useConsole();
  const act = useAct();
  const done = (p: Promise<HandOvers | undefined>) => void p.then((h) => (h ? put(h) : look()));
  return (
    <>
      <section class="panel" aria-label={t("shifts.offered")} data-hand="offered">
        <h2>{t("shifts.offered")} <span class={hand.offered.length > 0 ? "count new" : "count"}>{hand.offered.length}</span></h2>
        {hand.offered.length === 0 && <p class="empty">{t("shifts.offered.none")}</p>}
        <ul class="held">
          {hand.offered.map((h) => (
            <li key={h.case} data-case={h.case}>
              <span><b>{h.number}</b> {h.unit && <span class="hint">{h.unit}</span>} <span class="hint">{t("shifts.from.person", { name: h.owner })}</span></span>
              <button type="button" class="go small" data-act="accept" onClick={() => done(act(() => reply(h.case, true)))}>{t("shifts.accept")}</button>
              <button type="button" class="small" data-act="decline" onClick={() => done(act(() => reply(h.case, false)))}>{t("shifts.decline")}</button>
            </li>
          ))}
        </ul>
      </section>
      <Give title={t("shifts.mine")} name="mine" none={t("shifts.mine.none")} held={hand.mine} hand={hand} done={done} />
      {may(view.staff, "manage_shifts") && hand.left.length > 0 && <Give title={t("shifts.left")} name="left" none="" held={hand.left} hand={hand} done={done} />}
    </>
  );
}

/** Cases to choose among, and whom to offer them to. */
function Give({ title, name, none, held, hand, done }: { title: string; name: string; none: string; held: Held[]; hand: HandOvers; done: (p: Promise<HandOvers | undefined>) => void }) {
  const act = useAct();
  const { view } = useConsole();
  const [left, setLeft] = useState<Set<string>>(new Set()); // those that are not chosen: at the end of a shift it is all of them
  const [to, setTo] = useState("");
  const next = name === "left" && view.staff ? [...hand.successors, { staff: view.staff.staff, name: view.staff.name }] : hand.successors;
  const whom = next.some((p) => p.staff === to) ? to : (next[0]?.staff ?? "");
  const free = held.filter((h) => !h.handing);
  const chosen = free.filter((h) => !left.has(h.case));
  const turn = (id: string) => setLeft((old) => {
    const set = new Set(old);
    if (!set.delete(id)) set.add(id);
    return set;
  });
  return (
    <section class="panel" aria-label={title} data-hand={name} tabIndex={-1}>
      <h2>{title} <span class="count">{held.length}</span></h2>
      {held.length === 0 && <p class="empty">{none}</p>}
      <ul class="held">
        {held.map((h) => (
          <li key={h.case} data-case={h.case}>
            {h.handing
              ? <span><b>{h.number}</b> <span class="rings">{t("shifts.waits", { name: h.handing })}</span></span>
              : (
                <label>
                  <input type="checkbox" checked={!left.has(h.case)} onChange={() => turn(h.case)} /> <b>{h.number}</b>
                  {h.unit && <span class="hint"> {h.unit}</span>}{name === "left" && <span class="hint"> {h.owner}</span>}
                </label>
              )}
            {h.handing && <button type="button" class="small" data-act="takeback" onClick={() => done(act(() => give("", [h.case])))}>{t("shifts.takeback")}</button>}
          </li>
        ))}
      </ul>
      {free.length > 0 && next.length === 0 && <p class="warn">{t("shifts.nosuccessor")}</p>}
      {free.length > 0 && next.length > 0 && (
        <p class="row">
          <label class="row">{t("shifts.whom")}
            <select name="to" value={whom} onChange={(e) => setTo(e.currentTarget.value)}>{next.map((p) => <option key={p.staff} value={p.staff}>{p.name}</option>)}</select>
          </label>
          <button type="button" class="go" data-act="offer" disabled={chosen.length === 0} onClick={() => done(act(() => give(whom, chosen.map((h) => h.case))))}>{t("shifts.give", { n: chosen.length })}</button>
        </p>
      )}
      {held.length > 0 && <p class="hint">{t("shifts.owned")}</p>}
    </section>
  );
}
