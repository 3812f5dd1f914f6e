import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole, words } from "../context";
import { RestError } from "../rest";
import { dayWords, siteClock } from "./figures";
import { askLimits, type Limit, type Limits, putLimit } from "./api";

/** How limits of a kind are written: shares in percent, long times in hours, the rest as they are. */
const scale = (key: string) => (key === "answered_in_time" || key === "replied" ? 100 : key === "oldest_report" ? 1 / 3600 : 1);
const unit = (key: string) => (scale(key) === 100 ? "%" : key === "oldest_report" ? t("office.h") : /wait|seat_/.test(key) ? t("office.s") : "");

/** From when a figure wants attention: to change, with everybody's changes below. */
export function LimitsBox({ utcMin, onClose }: { utcMin: number; onClose: () => void }) {
  const { lang } = useConsole();
  const [limits, setLimits] = useState<Limits>();
  const [trouble, setTrouble] = useState("");
  const box = useRef<HTMLDialogElement>(null);
  const look = () => askLimits().then(setLimits, (err) => setTrouble(said(err)));
  const said = (err: unknown) => words((err instanceof RestError && err.words) || "error.unreachable", lang);
  useEffect(() => {
    box.current?.showModal();
    void look();
  }, []);
  const save = (l: { key: string; warn: number; bad: number }) => {
    putLimit(limits?.rev ?? 0, l).then((next) => {
      setLimits(next);
      setTrouble("");
    }, (err) => {
      setTrouble(said(err));
      void look();
    });
  };
  return (
    <dialog ref={box} class="limits" aria-label={t("wall.limits")} onClose={onClose}>
      <div class="row"><h2>{t("wall.limits")}</h2><span class="grow" /><button type="button" class="small" onClick={() => box.current?.close()}>{t("close")}</button></div>
      <p class="hint">{t("wall.limits.what")}</p>
      {trouble && <p class="bad" role="alert">{trouble}</p>}
      {limits && (
        <div class="two">
          <div>{limits.limits.map((l) => <Edit key={`${l.key}${limits.rev}`} limit={l} onSave={save} />)}</div>
          <History limits={limits} utcMin={utcMin} />
        </div>
      )}
    </dialog>
  );
}

function Edit({ limit, onSave }: { limit: Limit; onSave: (l: { key: string; warn: number; bad: number }) => void }) {
  const by = scale(limit.key);
  const round = (v: number) => Math.round(v * by * 100) / 100;
  const [warn, setWarn] = useState(String(round(limit.warn)));
  const [bad, setBad] = useState(String(round(limit.bad)));
  const changed = Number(warn) !== round(limit.warn) || Number(bad) !== round(limit.bad);
  const send = (e: Event) => {
    e.preventDefault();
    onSave({ key: limit.key, warn: Number(warn) / by, bad: Number(bad) / by });
  };
  const field = (value: string, set: (v: string) => void, name: string) => (
    <label>
      <span>{t(limit.below ? `wall.limit.${name}.below` : `wall.limit.${name}`)}</span>
      <input type="number" required min="0" step="any" value={value} onInput={(e) => set(e.currentTarget.value)} /> {unit(limit.key)}
    </label>
  );
  return (
    <form class="limit" onSubmit={send} data-limit={limit.key}>
      <b>{t(`wall.tile.${limit.key}`)}</b>
      {field(warn, setWarn, "warn")}
      {field(bad, setBad, "bad")}
      <button type="submit" class="small" disabled={!changed}>{t("wall.limit.save")}</button>
    </form>
  );
}

function History({ limits, utcMin }: { limits: Limits; utcMin: number }) {
  return (
    <section aria-label={t("wall.limits.history")}>
      <h3>{t("wall.limits.history")}</h3>
      {limits.changes.length === 0 && <p class="empty">{t("wall.limits.nochange")}</p>}
      <ol class="history">
        {limits.changes.map((c) => {
          const at = siteClock(c.atMs, utcMin);
          const v = (n: number) => `${Math.round(n * scale(c.key) * 100) / 100}`;
          return (
            <li key={`${c.atMs}${c.key}`}>
              <b>{t(`wall.tile.${c.key}`)}</b>: {v(c.warnBefore)} / {v(c.badBefore)} → {v(c.warn)} / {v(c.bad)} {unit(c.key)}
              <span class="hint"> {c.by}, {dayWords(at.day)} {at.time}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
