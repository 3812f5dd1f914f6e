import { useEffect, useState } from "preact/hooks";
import { type Lang, langs, t } from "../lib/i18n";
import { saying } from "./App";
import { type Detail, dropExport, type Export, exportsOf, makeExport, type Withheld } from "./rest";
import { callClock } from "./sync";
import { clockMs, megabytes, streamName } from "./words";

/** Reports on who has had the recording, and copies of it for those outside. */
export function Exports({ d, language }: { d: Detail; language: Lang }) {
  const [open, setOpen] = useState(false);
  const [list, setList] = useState<Export[]>([]);
  const [wrong, setWrong] = useState("");
  const call = d.row.call;
  const look = () => exportsOf(call).then((r) => setList(r.exports), (err) => setWrong(saying(err)));
  const busy = list.some((x) => x.state === "making");
  useEffect(() => {
    if (open) void look();
  }, [open]);
  useEffect(() => {
    if (!open || !busy) return undefined;
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [open, busy]);
  const custody = `/api/v1/evidence/calls/${call}/custody?lang=${language}`;
  return (
    <details class="panel exports" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t("export.title")}</summary>
      <div class="row">
        <a class="button" href={custody} target="_blank" rel="noopener">{t("custody.open")}</a>
        <a class="button" href={`${custody}&form=pdf`} download>{t("custody.pdf")}</a>
      </div>
      <Order
        d={d}
        language={language}
        send={(o) => {
          setWrong("");
          makeExport(call, o).then(look, (err) => setWrong(saying(err)));
        }}
      />
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {list.length > 0 && (
        <ul class="copies" aria-label={t("export.list")}>
          {list.map((x) => <Copy key={x.export} x={x} call={call} language={language} drop={() => dropExport(call, x.export).then(look, (err) => setWrong(saying(err)))} />)}
        </ul>
      )}
      <p class="hint">{t("export.kept")}</p>
    </details>
  );
}

function Copy({ x, call, language, drop }: { x: Export; call: string; language: Lang; drop: () => void }) {
  const part = x.total > 0 ? Math.min(1, x.done / x.total) : undefined;
  const at = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" }).format(x.atMs);
  return (
    <li data-state={x.state}>
      <div class="row">
        <time class="digits">{at}</time> <span>{x.by} · {x.case}</span>
        {x.withheld.length > 0 && <span class="hint">{t("export.withheld", { n: x.withheld.length })}</span>}
        <span class="grow" />
        {x.state === "ready" && <a class="button go" href={`/api/v1/evidence/calls/${call}/exports/${x.export}`} download>{t("export.take", { size: megabytes(x.bytes, language) })}</a>}
        <button type="button" onClick={drop}>{t(x.state === "making" ? "export.stop" : "export.drop")}</button>
      </div>
      {x.state === "making" && (
        <p role="status">
          <progress {...(part === undefined ? {} : { value: part })} aria-label={t("export.making")} /> {t("export.making")} {megabytes(x.done, language)}
        </p>
      )}
      {x.state === "failed" && <p class="bad" role="status">{t("export.failed")} ({x.code})</p>}
      {x.state === "ready" && <p class="hint">{x.name} · SHA-256 <code>{x.sha256}</code></p>}
    </li>
  );
}

interface Wanted { lang: Lang; form: "zip" | "tar"; organization: string; recipient: string; withhold: Withheld[] }

function Order({ d, language, send }: { d: Detail; language: Lang; send: (o: Wanted) => void }) {
  const [o, set] = useState<Wanted>({ lang: language, form: "zip", organization: "", recipient: "", withhold: [] });
  const change = (part: Partial<Wanted>) => set({ ...o, ...part });
  return (
    <form
      class="order"
      onSubmit={(e) => {
        e.preventDefault();
        send(o);
      }}
    >
      <div class="filters">
        <label>{t("export.organization")}<input name="organization" maxLength={200} value={o.organization} onInput={(e) => change({ organization: e.currentTarget.value })} /></label>
        <label>
          {t("export.lang")}
          <select name="exportlang" value={o.lang} onChange={(e) => change({ lang: e.currentTarget.value as Lang })}>
            {langs.map((l) => <option key={l} value={l}>{t(`in.${l}`)}</option>)}
          </select>
        </label>
        <label>
          {t("export.form")}
          <select name="form" value={o.form} onChange={(e) => change({ form: e.currentTarget.value as Wanted["form"] })}>
            <option value="zip">zip</option>
            <option value="tar">tar</option>
          </select>
        </label>
        <label>{t("export.recipient")}<input name="recipient" maxLength={4000} placeholder="age1…" value={o.recipient} onInput={(e) => change({ recipient: e.currentTarget.value })} /></label>
      </div>
      <Withholding d={d} list={o.withhold} set={(withhold) => change({ withhold })} />
      <button type="submit" class="go">{t("export.make")}</button>
    </form>
  );
}

/** What the receiver does not get: a stream, or a stretch of time of one or all. */
function Withholding({ d, list, set }: { d: Detail; list: Withheld[]; set: (list: Withheld[]) => void }) {
  const [stream, setStream] = useState(-2);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [wrong, setWrong] = useState(false);
  const name = (n: number) => {
    if (n === -1) return t("export.all");
    if (n === 0) return t("export.journal");
    const s = d.timeline.streams.find((x) => x.stream === n);
    return s ? `${streamName(`${s.role} ${s.kind}`, t)} (${n})` : String(n);
  };
  const add = () => {
    const fromMs = clockMs(from) ?? -1;
    const toMs = clockMs(to) ?? -1;
    const bad = stream < -1 || fromMs < 0 || toMs < 0 || (toMs > 0 && toMs <= fromMs);
    setWrong(bad);
    if (bad) return;
    set([...list, { stream, fromMs, toMs }].slice(0, 100));
    setFrom("");
    setTo("");
  };
  return (
    <fieldset>
      <legend>{t("export.withhold")}</legend>
      <p class="hint">{t("export.withhold.hint")}</p>
      <div class="filters">
        <label>
          {t("export.stream")}
          <select name="stream" value={stream} onChange={(e) => setStream(Number(e.currentTarget.value))}>
            <option value={-2}>—</option>
            {[-1, 0, ...d.timeline.streams.map((s) => s.stream)].map((n) => <option key={n} value={n}>{name(n)}</option>)}
          </select>
        </label>
        <label>{t("export.from")}<input name="from" placeholder="0:00" value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
        <label>{t("export.to")}<input name="to" placeholder={callClock(d.timeline.durationMs).slice(0, 7)} value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        <button type="button" onClick={add}>{t("export.add")}</button>
      </div>
      {wrong && <p class="bad" role="alert">{t("export.wrong")}</p>}
      <ul>
        {list.map((w, i) => (
          <li key={i} class="row">
            <span>{name(w.stream)} · {w.fromMs === 0 && w.toMs === 0 ? t("export.whole") : `${callClock(w.fromMs)} – ${w.toMs ? callClock(w.toMs) : t("export.end")}`}</span>
            <button type="button" onClick={() => set(list.filter((_, n) => n !== i))}>{t("export.undo")}</button>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
