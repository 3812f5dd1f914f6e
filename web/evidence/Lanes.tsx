import { useMemo } from "preact/hooks";
import { t } from "../lib/i18n";
import { Lane, Mark } from "./Lane";
import type { Interval, Media, Timeline } from "./rest";
import { lastAt } from "./sync";
import { useWave, Wave } from "./Wave";
import { eventName, why } from "./words";

interface Props {
  line: Timeline;
  ms: number;
  waves: boolean;
  language: string;
  theme: string;
  /** The stretch that is played again and again, in milliseconds. */
  loop: { from: number; to: number } | undefined;
  fault: number | undefined;
  markers: number[];
  onSeek: (ms: number) => void;
  /** Whose lane was used last: a citation names it. */
  onStream: (role: Role) => void;
}

export type Role = "caller" | "operator" | "supervisor" | "patrol";

/** Whose medium it is; guests of the call have one each. */
export const roleOf = (m: Media): Role => (["caller", "supervisor", "patrol"].includes(m.role) ? (m.role as Role) : "operator");

/** Everything of the call on one scale, a lane for each kind. */
export function Lanes(props: Props) {
  const { line, onStream } = props;
  return (
    <section class="panel lanes" aria-label={t("lanes")}>
      {line.media.map((m) => <MediaLane key={m.participant} m={m} {...props} onSeek={(ms) => { onStream(roleOf(m)); props.onSeek(ms); }} />)}
      <Chat {...props} />
      <Positions {...props} />
      <Events {...props} />
      <Missing {...props} />
    </section>
  );
}

const length = (line: Timeline) => Math.max(1, line.durationMs);
/** Sound that was lost is a hole, pictures after a loss are damaged, and a gap is the recorder's own. */
const kindOf = (line: Timeline, i: Interval) => (line.gaps.includes(i) ? "gap" : i.kind === "audio" && i.cause === "loss" ? "hole" : "damage");
const at = (list: Interval[], ms: number) => list.find((i) => i.fromMs <= ms && ms <= i.toMs);

function MediaLane({ m, line, ms, waves, language, theme, onSeek }: Props & { m: Media }) {
  const of = length(line);
  const name = t(`role.${roleOf(m)}`);
  const mine = useMemo(() => [...line.damage, ...line.gaps].filter((i) => !i.participant || i.participant === m.participant), [line, m]);
  const wave = useWave(m, waves);
  const marks = useMemo(
    () => (
      <>
        <Mark from={m.offsetMs} to={m.offsetMs + m.durationMs} of={of} kind="media" title="" />
        {waves && <Wave m={m} of={of} theme={theme} {...wave} />}
        {mine.map((i, n) => <Mark key={n} from={i.fromMs} to={i.toMs} of={of} kind={kindOf(line, i)} title={why(i)} />)}
      </>
    ),
    [line, m, language, theme, wave.state, wave.shape],
  );
  const hole = at(mine, ms);
  return <Lane kind={roleOf(m)} name={name} ms={ms} of={of} said={hole ? why(hole) : waves ? t(`wave.${wave.state}`) : ""} onSeek={onSeek}>{marks}</Lane>;
}

function Chat({ line, ms, language, onSeek }: Props) {
  const of = length(line);
  const marks = useMemo(
    () => line.chat.map((c) => <Mark key={c.item.id} from={c.ms} to={c.ms} of={of} kind={c.item.from === "caller" ? "said" : "said reply"} title={c.item.text || c.item.file?.name || ""} />),
    [line, language],
  );
  const last = lastAt(line.chat, ms)?.item;
  return <Lane kind="chat" name={t("chat")} ms={ms} of={of} said={last ? last.text || last.file?.name || "" : ""} onSeek={onSeek}>{marks}</Lane>;
}

function Positions({ line, ms, language, onSeek }: Props) {
  const of = length(line);
  const marks = useMemo(() => line.positions.map((p, i) => <Mark key={i} from={p.ms} to={p.ms} of={of} kind="fix" title={coordinates(p.fix)} />), [line, language]);
  const here = lastAt(line.positions, ms);
  return <Lane kind="position" name={t("where")} ms={ms} of={of} said={here ? coordinates(here.fix) : t("nowhere")} onSeek={onSeek}>{marks}</Lane>;
}

const coordinates = (f: { lat: number; lon: number }) => `${f.lat.toFixed(5)}, ${f.lon.toFixed(5)}`;

function Events({ line, ms, language, loop, markers, onSeek }: Props) {
  const of = length(line);
  const events = useMemo(() => line.events.filter((e) => e.kind !== "quality"), [line]);
  const marks = useMemo(
    () => (
      <>
        {events.map((e, i) => <Mark key={i} from={e.ms} to={e.ms} of={of} kind="event" title={eventName(e.kind, e.details)} />)}
        {loop && <Mark from={loop.from} to={loop.to} of={of} kind="looped" title={t("loop")} />}
        {markers.map((m) => <Mark key={`m${m}`} from={m} to={m} of={of} kind="marked" title={t("marker")} />)}
      </>
    ),
    [events, markers, loop, language],
  );
  const last = lastAt(events, ms);
  return <Lane kind="events" name={t("events.lane")} ms={ms} of={of} said={last ? eventName(last.kind, last.details) : ""} onSeek={onSeek}>{marks}</Lane>;
}

/** What is missing, whosever it is: lost on the way, not recorded, or wrong by the proof. */
function Missing({ line, ms, language, fault, onSeek }: Props) {
  const of = length(line);
  const all = [...line.gaps, ...line.damage];
  const marks = useMemo(
    () => (
      <>
        {line.damage.map((i, n) => <Mark key={`d${n}`} from={i.fromMs} to={i.toMs} of={of} kind={kindOf(line, i)} title={why(i)} />)}
        {line.gaps.map((i, n) => <Mark key={`g${n}`} from={i.fromMs} to={i.toMs} of={of} kind="gap" title={why(i)} />)}
        {line.faults.map((f, n) => <Mark key={`f${n}`} from={f.ms} to={f.ms} of={of} kind="fault" title={t("fault.read")} />)}
        {fault !== undefined && <Mark from={fault * 1000} to={fault * 1000 + of / 200} of={of} kind="fault" title={t("state.failed")} />}
      </>
    ),
    [line, fault, language],
  );
  const hole = at(all, ms);
  const said = hole ? why(hole) : t("missing.count", { n: all.length });
  return <Lane kind="missing" name={t("missing")} ms={ms} of={of} said={said} onSeek={onSeek}>{marks}</Lane>;
}
