import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole, words } from "../context";
import { CloseForm } from "./CloseForm";
import { Course } from "./Course";
import { Head } from "./Head";
import { Lines } from "./Lines";
import { Media } from "./Media";
import { Places } from "./Places";
import { HandContext, useRoom } from "./room";
import { Told } from "./Told";
import { Ties } from "./Ties";
import { useCase } from "./useCase";

/** One case: what it is, where, who, what came with it, what was done, and what can be done with it. */
export function CaseCard({ id, wide, onWide }: { id: string; wide: boolean; onWide: () => void }) {
  const { lang, desk } = useConsole();
  const { drafts, openCase } = useRoom();
  const one = useCase(id);
  const [draft, setDraft] = useState(() => drafts.read(id));
  const close = () => openCase(undefined);
  if (!one.view) {
    return (
      <section class="panel casecard none" aria-label={t("cases.card")}>
        <p class={one.trouble ? "bad" : "empty"} role={one.trouble ? "alert" : "status"}>{one.trouble ? words(one.trouble.words ?? "error.noanswer", lang) : t("cases.looking")}</p>
        <p class="row">
          {one.trouble && <button type="button" onClick={one.look}>{t("retry")}</button>}
          <button type="button" onClick={close}>{t("close")}</button>
        </p>
      </section>
    );
  }
  const view = one.view;
  const hand = { ...one, view, draft, write: (change: typeof draft) => setDraft(drafts.write(id, change, desk.now)), mayEdit: view.may.includes("edit") };
  return (
    <HandContext.Provider value={hand}>
      <section class="panel casecard" aria-label={t("cases.card.of", { number: view.number })} data-case={view.number} tabIndex={-1} onKeyDown={(e) => e.code === "Escape" && !e.defaultPrevented && close()}>
        <Head wide={wide} onWide={onWide} onClose={close} />
        {one.stale && <p class="banner warn" role="alert">{t("cases.stale")} <button type="button" class="small" onClick={one.seen}>{t("cases.stale.seen")}</button></p>}
        <div class="casebody">
          <div class="column">
            <Places />
            <Lines />
          </div>
          <div class="column">
            <CloseForm />
            <Media />
            <Ties />
            <Told />
            <Course id={id} version={view.version} />
          </div>
        </div>
      </section>
    </HandContext.Provider>
  );
}
