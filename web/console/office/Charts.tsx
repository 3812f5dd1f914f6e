import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { type Answer, type Measure, measures, type Row } from "./api";
import { type Bar, Bars } from "./Bars";
import { count, edge, edgesOf, percent, share, span, steps } from "./figures";
import { Heat } from "./Heat";
import { Plot, type Series } from "./Plot";
import { type Asked, queryOf } from "./question";
import { Twin } from "./Twin";

interface Props { answers: Record<string, Answer>; series: "day" | "month"; asked: Asked }

/** Plots of the days. Each has its table, and its numbers to take along. */
export function Charts({ answers, series, asked }: Props) {
  const { lang } = useConsole();
  const line = (by: string, label: (r: Row) => string) => {
    const now = answers[by];
    const was = answers[`was.${by}`];
    if (!now) return undefined;
    const list: Series[] = [{ name: t("stats.now"), values: now.rows.map((r) => r.contacts), kind: "bars", colour: "blue" }];
    if (was) list.push({ name: t("office.before"), values: now.rows.map((_, i) => was.rows[i]?.contacts), kind: "line", colour: "yellow", dashed: true });
    return { labels: now.rows.map(label), list, rows: now.rows, was: was?.rows };
  };
  const short = (r: Row) => (series === "day" ? `${r.key.slice(8)}.${r.key.slice(5, 7)}` : `${r.key.slice(5)}.${r.key.slice(2, 4)}`);
  const bars = (by: string): Bar[] | undefined => {
    const was = answers[`was.${by}`];
    return answers[by]?.rows.map((r) => ({ key: r.key, name: r.name[lang], n: r.contacts, share: r.share, before: was && (was.rows.find((x) => x.key === r.key)?.contacts ?? 0) }));
  };
  const listed = (by: "kind" | "outcome" | "district" | "lane") => {
    const list = bars(by);
    const name = t(`stats.by.${by}`);
    return <Card by={by} asked={asked}>{list ? <div class="scroll bars-box" tabIndex={0} role="region" aria-label={name}><Bars bars={list} name={name} head={name} /></div> : <Counting />}</Card>;
  };
  return (
    <div class="charts">
      <Card by={series} asked={asked} wide><Counted plot={line(series, short)} name={t(`stats.by.${series}`)} /></Card>
      <Card by="hour" asked={asked}><Counted plot={line("hour", (r) => r.key)} name={t("stats.by.hour")} /></Card>
      <Card by="weekday" asked={asked}><Counted plot={line("weekday", (r) => t(`office.day.${r.key}`))} name={t("stats.by.weekday")} /></Card>
      {listed("lane")}
      {listed("district")}
      <Card by="hour_weekday" asked={asked} wide>{answers.hour_weekday ? <div class="scroll" tabIndex={0} role="region" aria-label={t("stats.by.hour_weekday")}><Heat rows={answers.hour_weekday.rows} hours={1} name={t("stats.by.hour_weekday")} /></div> : <Counting />}</Card>
      {listed("kind")}
      {listed("outcome")}
      {answers.none && measures.map((m) => <Card key={m} by="none" measure={m} asked={asked}><Spread answer={answers.none as Answer} m={m} /></Card>)}
    </div>
  );
}

function Counting() {
  return <p class="empty" role="status">{t("office.counting")}</p>;
}

/** One plot with its title and what can be taken along: exactly what is asked for here. */
function Card({ by, asked, wide, measure, children }: { by: string; asked: Asked; wide?: boolean; measure?: Measure; children: ComponentChildren }) {
  const { lang } = useConsole();
  const q = queryOf(asked, by);
  const name = measure ? t(`stats.measure.${measure}`) : t(`stats.by.${by}`);
  return (
    <section class={wide ? "panel card wide" : "panel card"} aria-label={name} data-chart={measure ?? by}>
      <h2>
        {name}
        <span class="grow" />
        <a class="button small noprint" download={`jedel-${by}-${asked.days.first}-${asked.days.last}.csv`} href={`/api/v1/stats.csv?${q}&lang=${lang}`} aria-label={`CSV: ${name}`}>CSV</a>
        <a class="button small noprint" download={`jedel-${by}-${asked.days.first}-${asked.days.last}.json`} href={`/api/v1/stats?${q}`} aria-label={`JSON: ${name}`}>JSON</a>
      </h2>
      {children}
    </section>
  );
}

function Counted({ plot, name }: { plot: { labels: string[]; list: Series[]; rows: Row[]; was: Row[] | undefined } | undefined; name: string }) {
  if (!plot) return <Counting />;
  return (
    <Twin
      name={name} heads={[name, t("stats.now"), ...(plot.was ? [t("office.before")] : [])]}
      rows={plot.rows.map((r, i) => [plot.labels[i] ?? r.key, count(r.contacts), ...(plot.was ? [plot.was[i] ? count(plot.was[i]?.contacts ?? 0) : "–"] : [])])}
    >
      <Plot name={name} labels={plot.labels} series={plot.list} format={count} />
    </Twin>
  );
}

/** How long something took: each step by its share, and how many were done up to it. */
function Spread({ answer, m }: { answer: Answer; m: Measure }) {
  const times = answer.total[m];
  const [units] = useState({ s: t("office.s"), min: t("office.min"), h: t("office.h"), d: t("office.d") });
  if (times.n === 0) return <p class="empty">{t("stats.notmeasured")}</p>;
  const list = steps(times, edgesOf(answer, m));
  const words = (s: (typeof list)[number]) => (s.toMs === undefined ? t("stats.over", { t: edge(s.fromMs, units) }) : t("stats.till", { t: edge(s.toMs, units) }));
  const targets = answer.targets.filter((x) => x.measure === m);
  const met = targets.map((x) => {
    const i = edgesOf(answer, m).indexOf(x.ms);
    const got = share(times.within[i] ?? 0, times.n);
    const line = t("stats.upto", { t: edge(x.ms, units), p: percent(got, true) });
    if (x.share === 0 || got === undefined) return <span key={x.ms}>{line}</span>;
    return <b key={x.ms} class={got >= x.share ? "met" : "missed"}>{got >= x.share ? "✓" : "✗"} {line} ({t("stats.aim", { p: percent(x.share) })})</b>;
  });
  const last = Math.max(0, ...targets.map((x) => x.ms));
  const inside = (s: (typeof list)[number]) => s.toMs !== undefined && s.toMs <= last;
  return (
    <>
      <p class="row spreadline">
        <span>{t("stats.median")} <b>{span(times.p50Ms, units)}</b></span><span>90 %: <b>{span(times.p90Ms, units)}</b></span><span>95 %: <b>{span(times.p95Ms, units)}</b></span>
        <span class="hint">{t("stats.measured", { n: count(times.n) })}</span>
      </p>
      {met.length > 0 && <p class="row spreadline">{met}</p>}
      <Twin name={t(`stats.measure.${m}`)} heads={[t("stats.time"), t("office.n"), "%", t("stats.sofar")]} rows={list.map((s) => [words(s), count(s.n), percent(s.share, true), percent(s.upTo, true)])}>
        <Plot
          name={t(`stats.measure.${m}`)} labels={list.map(words)} format={count}
          series={last > 0
            ? [
              { name: t("stats.inside"), values: list.map((s) => (inside(s) ? s.n : undefined)), kind: "bars", colour: "green" },
              { name: t("stats.outside"), values: list.map((s) => (inside(s) ? undefined : s.n)), kind: "bars", colour: "yellow" },
            ]
            : [{ name: t("office.n"), values: list.map((s) => s.n), kind: "bars", colour: "blue" }]}
        />
      </Twin>
    </>
  );
}
