import { useEffect, useState } from "preact/hooks";
import { type Lang, lang, t } from "../lib/i18n";
import { saying } from "./App";
import { Course } from "./Course";
import { type CaseEvidence, type Choices, caseEvidence, choices, type RecordingLine, type Report, verify } from "./rest";

/** What the check of one recording came to. */
type Checked = "checking" | "proven" | "sofar" | "faulty" | "failed";

/** Proven is what is right at every level; sofar is right as far as it could be checked: it runs, waits for the site's log,
 * or nobody outside has signed. As the exit code of the verifier says. Pure. */
export function cameTo(r: Report): Checked {
  if (r.exit === 0) return "proven";
  return r.exit === 2 ? "sofar" : "faulty";
}

/** A case whole: what was recorded of it, each with its proof, and every decision about it. */
export function Whole({ id, language }: { id: string; language: Lang }) {
  const [e, setEvidence] = useState<CaseEvidence | null>(null);
  const [words, setWords] = useState<Choices>({ kinds: [], outcomes: [] });
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    setEvidence(null);
    caseEvidence(id).then(setEvidence, (err) => setWrong(saying(err)));
    choices().then(setWords, () => undefined); // without it codes stand where words would
  }, [id]);
  if (wrong) return <p class="bad" role="alert">{wrong} <a href="#">{t("back")}</a></p>;
  if (!e) return <p class="wait">{t("loading")}</p>;
  const named = (list: Choices["kinds"], code: string) => list.find((k) => k.code === code)?.name[language] ?? code;
  return (
    <>
      <div class="row">
        <a class="button" href="#">{t("back")}</a>
        <h1>{t("case.title", { number: e.case.number })}</h1>
        <span class="grow" />
        <span>{named(words.kinds, e.case.kind)}</span>
        <b>{t(`case.status.${e.case.status}`)}</b>
        {e.case.outcome && <span>{named(words.outcomes, e.case.outcome)}</span>}
      </div>
      <Recordings list={e.recordings} />
      <Course id={id} kind={(code) => named(words.kinds, code)} outcome={(code) => named(words.outcomes, code)} />
    </>
  );
}

function Recordings({ list }: { list: RecordingLine[] }) {
  const [checks, setChecks] = useState<Record<string, Checked>>({});
  const busy = Object.values(checks).includes("checking");
  const all = async () => {
    for (const r of list) {
      if (r.recording === "none") continue;
      setChecks((old) => ({ ...old, [r.call]: "checking" }));
      const came = await verify(r.call).then(cameTo, (): Checked => "failed");
      setChecks((old) => ({ ...old, [r.call]: came }));
    }
  };
  const right = list.filter((r) => checks[r.call] === "proven" || checks[r.call] === "sofar").length;
  const checked = list.filter((r) => checks[r.call] && checks[r.call] !== "checking").length;
  return (
    <section class="panel scroll" aria-label={t("case.recordings")}>
      <div class="row">
        <h2>{t("case.recordings")}</h2>
        <span class="grow" />
        {checked > 0 && <span role="status" class={right === list.length ? "good" : ""}>{t("case.right", { n: right, all: list.length })}</span>}
        <button type="button" disabled={busy || list.length === 0} onClick={() => void all()}>{busy ? t("verifying") : t("case.verify")}</button>
      </div>
      {list.length === 0 && <p class="wait">{t("case.none")}</p>}
      <ul class="recordings">
        {list.map((r) => (
          <li key={r.call}>
            <time>{new Date(r.createdMs).toLocaleString(lang())}</time>
            <a href={`#${r.call}`}>№ {r.number}</a>
            <span>{t(`kind.${r.kind}`)}{r.merged ? ` · ${t("case.merged")}` : ""}</span>
            <span>{[r.name || r.operator, r.phone].filter(Boolean).join(" · ")}</span>
            <span data-rec={r.recording}>{t(`rec.${r.recording}`)}</span>
            <b data-check={checks[r.call]}>{checks[r.call] ? t(`check.${checks[r.call]}`) : ""}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
