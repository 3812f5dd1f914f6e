import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { Text } from "../../lib/wire.gen";
import { useConsole, words } from "../context";
import { RestError } from "../rest";
import { useWhere } from "../useRoom";
import { type Answer, askStats } from "./api";
import { Charts } from "./Charts";
import { before, dayWords, daysBetween, spanOf, spans, utc } from "./figures";
import { type Asked, queryOf, seriesBy } from "./question";
import { Summary } from "./Summary";
import "./office.css";

/** How the centre worked: some days, beside as many before them. */
export default function Stats() {
  const { query, go } = useWhere();
  const [today, trouble] = useToday();
  const { lang } = useConsole();
  if (!today) return <main class="replaced"><p role="status">{trouble ? words(trouble, lang) : t("room.loading")}</p></main>;
  const id = spans.find((s) => s === query.get("span")) ?? "week";
  const lane = (["call", "report"] as const).find((l) => l === query.get("lane")) ?? "";
  const days = spanOf(id, today.today, { first: query.get("first") ?? today.today, last: query.get("last") ?? today.today });
  const set = (o: Record<string, string>) => {
    const next = new URLSearchParams(query);
    for (const [k, v] of Object.entries(o)) v ? next.set(k, v) : next.delete(k);
    go("stats", next, true);
  };
  const asked: Asked = { span: id, lane, days };
  return (
    <main class="office stats" tabIndex={-1}>
      <Head asked={asked} today={today} set={set} />
      <Page asked={asked} key={`${days.first}${days.last}${lane}`} />
    </main>
  );
}

/** The site's day and the oldest contact; asked again while the gateway reads what was before it started. */
function useToday(): [Answer | undefined, Text | string | undefined] {
  const [today, setToday] = useState<Answer>();
  const [trouble, setTrouble] = useState<Text | string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const look = () => askStats(new URLSearchParams()).then((a) => {
      if (!gone) setToday(a);
    }, (err) => {
      if (gone) return;
      setTrouble(err instanceof RestError && err.code === "unavailable" ? "stats.reading" : (err instanceof RestError && err.words) || "error.unreachable");
      timer = setTimeout(() => void look(), 2000);
    });
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return [today, trouble];
}

function Head({ asked, today, set }: { asked: Asked; today: Answer; set: (o: Record<string, string>) => void }) {
  const { days, span, lane } = asked;
  const n = daysBetween(days.first, days.last);
  const was = before(days);
  return (
    <header class="officehead">
      <h2>{t("stats.title")}</h2>
      <span class="row noprint" role="group" aria-label={t("stats.span")}>
        {spans.map((s) => (
          <button
            key={s} type="button" class="small" aria-pressed={s === span} data-span={s}
            onClick={() => set({ span: s, first: s === "own" ? days.first : "", last: s === "own" ? days.last : "" })}
          >{t(`stats.span.${s}`)}</button>
        ))}
      </span>
      {span === "own" && (
        <span class="row noprint">
          <input type="date" aria-label={t("stats.first")} value={days.first} min={today.oldest} max={today.today} onChange={(e) => e.currentTarget.value && set({ first: e.currentTarget.value })} />
          –
          <input type="date" aria-label={t("stats.last")} value={days.last} min={today.oldest} max={today.today} onChange={(e) => e.currentTarget.value && set({ last: e.currentTarget.value })} />
        </span>
      )}
      <span class="row noprint" role="group" aria-label={t("stats.lane")}>
        {(["", "call", "report"] as const).map((l) => <button key={l} type="button" class="small" aria-pressed={l === lane} data-lane={l} onClick={() => set({ lane: l })}>{t(`stats.lane.${l || "all"}`)}</button>)}
      </span>
      <span class="grow" />
      <button type="button" class="small noprint" onClick={() => print()}>{t("stats.print")}</button>
      <p class="said">
        <b>{dayWords(days.first)}{n > 1 && `–${dayWords(days.last)}`}</b> · {t("stats.days", { n })}
        {lane && ` · ${t(`stats.lane.${lane}`)}`}
        {" · "}{t("stats.against", { first: dayWords(was.first), last: dayWords(was.last) })}
        {was.first < today.oldest && <b> ({t("stats.since", { day: dayWords(today.oldest) })})</b>}
        {" · "}{t("stats.zone", { zone: today.zone, utc: today.offsets.map((o) => utc(o.utcMin)).join(", ") })}
      </p>
    </header>
  );
}

/** Everything about the days: asked one after another, each part drawn when its answer comes. */
function Page({ asked }: { asked: Asked }) {
  const { lang } = useConsole();
  const [answers, setAnswers] = useState<Record<string, Answer>>({});
  const [trouble, setTrouble] = useState<Text | string>();
  const [tries, setTries] = useState(0);
  const series = seriesBy(asked.days);
  useEffect(() => {
    let gone = false;
    setTrouble(undefined);
    const was = before(asked.days);
    const ask = async () => {
      for (const by of ["none", series, "hour", "weekday", "hour_weekday", "kind", "outcome", "district", "lane"]) {
        for (const days of [asked.days, was]) {
          if (days === was && by === "hour_weekday") continue;
          const a = await askStats(queryOf(asked, by, days));
          if (gone) return;
          setAnswers((old) => ({ ...old, [days === was ? `was.${by}` : by]: a }));
        }
      }
    };
    ask().catch((err) => !gone && setTrouble((err instanceof RestError && err.words) || "error.unreachable"));
    return () => {
      gone = true;
    };
  }, [tries]);
  const total = answers.none;
  return (
    <>
      {trouble && <p class="bad row" role="alert">{words(trouble, lang)} <button type="button" class="small" onClick={() => setTries(tries + 1)}>{t("retry")}</button></p>}
      {!total && !trouble && <p class="empty" role="status">{t("office.counting")}</p>}
      {total && <Summary now={total} was={answers["was.none"]} />}
      {total && <Charts answers={answers} series={series} asked={asked} />}
    </>
  );
}
