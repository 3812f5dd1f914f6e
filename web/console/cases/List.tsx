import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole, words } from "../context";
import { RestError } from "../rest";
import * as api from "./api";
import { FilterBar } from "./FilterBar";
import { asked, type Filters, nothing, restricted } from "./filters";
import { arrange, fold } from "./fold";
import { FoldRow } from "./Row";
import type { CaseItem } from "./model";
import { useAge, useRoom } from "./room";
import { useCaseNews } from "./useCase";

interface Page {
  of: string;
  cases: CaseItem[];
  next: string;
  oldest?: CaseItem;
}

/** News comes in bursts: a merge changes two cases, a patrol several. */
const gatherMs = 250;
const oldestAsked = new URLSearchParams({ open: "1", unanswered: "1", lane: "report", order: "oldest", limit: "1" });

/** What is to be done, as the filters say; it looks again by itself. */
export function List({ filters, chosen, look }: { filters: Filters; chosen: string | undefined; look: (f: Filters, replace?: boolean) => void }) {
  const { view } = useConsole();
  const me = view.staff?.staff ?? "";
  const query = asked(filters, me).toString();
  const [page, setPage] = useState<Page>();
  const [trouble, setTrouble] = useState<RestError>();
  const latest = useRef(query);
  latest.current = query;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const fetchIt = () => {
    const of = latest.current;
    Promise.all([api.find(new URLSearchParams(of)), api.find(oldestAsked)]).then(
      ([p, first]) => {
        if (latest.current !== of) return;
        setTrouble(undefined);
        setPage({ of, ...p, oldest: first.cases[0] });
      },
      (err: unknown) => {
        if (latest.current !== of) return;
        setTrouble(err instanceof RestError ? err : new RestError("unreachable"));
        later(3000);
      },
    );
  };
  const later = (ms: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(fetchIt, ms);
  };
  useEffect(fetchIt, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useCaseNews(() => later(gatherMs));
  const folds = fold(arrange(page?.cases ?? [], me));
  return (
    <section class="panel caselist" aria-label={t("cases.list")} data-focus="queue" tabIndex={-1}>
      <FilterBar filters={filters} look={look} />
      <Oldest item={page?.oldest} />
      {trouble && <Trouble err={trouble} />}
      <Found page={page} stale={page !== undefined && page.of !== query} folds={folds.length} filters={filters} look={look} />
      <ol class="caserows" onKeyDown={walkRows}>
        {folds.map((f) => <FoldRow key={f.head.case} fold={f} chosen={chosen} me={me} />)}
      </ol>
      <Pages page={page} filters={filters} look={look} />
    </section>
  );
}

/** The report that has waited longest for a word stands above everything, whatever is filtered. */
function Oldest({ item }: { item: CaseItem | undefined }) {
  const { openCase } = useRoom();
  const old = useAge();
  if (!item) return null;
  return (
    <button type="button" class="oldest" onClick={() => openCase(item.case)}>
      <span>{t("cases.oldest")}: <b>{t("no")} {item.number}</b></span> <b>{old(item.openedMs)}</b>
    </button>
  );
}

function Trouble({ err }: { err: RestError }) {
  const { lang } = useConsole();
  return <p class="bad" role="alert">{words(err.words ?? "error.noanswer", lang)}</p>;
}

function Found({ page, stale, folds, filters, look }: { page: Page | undefined; stale: boolean; folds: number; filters: Filters; look: (f: Filters) => void }) {
  const n = page?.cases.length ?? 0;
  const any = restricted(filters) > 0 || filters.text !== "";
  return (
    <p class="found" role="status">
      {page === undefined || stale ? t("cases.looking") : n === 0 ? t(any ? "cases.none" : "cases.empty") : t("cases.found", { n, folds }) + (page.next ? "+" : "")}
      {any && <button type="button" class="small" onClick={() => look(nothing)}>{t("cases.clear")}</button>}
    </p>
  );
}

function Pages({ page, filters, look }: { page: Page | undefined; filters: Filters; look: (f: Filters) => void }) {
  if (!page || (!page.next && !filters.cursor)) return null;
  return (
    <p class="row pages">
      {filters.cursor && <button type="button" onClick={() => look({ ...filters, cursor: "" })}>{t("cases.first")}</button>}
      {page.next && <button type="button" onClick={() => look({ ...filters, cursor: page.next })}>{t("cases.next")}</button>}
    </p>
  );
}

/** Arrow keys walk the rows. */
function walkRows(e: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const rows = [...e.currentTarget.querySelectorAll<HTMLElement>(".caserow")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[e.code];
  if (at < 0 || to === undefined) return;
  e.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
}

