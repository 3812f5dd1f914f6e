import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { dayOf, timeOfDay } from "../clock";
import * as api from "./api";
import type { CourseStep } from "./model";
import { useKindName, useOutcomeName } from "./room";

const facts = [
  "began", "owned", "handing", "classified", "added", "withdrawn", "recorded", "told", "sent", "late", "said", "shut", "unshut", "settled", "opened", "merged", "absorbed",
  "parted", "released", "linked", "followed",
];

/** Who decided what and when, the newest first; fetched when somebody asks. */
export function Course({ id, version }: { id: string; version: number }) {
  const [open, setOpen] = useState(false);
  const [steps, setSteps] = useState<CourseStep[]>();
  const kind = useKindName();
  const outcome = useOutcomeName();
  useEffect(() => {
    if (open) api.course(id).then(setSteps, () => setSteps(undefined));
  }, [open, id, version]);
  const what = (s: CourseStep) => (s.fact === "classified" ? kind(s.what) : s.fact === "shut" || s.fact === "followed" ? outcome(s.what) : "");
  return (
    <section class="panel course" aria-label={t("cases.course")}>
      <button type="button" class="small" aria-expanded={open} onClick={() => setOpen(!open)}>{t("cases.course")}</button>
      {open && (
        <ol>
          {(steps ?? []).toReversed().map((s, i) => (
            <li key={`${s.atMs}${i}`}>
              <span class="digits hint">{dayOf(s.atMs)} {timeOfDay(s.atMs)}</span> <b>{t(`cases.fact.${facts.includes(s.fact) ? s.fact : "other"}`)}</b> {s.by} {s.whom} {s.other && `${t("no")} ${s.other.number}`} {what(s)} {s.text && <span class="text">«{s.text}»</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
