import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { Elapsed, Left } from "../Small";
import { useWhere } from "../useRoom";
import { Pick } from "./FilterBar";
import { HandOver } from "./HandOver";
import { open } from "./model";
import { statusName, useAge, useHand, useKindName, useOutcomeName, useRoom } from "./room";

/** The line of a case: which, how urgent, how it stands and since when, and what can be done with it now. */
export function Head({ wide, onWide, onClose }: { wide: boolean; onWide: () => void; onClose: () => void }) {
  const { view: c } = useHand();
  const old = useAge();
  const outcome = useOutcomeName();
  return (
    <header class="casehead">
      <h2>
        <span class={`p p${c.priority + 1}`}>P{c.priority + 1}</span>
        <span class="digits large">{t("no")} {c.number}</span>
        <span class={`casestatus ${c.status}`} role="status">{c.into ? t("cases.merged.into", { number: c.intoNumber }) : statusName(c.status)}</span>
        <Elapsed since={c.sinceMs} />
        <span class="grow" />
        <button type="button" class="small wideonly" aria-pressed={wide} onClick={onWide}>{t("cases.wide")}</button>
        <button type="button" class="small" onClick={onClose}>{t("close")} <kbd>Esc</kbd></button>
      </h2>
      <p class="hint facts">
        <span>{t(`cases.lane.${c.lane}`)}, {old(c.openedMs)}</span>
        {c.unit && <span>{t("cases.f.unit")}: {c.unit}</span>}
        {c.reopenings > 0 && <b class="warn">{t("cases.reopened", { n: c.reopenings })}</b>}
        {c.outcome && <span>{t("outcome")}: {outcome(c.outcome)}</span>}
        <span>{c.owner ? t("cases.owner", { name: c.ownerName }) : t("cases.nobodys")}{c.handing && <b class="warn"> → {t("cases.handing", { name: c.handingName })}</b>}</span>
      </p>
      <Acts />
      {open(c) && <Classify />}
    </header>
  );
}

function Acts() {
  const { view: me, desk } = useConsole();
  const { go } = useWhere();
  const { view: c, act, mayEdit } = useHand();
  const { openCase } = useRoom();
  const [handing, setHanding] = useState(false);
  const mine = me.staff?.staff ?? "";
  const inHand = me.card !== undefined && c.recordings.some((r) => r.call === me.card?.call);
  const waits = c.status === "closed" && c.undoMs > desk.now + me.skewMs;
  return (
    <div class="row caseacts">
      {inHand && <button type="button" class="go" onClick={() => go("desk")}>{t("cases.todesk")}</button>}
      {c.into && <button type="button" onClick={() => openCase(c.into)}>{t("cases.open.into", { number: c.intoNumber })}</button>}
      {mayEdit && open(c) && (
        <>
          {c.handing === mine && (
            <>
              <button type="button" class="go" onClick={() => void act({ act: "accept" })}>{t("cases.accept")}</button>
              <button type="button" onClick={() => void act({ act: "decline" })}>{t("cases.decline")}</button>
            </>
          )}
          {!c.owner && <button type="button" class="go" onClick={() => void act({ act: "take" })}>{t("cases.take")}</button>}
          {c.owner === mine && (
            <div class="anchor">
              <button type="button" aria-expanded={handing} aria-haspopup="menu" onClick={() => setHanding(!handing)}>{t("cases.handover")}</button>
              {handing && <HandOver onClose={() => setHanding(false)} />}
            </div>
          )}
          {c.owner === mine && c.handing && <button type="button" onClick={() => void act({ act: "hand_over", to: "" })}>{t("cases.handover.back")}</button>}
        </>
      )}
      {c.may.includes("take_over") && open(c) && c.owner && c.owner !== mine && <button type="button" onClick={() => void act({ act: "take_over" })}>{t("cases.takeover")}</button>}
      {waits && mayEdit && <button type="button" class="warnbtn" onClick={() => void act({ act: "unclose" })}>{t("cases.unclose")} <Left until={c.undoMs} /></button>}
      {c.status === "closed" && !c.into && !waits && mayEdit && <Reopen />}
    </div>
  );
}

function Reopen() {
  const { act } = useHand();
  const [why, setWhy] = useState<string>();
  if (why === undefined) return <button type="button" onClick={() => setWhy("")}>{t("cases.reopen")}</button>;
  return (
    <form class="row" onSubmit={(e) => { e.preventDefault(); void act({ act: "reopen", reason: why.trim() }).then((ok) => ok && setWhy(undefined)); }}>
      <input aria-label={t("cases.reopen.why")} placeholder={t("cases.reopen.why")} maxLength={500} required autofocus value={why} onInput={(e) => setWhy(e.currentTarget.value)} />
      <button type="submit" class="go">{t("cases.reopen")}</button>
      <button type="button" onClick={() => setWhy(undefined)}>{t("cases.cancel")}</button>
    </form>
  );
}

/** Pure: the priority that comes with the first word of what it is. It may hurry a case, never delay one: a caller waits for no form. */
export function firstPriority(c: { kind: string; priority: number }, usual: number | undefined): number {
  return c.kind || usual === undefined ? c.priority : Math.min(c.priority, usual);
}

/** What it is and how urgent; one choice is one act, and can be taken back. */
function Classify() {
  const { desk } = useConsole();
  const { choices } = useRoom();
  const { view: c, act, mayEdit } = useHand();
  const kind = useKindName();
  const say = async (next: { kind: string; priority: number }) => {
    const before = { kind: c.kind, priority: c.priority };
    if (!(await act({ act: "classify", ...next, version: c.version }))) return;
    desk.say("cases.classified", before.kind ? { undo: () => { desk.hush(); void act({ act: "classify", ...before }); } } : {});
  };
  if (!mayEdit) return <p>{kind(c.kind)} · {t(`cases.p.${c.priority}`)}</p>;
  return (
    <div class="row classify">
      <Pick name={t("cases.kind")} value={c.kind} of={choices.kinds.map((k) => k.code)} words={kind} onPick={(k) => void say({ kind: k, priority: firstPriority(c, choices.kinds.find((x) => x.code === k)?.priority) })} />
      <Pick name={t("cases.priority")} value={String(c.priority)} of={["0", "1", "2", "3"]} words={(p) => t(`cases.p.${p}`)} onPick={(p) => (c.kind ? void say({ kind: c.kind, priority: Number(p) }) : desk.say("cases.kindfirst", { bad: true }))} />
    </div>
  );
}
