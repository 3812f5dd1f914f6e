import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { coordinates } from "../../map/geo";
import { counts, type Fold } from "./fold";
import { type CaseItem, open } from "./model";
import { statusName, useAge, useKindName, useRoom } from "./room";

/** A case, and behind it those that may be about the same event. */
export function FoldRow({ fold, chosen, me }: { fold: Fold; chosen: string | undefined; me: string }) {
  const [opened, setOpened] = useState(false);
  const n = counts(fold);
  const within = fold.rest.some((c) => c.case === chosen);
  return (
    <li>
      <Row item={fold.head} chosen={chosen} me={me} />
      {n.all > 1 && (
        <div class="folded">
          {fold.rest.length > 0
            ? <button type="button" class="small" aria-expanded={opened || within} onClick={() => setOpened(!opened)}>{n.all > n.here ? t("cases.alike.of", { n: n.here, all: n.all }) : t("cases.alike", { n: n.here })}</button>
            : <span class="hint">{t("cases.alike.others", { n: n.all - 1 })}</span>}
          {(opened || within) && <ol>{fold.rest.map((c) => <li key={c.case}><Row item={c} chosen={chosen} me={me} /></li>)}</ol>}
        </div>
      )}
    </li>
  );
}

function Row({ item: c, chosen, me }: { item: CaseItem; chosen: string | undefined; me: string }) {
  const { openCase } = useRoom();
  const kind = useKindName();
  const old = useAge();
  const waits = c.lane === "report" && c.repliedMs === 0 && open(c);
  return (
    <button
      type="button" class={`caserow p${c.priority + 1} ${c.status}`} aria-current={c.case === chosen ? "true" : undefined} data-case={c.number} onClick={() => openCase(c.case)}
    >
      <span class="line1">
        <span class="p">P{c.priority + 1}</span> <b class="digits">{c.number}</b> <span>{kind(c.kind)}</span>
        <span class="grow" />
        <span class={`casestatus ${c.status}`}>{c.into ? t("cases.merged") : statusName(c.status)}</span>
      </span>
      <span class="line2">
        {c.place || (c.lat !== undefined && c.lon !== undefined ? coordinates({ lat: c.lat, lon: c.lon }) : t("cases.noplace"))}
        {c.text && <span class="hint"> · {c.text}</span>}
      </span>
      <span class="line3 hint">
        <span>{t(`cases.lane.${c.lane}`)}, {old(c.openedMs)}</span>
        {waits && <b class="warn">{t("cases.unanswered")}</b>}
        {c.files > 0 && <span>{t("cases.files", { n: c.files })}</span>}
        {c.plate && <span class="digits">{c.plate}</span>}
        {c.patrols.length > 0 && <span>{c.patrols.join(", ")}{c.late && <b class="warn"> {t("cases.step.late")}</b>}</span>}
        {c.handing === me && me !== "" ? <b class="warn">{t("cases.foryou", { name: c.ownerName })}</b> : open(c) && <span>{c.owner ? (c.owner === me ? t("cases.yours") : c.ownerName) : t("cases.nobodys")}</span>}
      </span>
      {c.why.map((w) => <span key={w.what + w.text} class="why">{t(`cases.why.${w.what}`)}: {w.text}</span>)}
    </button>
  );
}
