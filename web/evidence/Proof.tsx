import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { saying } from "./App";
import { type ProofFault, type Report, verify } from "./rest";
import { phrase, streamName } from "./words";

/** Each level of the proof is a line of its own; a fault cannot be hidden. */
export function Proof({ call, dir, ask, onReport }: { call: string; dir: string; ask: number; onReport: (r: Report) => void }) {
  const [report, setReport] = useState<Report | null>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const run = () => {
    setBusy(true);
    setWrong("");
    verify(call)
      .then(
        (r) => {
          setReport(r);
          onReport(r);
        },
        (err) => setWrong(saying(err)),
      )
      .finally(() => setBusy(false));
  };
  useEffect(() => {
    if (ask > 0) run();
  }, [ask]);
  return (
    <section class="panel proof" aria-label={t("verify")}>
      <div class="row">
        <button type="button" disabled={busy} onClick={run}>{busy ? t("verifying") : t("verify")}</button>
        {dir && <span class="hint">{t("verify.self")} <code>jedel evidence verify …/{dir}</code></span>}
      </div>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {report && <div role="status"><Levels report={report} /></div>}
    </section>
  );
}

/** What was found, a line for each level. */
export function Levels({ report }: { report: Report }) {
  return (
    <ul>
      {report.levels.map((l) => (
        <li key={l.level} data-state={l.state}>
          <b>{l.level}</b> <strong>{t(`state.${l.state}`)}</strong> <span>{l.notes.map((n) => phrase(n, t)).join(" ")}</span>
          {l.fault && [l.fault, ...(l.more ?? [])].map((f, i) => <Fault key={i} f={f} />)}
        </li>
      ))}
      {report.findings.map((f) => <li key={f.code + f.text} class="hint">{phrase(f, t)}</li>)}
    </ul>
  );
}

function Fault({ f }: { f: ProofFault }) {
  const what = phrase({ code: f.code, text: f.what, ...(f.args ? { args: f.args } : {}) }, t);
  return <p class="bad">{t("fault", { what, stream: streamName(f.name, t), second: f.second.toFixed(3) })}</p>;
}
