import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { Lanes } from "./Lanes";
import { Log } from "./Log";
import { Place } from "./Place";
import { Side, usePlayer } from "./Player";
import { Proof } from "./Proof";
import { type Detail, detail } from "./rest";
import { callClock } from "./sync";

/** One recorded call on its own clock. */
export function Case({ id, language, theme, fetchable }: { id: string; language: Lang; theme: "dark" | "light"; fetchable: boolean }) {
  const [d, setDetail] = useState<Detail | null>(null);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    setDetail(null);
    detail(id).then(setDetail, (err) => setWrong(saying(err)));
  }, [id]);
  if (wrong) return <p class="bad" role="alert">{wrong}</p>;
  if (!d) return <p class="wait">{t("loading")}</p>;
  return <Open d={d} language={language} theme={theme} fetchable={fetchable} />;
}

function Open({ d, language, theme, fetchable }: { d: Detail; language: Lang; theme: "dark" | "light"; fetchable: boolean }) {
  const line = d.timeline;
  const p = usePlayer(line.durationMs);
  const [speed, setSpeed] = useState(1);
  const [ask, setAsk] = useState(0);
  const [second, setSecond] = useState<number | undefined>(undefined);
  useEffect(() => p.setSpeed(speed), [speed]);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.altKey || e.metaKey || (e.target as Element).closest("input, select, textarea")) return;
      const step: Record<string, number> = { KeyJ: -5000, KeyL: 5000, ArrowLeft: -1000, ArrowRight: 1000 };
      if (e.code === "Space" || e.code === "KeyK") {
        if ((e.target as Element).closest("button") && e.code === "Space") return;
        e.preventDefault();
        p.toggle();
      } else if (e.code === "KeyV") setAsk((n) => n + 1);
      else if (step[e.code]) p.seek(p.now() + (step[e.code] ?? 0));
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [p]);
  return (
    <>
      <div class="row">
        <a class="button" href="#">{t("back")}</a>
        <h1>№ {d.row.number} · {d.row.name || t("unknown")} {d.row.phone}</h1>
        <span class="grow" />
        {fetchable && <a class="button" href={`/api/v1/evidence/calls/${d.row.call}/archive.tar`}>{t("archive")}</a>}
      </div>
      {d.archive.state !== "sealed" && <p class="warn" role="status">{t("running")}</p>}
      <Proof call={d.row.call} dir={d.archive.dir} ask={ask} onFault={setSecond} />
      <div class="sides">
        {line.media.map((m) => <Side key={m.participant} m={m} player={p} name={m.role === "caller" ? t("role.caller") : `${t("role.operator")} ${d.row.operator}`} />)}
        <Place line={line} ms={p.ms} language={language} theme={theme} />
      </div>
      <div class="panel controls">
        <button type="button" class="go" onClick={() => p.toggle()}>{p.playing ? t("pause") : t("play")}</button>
        <span class="digits big">{callClock(p.ms)}</span>
        <span class="digits">{new Date(line.openedMs + p.ms).toLocaleTimeString(language)}</span>
        <label>{t("speed")}
          <select value={speed} onChange={(e) => setSpeed(Number(e.currentTarget.value))}>
            {[0.5, 1, 1.5, 2, 4].map((s) => <option key={s} value={s}>{s}×</option>)}
          </select>
        </label>
        <input class="grow" type="range" aria-label={t("at")} aria-valuetext={callClock(p.ms)} min="0" max={line.durationMs} step="100" value={p.ms} onInput={(e) => p.seek(Number(e.currentTarget.value))} />
      </div>
      <Lanes line={line} ms={p.ms} fault={second} onSeek={p.seek} />
      <Log line={line} ms={p.ms} onSeek={p.seek} call={d.row.call} />
      <p class="hint">{t("keys")}</p>
    </>
  );
}
