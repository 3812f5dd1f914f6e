import { useEffect, useRef, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { KeepForm } from "./KeepForm";
import { type Hold, isGone, type Keep, type KeepAct, keeping, offers } from "./keeping";

/** How often a deletion on its way is looked at, in milliseconds: people wait for its end. */
const lookEvery = 2000;

const numbers = { day: "2-digit", month: "2-digit", year: "numeric" } as const;

/** Dates of the page's language. */
function dates(language: Lang) {
  const day = new Intl.DateTimeFormat(language, numbers); // names of months are not everywhere to be had in Kazakh
  const time = new Intl.DateTimeFormat(language, { ...numbers, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return { day: (ms: number) => day.format(ms), time: (ms: number) => time.format(ms) };
}

const who = (name: string) => name || t("keep.schedule");

/** How long this recording is kept, what forbids its deletion, who has asked for it. */
export function Keeping({ call, language, open = false, numbered = false }: { call: string; language: Lang; open?: boolean; numbered?: boolean }) {
  const [k, set] = useState<Keep | null>(null);
  const [wrong, setWrong] = useState("");
  const [form, setForm] = useState<{ what: KeepAct; hold?: Hold } | null>(null);
  const [said, say] = useState("");
  const panel = useRef<HTMLDetailsElement>(null);
  const acts = useRef(0); // what was asked before an act tells how it was before it
  const load = () => {
    const before = acts.current;
    return keeping(call).then((next) => before === acts.current && (set(next), setWrong("")), (err) => setWrong(saying(err)));
  };
  useEffect(() => void load(), [call]);
  const moving = k?.stage === "deletion_proposed" || k?.stage === "deletion_approved" || k?.stage === "destroying";
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(() => panel.current?.open && !document.hidden && void load(), lookEvery);
    return () => clearInterval(timer);
  }, [moving, call]);
  const back = () => {
    setForm(null);
    panel.current?.querySelector<HTMLElement>("summary")?.focus();
  };
  return (
    <details class="panel keeping" open={open} ref={panel} data-stage={k?.stage}>
      <summary>{numbered && k && `№ ${k.number} · `}{t("keep.title")}{k && <> · <b>{t(`keep.stage.${k.stage}`)}</b>{k.holds.length > 0 && <> · <b>{t("keep.held", { n: k.holds.length })}</b></>}</>}</summary>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {k && <Words k={k} language={language} release={(hold) => setForm({ what: "release", hold })} />}
      <p role="status" class="hint">{said}</p>
      {k && !form && <Acts k={k} choose={(what) => setForm({ what })} />}
      {k && form && (
        <KeepForm
          key={form.what} k={k} what={form.what} hold={form.hold} close={back}
          done={(next) => {
            acts.current++;
            set(next);
            say(t("keep.done", { act: t(`keep.act.${form.what}`) }));
            back();
          }}
        />
      )}
    </details>
  );
}

/** The words of a state. */
function Words({ k, language, release }: { k: Keep; language: Lang; release: (h: Hold) => void }) {
  const d = dates(language);
  if (isGone(k.stage)) return <Gone k={k} language={language} />;
  return (
    <>
      <p>{t("keep.until", { cls: k.classWords[language], date: d.day(k.untilMs) })}</p>
      {k.holds.length > 0 && (
        <>
          <h3>{t("keep.holds")}</h3>
          <ul class="holds">
            {k.holds.map((h) => (
              <li key={h.id}>
                <span>{t("keep.hold", { case: h.case, reason: h.reason, who: h.by, date: d.time(h.atMs) })}</span>
                {k.may.hold === "" && <button type="button" aria-label={`${t("keep.act.release")}: ${h.case}`} onClick={() => release(h)}>{t("keep.act.release")}</button>}
              </li>
            ))}
          </ul>
        </>
      )}
      {k.shorter && <p>{t("keep.shorter", { who: k.shorter.by, date: d.time(k.shorter.untilMs) })} {k.shorter.reason || t("keep.bycategory")}</p>}
      {k.deletion && <p class="warn">{t("keep.asked", { who: who(k.deletion.by), date: d.time(k.deletion.atMs), reason: k.deletion.reason })}</p>}
      {k.stage === "deletion_proposed" && k.deletion && <p>{t("keep.from", { date: d.time(k.deletion.fromMs) })}</p>}
      {k.stage === "deletion_approved" && k.deletion && <p>{t("keep.approved", { who: k.deletion.approver, date: d.time(k.deletion.approvedMs) })}</p>}
    </>
  );
}

/** What is said of a recording that nobody can open any more. */
export function Gone({ k, language }: { k: Keep; language: Lang }) {
  const d = dates(language);
  const del = k.deletion;
  return (
    <>
      <p class="warn">
        {t(k.stage === "destroyed" ? "keep.gone" : "keep.going", { date: d.time(k.endedMs) })}{" "}
        {del && t("keep.bywhom", { by: who(del.by), asked: d.time(del.atMs), approver: del.approver, approved: d.time(del.approvedMs), reason: del.reason })}
      </p>
      <p>{t("keep.remain")} {k.root && <code>{k.root}</code>}</p>
    </>
  );
}

function Acts({ k, choose }: { k: Keep; choose: (a: KeepAct) => void }) {
  const { now, not } = offers(k);
  return (
    <>
      {not.map(({ act, code }) => <p key={act} class="hint">{t("keep.not", { act: t(`keep.act.${act}`), why: t(`keep.no.${code}`) })}</p>)}
      <div class="row">
        {now.map((a) => <button key={a} type="button" onClick={() => choose(a)}>{t(`keep.act.${a}`)}</button>)}
      </div>
    </>
  );
}
