import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { saying } from "./App";
import { type CourseStep, course } from "./rest";

interface Words { kind: (code: string) => string; outcome: (code: string) => string }

/** A word that came later than this was said without a network, in milliseconds. */
const apartMs = 5000;

/** What a step says beside who took it and when. Pure. */
export function saidOf(s: CourseStep, words: Words): string {
  switch (s.fact) {
    case "classified": return words.kind(s.what);
    case "shut": return [words.outcome(s.what), s.text].filter(Boolean).join(": ");
    case "said": return t(`word.${s.what}`);
    case "began": return t(`lane.${s.what}`);
    case "recorded": return t(`kind.${s.what}`);
    case "followed": return [t(`case.status.${s.what}`), s.text].filter(Boolean).join(": ");
    case "added": return [t(`line.${s.what}`), s.text].filter(Boolean).join(": ");
    default: return s.text;
  }
}

/** Every decision about a case, in order, with who took it and how the case stood then. */
export function Course({ id, ...words }: { id: string } & Words) {
  const [steps, setSteps] = useState<CourseStep[] | null>(null);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    course(id).then((r) => setSteps(r.course), (err) => setWrong(saying(err)));
  }, [id]);
  return (
    <section class="panel" aria-label={t("course")}>
      <h2>{t("course")}</h2>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {!steps && !wrong && <p class="wait">{t("loading")}</p>}
      <ol class="course">
        {steps?.map((s, i) => (
          <li key={i}>
            <time>{new Date(s.atMs).toLocaleString(lang())}</time>
            <b>{t(s.fact === "linked" && s.what === "off" ? "fact.unlinked" : `fact.${s.fact}`)}</b>
            <span>{s.by && s.whom ? `${s.by} → ${s.whom}` : s.by || s.whom}</span>
            <span class="grow">
              {saidOf(s, words)}
              {s.other && <> <a href={`#case/${s.other.case}`}>№ {s.other.number}</a></>}
              {s.saidMs > 0 && s.atMs - s.saidMs > apartMs && <> <span class="hint">{t("course.said", { at: new Date(s.saidMs).toLocaleTimeString(lang()) })}</span></>}
            </span>
            {(i === 0 || steps[i - 1]?.status !== s.status) && <span class="status">{t(`case.status.${s.status}`)}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
