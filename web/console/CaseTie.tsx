import { t } from "../lib/i18n";
import type { CaseView } from "./cases/model";
import { useWhere } from "./useRoom";

/** The case of the call in hand, and the way to it. */
export function CaseTie({ view }: { view: CaseView | undefined }) {
  const { go, rooms } = useWhere();
  if (!view || !rooms.some((r) => r.id === "cases")) return null;
  return (
    <p class="casetie row">
      <span>{t("case.of", { number: view.number })}</span>
      {view.into && <b class="warn">{t("case.merged", { number: view.intoNumber })}</b>}
      <span class="grow" />
      <button type="button" class="small" onClick={() => go("cases", new URLSearchParams({ case: view.into || view.case }))}>{t("case.open")}</button>
    </p>
  );
}
