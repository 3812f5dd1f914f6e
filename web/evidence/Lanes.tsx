import { t } from "../lib/i18n";
import type { Interval, Timeline } from "./rest";
import { why } from "./words";

/** Bars of one lane, in percent of the call, set through the CSSOM: the policy allows no styles in
 * the page. */
function Bar({ from, to, of, kind, title }: { from: number; to: number; of: number; kind: string; title: string }) {
  const place = (el: HTMLElement | null) => {
    if (!el) return;
    el.style.left = `${(100 * from) / of}%`;
    el.style.width = `${Math.max(0.3, (100 * (to - from)) / of)}%`;
  };
  return <span ref={place} class={`mark ${kind}`} title={title} />;
}

/** Everything of the call on one scale; a press seeks. */
export function Lanes({ line, ms, fault, onSeek }: { line: Timeline; ms: number; fault: number | undefined; onSeek: (ms: number) => void }) {
  const of = Math.max(1, line.durationMs);
  const holes = (list: Interval[], kind: string, who: string) =>
    list.filter((i) => !i.participant || i.participant === who).map((i) => <Bar key={`${kind}${i.fromMs}${i.stream}`} from={i.fromMs} to={i.toMs} of={of} kind={kind} title={`${t(kind)}: ${why(i)}`} />);
  const press = (e: MouseEvent) => {
    const box = (e.currentTarget as Element).getBoundingClientRect();
    onSeek(((e.clientX - box.left) / box.width) * of);
  };
  return (
    <section class="panel lanes" aria-label={t("lanes")}>
      {line.media.map((m) => (
        <div class="lane" key={m.participant}>
          <span class="name">{m.role === "caller" ? t("role.caller") : t("role.operator")}</span>
          <div class="scale" onClick={press}>
            <Bar from={m.offsetMs} to={m.offsetMs + m.durationMs} of={of} kind="media" title={m.mime} />
            {holes(line.damage, "damage", m.participant)}
            {holes(line.gaps, "gap", m.participant)}
            <Bar from={ms} to={ms} of={of} kind="now" title="" />
          </div>
        </div>
      ))}
      <div class="lane">
        <span class="name">{t("events")}</span>
        <div class="scale" onClick={press}>
          {line.events.filter((e) => e.kind !== "quality").map((e, i) => <Bar key={i} from={e.ms} to={e.ms} of={of} kind="event" title={t(`ev.${e.kind}`)} />)}
          {line.chat.map((c) => <Bar key={c.item.id} from={c.ms} to={c.ms} of={of} kind="chat" title={c.item.text} />)}
          {line.positions.map((p, i) => <Bar key={i} from={p.ms} to={p.ms} of={of} kind="fix" title={t("where")} />)}
          {fault !== undefined && <Bar from={fault * 1000} to={fault * 1000 + of / 200} of={of} kind="fault" title={t("state.failed")} />}
          <Bar from={ms} to={ms} of={of} kind="now" title="" />
        </div>
      </div>
    </section>
  );
}
