import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { timeOfDay } from "../clock";
import { Elapsed } from "../Small";
import { kindOf, useBoard } from "./context";
import type { Entry } from "./rules";

/** Open cases: by priority, then what asks for an act, then the longest waiting. The arrows choose. */
export function CaseList() {
  const { state, choose } = useBoard();
  const list = state.entries;
  const step = (e: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.code];
    if (!by || list.length === 0) return;
    e.preventDefault();
    const at = list.findIndex((x) => x.row.case === state.chosen);
    pick(list[Math.min(list.length - 1, Math.max(0, at + by))]?.row.case, choose);
  };
  return (
    <section class="panel boardcases" aria-label={t("board.cases")} onKeyDown={step}>
      <h2>{t("board.cases")} <span class="count">{list.length}</span></h2>
      {!state.known && !state.trouble && <p class="empty" role="status">{t("board.loading")}</p>}
      {state.trouble && <Trouble />}
      {state.known && list.length === 0 && (
        <p class="empty">{state.lastClosedMs ? t("board.empty.since", { time: timeOfDay(state.lastClosedMs).slice(0, 5) }) : t("board.empty")}</p>
      )}
      <ol>{list.map((e) => <Row key={e.row.case} entry={e} />)}</ol>
    </section>
  );
}

/** Chooses a case and brings the focus to it. */
export function pick(id: string | undefined, choose: (id: string) => void): void {
  if (!id) return;
  choose(id);
  requestAnimationFrame(() => document.getElementById(`b-${id}`)?.focus());
}

function Trouble() {
  const { state } = useBoard();
  const { lang } = useConsole();
  return <p class="bad" role="alert">{state.trouble?.words?.[lang] ?? t("board.unreachable")}</p>;
}

function Row({ entry: e }: { entry: Entry }) {
  const { state, choose, choices } = useBoard();
  const { lang } = useConsole();
  const c = e.row;
  const chosen = state.chosen === c.case;
  return (
    <li>
      <button type="button" id={`b-${c.case}`} class={`boardrow p${Math.min(c.priority, 3) + 1} need-${e.need}`} aria-pressed={chosen} data-case={c.case} data-need={e.need} onClick={() => choose(c.case)}>
        <span class="caseline first">
          <b class="p">P{c.priority + 1}</b> <b class="digits">{c.number}</b>
          <span class="grow"><b class="need">{t(`board.need.${e.need}`)}</b></span>
          <Elapsed since={c.openedMs} />
        </span>
        <span class="caseline">
          <span>{kindOf(choices, c.kind, lang)}</span>
          {c.lane === "call" && <span class="hint">{t("board.call")}</span>}
          {c.lat === undefined && <span class="warn">{t("board.noplace")}</span>}
          {e.patrols.length > 0 && <b class="units">{e.patrols.map((p) => p.name).join(", ")}</b>}
        </span>
      </button>
    </li>
  );
}
