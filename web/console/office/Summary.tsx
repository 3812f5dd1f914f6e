import { t } from "../../lib/i18n";
import type { Answer, Measure } from "./api";
import { count, edge, percent, share, span, within } from "./figures";

const units = () => ({ s: t("office.s"), min: t("office.min"), h: t("office.h"), d: t("office.d") });

/** The figures of the days, each beside that of the days before, and against its target where it has one. */
export function Summary({ now, was }: { now: Answer; was: Answer | undefined }) {
  const f = now.total;
  const b = was?.total;
  const of = (n: number | undefined, m: number | undefined) => (n === undefined || m === undefined ? undefined : share(n, m));
  return (
    <section class="panel summary" aria-label={t("stats.summary")}>
      <h2>{t("stats.summary")}</h2>
      <dl>
        <Figure name="contacts" value={count(f.contacts)} was={b && count(b.contacts)} note={t("stats.callsreports", { c: count(f.calls), r: count(f.reports) })} />
        {now.targets.filter((x) => x.measure === "answer").map((x) => (
          <Met key={x.ms} name={t("stats.fig.within", { s: x.ms / 1000 })} value={within(now, f, "answer", x.ms)} was={was && b && within(was, b, "answer", x.ms)} target={x.share} n={f.answer.n} />
        ))}
        <Time name="answer" m="answer" now={now} was={was} />
        <Time name="handling" m="handling" now={now} was={was} note={now.targets.filter((x) => x.measure === "handling").map((x) => t("stats.upto", { t: edge(x.ms, units()), p: percent(within(now, f, "handling", x.ms)) })).join(", ")} />
        <Time name="dispatch" m="dispatch" now={now} was={was} />
        <Time name="arrival" m="arrival" now={now} was={was} />
        <Time name="reply" m="reply" now={now} was={was} />
        <Figure name="abandoned" value={count(f.abandoned)} was={b && count(b.abandoned)} note={percent(of(f.abandoned, f.calls), true)} />
        <Figure name="calledback" value={t("stats.of", { n: count(f.calledBack), m: count(f.owed) })} was={b && t("stats.of", { n: count(b.calledBack), m: count(b.owed) })} note={percent(of(f.calledBack, f.owed))} />
        <Figure name="closed" value={t("stats.of", { n: count(f.closed), m: count(f.cases) })} was={b && t("stats.of", { n: count(b.closed), m: count(b.cases) })} note={t("stats.replied", { p: percent(of(f.closedReplied, f.closed)) })} />
      </dl>
    </section>
  );
}

function Figure({ name, value, was, note }: { name: string; value: string; was?: string | undefined; note?: string }) {
  return (
    <div data-figure={name}>
      <dt>{t(`stats.fig.${name}`)}</dt>
      <dd>
        <b>{value}</b>
        {note && <span class="hint"> {note}</span>}
        <span class="was">{was === undefined ? "" : t("stats.was", { v: was })}</span>
      </dd>
    </div>
  );
}

/** The share within a target: met or missed, in words. */
function Met({ name, value, was, target, n }: { name: string; value: number | undefined; was: number | undefined; target: number; n: number }) {
  const met = value !== undefined && value >= target;
  return (
    <div data-figure={`within${name.replace(/\D/g, "")}`}>
      <dt>{name}</dt>
      <dd>
        <b>{percent(value, true)}</b>
        {value !== undefined && <b class={met ? "met" : "missed"}>{met ? "✓" : "✗"} {t(met ? "stats.met" : "stats.missed", { p: percent(target) })}</b>}
        {value === undefined && <span class="hint"> {t("stats.nocalls")}</span>}
        <span class="was">{was === undefined ? "" : t("stats.was", { v: percent(was, true) })}{n > 0 && n < 30 && ` · ${t("stats.few", { n })}`}</span>
      </dd>
    </div>
  );
}

function Time({ name, m, now, was, note }: { name: string; m: Measure; now: Answer; was: Answer | undefined; note?: string }) {
  const x = now.total[m];
  const b = was?.total[m];
  const say = (ms: number) => span(ms, units());
  return (
    <div data-figure={name}>
      <dt>{t(`stats.measure.${m}`)}</dt>
      <dd>
        <b>{x.n > 0 ? say(x.p50Ms) : "–"}</b>
        {x.n > 0 && <span class="hint"> {t("stats.p90", { t: say(x.p90Ms) })}{note && ` · ${note}`}</span>}
        {x.n === 0 && <span class="hint"> {t("stats.notmeasured")}</span>}
        <span class="was">{b && b.n > 0 ? t("stats.was", { v: say(b.p50Ms) }) : ""}</span>
      </dd>
    </div>
  );
}
