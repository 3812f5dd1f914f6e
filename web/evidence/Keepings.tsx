import { useEffect, useRef, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { Keeping } from "./Keeping";
import { type KeepList, type KeepRow, kept, lists } from "./keeping";

const columns = ["number", "when", "class", "kept", "state"] as const;

/** Recordings on hold, on their way to deletion, due, and gone. Nothing of what was said is here. */
export function Keepings({ language }: { language: Lang }) {
  const [list, choose] = useState<KeepList>("pending");
  const [rows, setRows] = useState<KeepRow[] | null>(null);
  const [next, setNext] = useState("");
  const [wrong, setWrong] = useState("");
  const asked = useRef(0); // an answer that comes after another list was chosen is of no interest
  const load = (cursor: string) => {
    const mine = ++asked.current;
    return kept(list, cursor).then(
      (r) => {
        if (mine !== asked.current) return;
        setRows((old) => (cursor && old ? [...old, ...r.rows] : r.rows));
        setNext(r.next);
        setWrong("");
      },
      (err) => mine === asked.current && setWrong(saying(err)),
    );
  };
  useEffect(() => {
    setRows(null);
    void load("");
  }, [list]);
  const day = new Intl.DateTimeFormat(language, { day: "2-digit", month: "2-digit", year: "numeric" });
  const cells = (r: KeepRow) => ({
    number: <a href={`#keeping/${r.call}`}>№ {r.number}</a>,
    when: new Date(r.createdMs).toLocaleString(language),
    class: r.classWords[language],
    kept: day.format(r.untilMs),
    state: `${t(`keep.stage.${r.stage}`)}${r.held ? ` · ${t("keep.onhold")}` : ""}`,
  });
  return (
    <>
      <h1>{t("keep.list")}</h1>
      <div class="row" role="group" aria-label={t("keep.lists")}>
        {lists.map((l) => <button key={l} type="button" aria-pressed={l === list} onClick={() => choose(l)}>{t(`keep.list.${l}`)}</button>)}
      </div>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {!rows && !wrong && <p class="wait">{t("loading")}</p>}
      {rows?.length === 0 && <p class="wait" role="status">{t("keep.none")}</p>}
      {rows && rows.length > 0 && (
        <div class="panel scroll">
          <table role="table">
            <thead role="rowgroup">
              <tr role="row">{columns.map((c) => <th key={c} scope="col" role="columnheader">{t(`keep.col.${c}`)}</th>)}</tr>
            </thead>
            <tbody role="rowgroup">
              {rows.map((r) => (
                <tr key={r.call} role="row">
                  {columns.map((c) => <td key={c} role="cell" data-name={t(`keep.col.${c}`)}>{cells(r)[c]}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
          {next && <button type="button" onClick={() => void load(next)}>{t("more")}</button>}
        </div>
      )}
    </>
  );
}

/** The keeping of one recording, for those who may decide on it without hearing it. */
export function KeepingPage({ call, language, playable }: { call: string; language: Lang; playable: boolean }) {
  return (
    <>
      <div class="row">
        <a class="button" href="#keeping">{t("keep.back")}</a>
        <h1>{t("keep.title")}</h1>
        <span class="grow" />
        {playable && <a class="button" href={`#${call}`}>{t("keep.opencase")}</a>}
      </div>
      <Keeping key={call} call={call} language={language} open numbered />
    </>
  );
}
