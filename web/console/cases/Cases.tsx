import { useMemo, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { useWhere } from "../useRoom";
import { CaseCard } from "./CaseCard";
import { CaseDrafts } from "./caseDrafts";
import "./cases.css";
import { type Filters, nothing, readFilters, writeFilters } from "./filters";
import { List } from "./List";
import { RoomOfCases } from "./room";
import { useChoices } from "./useCase";

/** The room of cases: what there is to do on the left, one case on the right. The address says both. */
export default function Cases() {
  const { view } = useConsole();
  const { query, go } = useWhere();
  const choices = useChoices();
  const drafts = useMemo(() => new CaseDrafts(localStorage, view.staff?.staff ?? ""), [view.staff?.staff]);
  const filters = useMemo(() => readFilters(query), [query.toString()]);
  const chosen = query.get("case") || undefined;
  const [wide, setWide] = useState(false);
  const look = (f: Filters, replace?: boolean) => go("cases", writeFilters(f, { case: chosen ?? "" }), replace);
  const room = {
    choices, drafts,
    openCase: (id: string | undefined) => go("cases", writeFilters(filters, { case: id ?? "" })),
    around: (at: { lat: number; lon: number }) => look({ ...nothing, show: "all", near: `${at.lat.toFixed(5)},${at.lon.toFixed(5)},500` }),
  };
  return (
    <RoomOfCases.Provider value={room}>
      <main class={wide ? "cases wide" : "cases"} aria-label={t("cases.title")}>
        <List filters={filters} chosen={chosen} look={look} />
        {chosen
          ? <CaseCard key={chosen} id={chosen} wide={wide} onWide={() => setWide(!wide)} />
          : <section class="panel casecard none"><p class="empty">{t("cases.choose")}</p></section>}
      </main>
    </RoomOfCases.Provider>
  );
}
