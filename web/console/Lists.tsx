import { t } from "../lib/i18n";
import type { OperatorRow, WaitingRow } from "../lib/wire.gen";
import { useConsole, words } from "./context";
import { RowActs } from "./GuestBar";
import { Accuracy, Elapsed, Key } from "./Small";
import { RungBadge } from "./Thin";
import { useNearby } from "./nearby";

/** Waiting calls in the order they will be offered. */
export function Queue() {
  const { view } = useConsole();
  const rows = view.state?.waiting ?? [];
  return (
    <section class="panel queue" aria-label={t("queue")} data-focus="queue" tabIndex={-1}>
      <h2>{t("queue")} <span class="count">{rows.length + (view.state?.more ?? 0)}</span> <Key act="queue" /></h2>
      {rows.length === 0 && <p class="empty">{t("queue.empty")}</p>}
      <ol>
        {rows.map((w) => <Waiting key={w.call} row={w} late={(view.state?.target.answerS ?? 0) * 1000} />)}
      </ol>
      {(view.state?.more ?? 0) > 0 && <p class="hint">{t("queue.more", { n: view.state?.more ?? 0 })}</p>}
    </section>
  );
}

function Waiting({ row: w, late }: { row: WaitingRow; late: number }) {
  const { desk, view } = useConsole();
  const near = useNearby(w.fix);
  const over = late > 0 && desk.now + view.skewMs - w.sinceMs > late;
  return (
    <li class={`waiting p${Math.min(w.priority, 3)}`} id={`w-${w.call}`} tabIndex={-1}>
      <p>
        <span class="p">P{w.priority}</span>
        <b class={`k ${w.kind}`}>{t(`kind.${w.kind}`)}</b>
        <span class={over ? "late" : ""}>
          <Elapsed since={w.sinceMs} />
          {over && <span class="unseen"> {t("queue.late")}</span>}
        </span>
        <span class="grow" />
        <RungBadge media={w} />
        {w.linkLost && <span class="warn">{t("queue.linklost")}</span>}
      </p>
      <p>
        {w.place || near || t("where.none")}
        {w.fix && <span class="hint"><Accuracy fix={w.fix} /></span>}
      </p>
      <p class="hint">{w.name || t("person.noname")} · {t(`mic.${w.mic}`)}{w.camera === "on" ? ` · ${t("cam.on")}` : ""}</p>
      {w.offered && <p class="rings">{t("queue.rings", { name: w.offered })}</p>}
    </li>
  );
}

/** The other operators and what they do. */
export function Team() {
  const { view, lang } = useConsole();
  const rows = view.state?.operators ?? [];
  const reason = (r: OperatorRow) => view.pauses.find((p) => p.key === r.reason);
  return (
    <section class="panel team" aria-label={t("team")}>
      <h2>{t("team")} <span class="count">{rows.length}</span></h2>
      <ul>
        {rows.map((r) => {
          const why = reason(r);
          return (
            <li key={r.staff}>
              <span class="name">{r.name}{r.staff === view.staff?.staff && <span class="hint"> {t("team.me")}</span>}</span>
              <span class={`duty duty-${r.state}`}>{t(`duty.${r.state}`)}{why && ` (${words(why.words, lang)})`}</span>
              <Elapsed since={r.sinceMs} />
              {(r.number || r.after) && (
                <span class="hint">{r.number && `${t("no")} ${r.number}`}{r.after && ` ${t("duty.then", { state: t(`duty.${r.after}`) })}`}</span>
              )}
              <RowActs row={r} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
