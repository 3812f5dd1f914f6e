import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import * as api from "./api";
import { type CaseRef, open, type SimilarCase } from "./model";
import { statusName, useHand, useKindName, useRoom } from "./room";
import { useCaseNews } from "./useCase";

/** Cases about the same event: those that were put into this one, those it has to do with, and what may be one of them. */
export function Ties() {
  const { view: c, mayEdit } = useHand();
  const { desk } = useConsole();
  const { act } = useHand();
  const list = useSimilar(c.case, c.version, c.into === "");
  const known = new Set([c.case, c.into, ...c.links.map((l) => l.case), ...c.merged.map((l) => l.case)]);
  const proposals = list.filter((s) => !known.has(s.case));
  if (c.links.length + c.merged.length + proposals.length === 0) return null;
  const undoable = (words: string, undo: () => void) => desk.say(words, { undo: () => { desk.hush(); undo(); } });
  const merge = async (other: string) => {
    if (await act({ act: "merge", case: c.case }, other)) undoable("cases.merged.done", () => void act({ act: "split", case: c.case }, other));
  };
  const mergeInto = async (other: string) => {
    if (await act({ act: "merge", case: other })) undoable("cases.merged.done", () => void act({ act: "split", case: other }));
  };
  const link = async (other: string, off = false) => {
    if (await act({ act: off ? "unlink" : "link", case: other })) undoable(off ? "cases.unlinked" : "cases.linked", () => void act({ act: off ? "link" : "unlink", case: other }));
  };
  return (
    <section class="panel ties" aria-label={t("cases.ties")}>
      <h3>{t("cases.ties")}</h3>
      {c.merged.length > 0 && (
        <ul aria-label={t("cases.mergedin")}>
          {c.merged.map((r) => (
            <li key={r.case}>{t("cases.mergedin")}: <Ref r={r} /> {mayEdit && <button type="button" class="small" data-tie="split" onClick={() => void act({ act: "split", case: c.case }, r.case)}>{t("cases.split")}</button>}</li>
          ))}
        </ul>
      )}
      {c.links.length > 0 && (
        <ul aria-label={t("cases.links")}>
          {c.links.map((r) => (
            <li key={r.case}>{t("cases.links")}: <Ref r={r} /> {mayEdit && <button type="button" class="small" data-tie="unlink" onClick={() => void link(r.case, true)}>{t("cases.unlink")}</button>}</li>
          ))}
        </ul>
      )}
      {proposals.length > 0 && (
        <>
          <h4>{t("cases.similar", { n: proposals.length })}</h4>
          <ul class="similar">
            {proposals.map((s) => <Proposal key={s.case} s={s} mayMerge={mayEdit && open(c) && open(s)} mayLink={mayEdit} merge={merge} mergeInto={mergeInto} link={link} />)}
          </ul>
        </>
      )}
    </section>
  );
}

interface ProposalProps {
  s: SimilarCase;
  mayMerge: boolean;
  mayLink: boolean;
  merge: (other: string) => Promise<void>;
  mergeInto: (other: string) => Promise<void>;
  link: (other: string) => Promise<void>;
}

function Proposal({ s, mayMerge, mayLink, merge, mergeInto, link }: ProposalProps) {
  const kind = useKindName();
  return (
    <li>
      <Ref r={s} /> <span>{kind(s.kind)}</span>
      <span class="hint"> {t("cases.similar.why", { p: Math.round(s.score * 100), m: Math.round(s.metres), min: Math.round(s.apartS / 60) })}</span>
      <span class="row" role="group" aria-label={t("cases.similar.of", { number: s.number })}>
        {mayMerge && <button type="button" class="small" data-tie="merge" onClick={() => void merge(s.case)}>{t("cases.merge")}</button>}
        {mayMerge && <button type="button" class="small" data-tie="into" onClick={() => void mergeInto(s.case)}>{t("cases.merge.into")}</button>}
        {mayLink && <button type="button" class="small" data-tie="link" onClick={() => void link(s.case)}>{t("cases.link")}</button>}
      </span>
    </li>
  );
}

function Ref({ r }: { r: CaseRef }) {
  const { openCase } = useRoom();
  return <button type="button" class="small digits" onClick={() => openCase(r.case)}>{t("no")} {r.number} · {statusName(r.status)}</button>;
}

/** What may be about the same event; it is asked again when the case or another one changes. */
function useSimilar(id: string, version: number, wanted: boolean): SimilarCase[] {
  const [list, setList] = useState<SimilarCase[]>([]);
  const [turn, setTurn] = useState(0);
  useCaseNews((changed) => changed !== id && setTurn((n) => n + 1));
  useEffect(() => {
    if (!wanted) return setList([]);
    let gone = false;
    const timer = setTimeout(() => api.similar(id).then((l) => !gone && setList(l), () => undefined), 200); // a case without proposals is whole
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, version, wanted, turn]);
  return list;
}
