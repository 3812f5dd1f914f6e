import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Age, saying, timeOf, useNow, usePage } from "./parts";
import { Files } from "./Files";
import { oldMs } from "./work";

/** Who this is, whether they are on duty, what the gateway last said and how old that is, where they are. */
export function Duty({ onOut }: { onOut: () => void }) {
  const { work, language } = usePage();
  const v = work.view;
  const now = useNow();
  const offline = navigator.onLine === false;
  const old = v !== undefined && now - work.heardAt > oldMs + (work.linked ? 4000 : 0);
  return (
    <>
      {(offline || old) && (
        <p class="banner warn" role="status">
          {t(offline ? "offline" : "unreached")} {v && <>{t("asof")} <Age at={work.heardAt} /></>}
        </p>
      )}
      <section class="panel duty" aria-label={t("duty")}>
        <p class="row">
          <b class="name">{work.staff.name}</b>
          <span class="state" data-state={v?.state ?? "unknown"} role="status">{v ? t(`state.${v.state}`) : t("asking")}</span>
          {v && v.state !== "off" && <span class="hint">{timeOf(v.sinceMs, language)}</span>}
        </p>
        {v && !work.onDuty && (
          <>
            <button type="button" class="go huge" disabled={work.busy} onClick={() => void work.duty(true)}>{t("duty.on")}</button>
            <p class="hint">{t("duty.what")}</p>
            <button type="button" onClick={onOut}>{t("signout")}</button>
          </>
        )}
        {work.onDuty && <Mine />}
        {work.onDuty && !v?.task && <Idle />}
        {work.trouble && <p class="bad" role="alert">{saying(work.trouble.words, work.trouble.code, language)}</p>}
      </section>
      <Silent />
      <Waiting />
      <Files />
    </>
  );
}

function Idle() {
  const { work } = usePage();
  return (
    <>
      <p>{t("idle")}</p>
      <button type="button" class="huge" disabled={work.busy} onClick={() => void work.duty(false)}>{t("duty.off")}</button>
    </>
  );
}

/** The own position as the centre has it. Stopping it is going off duty. */
function Mine() {
  const { work } = usePage();
  const own = work.own;
  return (
    <p class="mine" data-state={own.state}>
      {own.told ? (
        <>{t("own.told", { m: Math.max(1, Math.round(own.told.fix.accuracyM)) })} <Age at={own.told.atMs} /> <span class="hint">{t(work.view?.task ? "own.task" : "own.stop")}</span></>
      ) : t(`own.${own.state === "on" ? "asking" : own.state}`)}
    </p>
  );
}

/** After a reload no browser lets a page ring before it is touched. */
function Silent() {
  const { work } = usePage();
  const [, redraw] = useState(0);
  useEffect(() => {
    if (work.bell.audible) return;
    // At the end of the touch: a banner that goes at its beginning moves what is being touched.
    const any = () => void work.bell.unlock().then(() => redraw((n) => n + 1));
    addEventListener("click", any, { once: true });
    return () => removeEventListener("click", any);
  });
  if (!work.onDuty || work.bell.audible) return null;
  return <p class="banner warn" role="status">{t("silent")}</p>;
}

/** What was said and is not told yet, with its own time; and what was not taken. */
function Waiting() {
  const { work, language } = usePage();
  const list = work.line.mine();
  const no = work.line.refused;
  return (
    <>
      {list.length > 0 && (
        <section class="panel waiting" aria-label={t("waiting")}>
          <p role="status"><b>{t("waiting.n", { n: list.length })}</b></p>
          <ol>
            {list.map((s) => (
              <li key={s.id}><time>{timeOf(s.atMs, language)}</time> {s.what === "word" ? t(`say.${s.word}`) : s.what === "note" ? `${t("note")}: ${s.text}` : t("close")} <span class="hint">№ {s.number}</span></li>
            ))}
          </ol>
          {!work.line.kept && <p class="bad">{t("waiting.unkept")}</p>}
        </section>
      )}
      {no && (
        <section class="banner bad" role="alert">
          <p>
            <b>{t("nottaken", { what: no.said.what === "word" ? t(`say.${no.said.word}`) : t(no.said.what) })}</b>{" "}
            {no.said.what === "close" && no.code === "patrol_there" ? t("close.notalone") : no.said.what === "close" && no.code === "wrong_state" ? t("close.notthere") : saying(no.words, no.code, language)}
          </p>
          <button type="button" onClick={() => work.line.read()}>{t("read")}</button>
        </section>
      )}
    </>
  );
}
