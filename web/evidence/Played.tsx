import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { Arrived } from "./Arrived";
import { cite } from "./cite";
import { Controls } from "./Controls";
import { Help } from "./Help";
import { type Act, moves, speeds } from "./keys";
import { Lanes, roleOf, type Role } from "./Lanes";
import { Log } from "./Log";
import { Markers, useMarkers } from "./Markers";
import { operatorName } from "./owner";
import { type Player, Side, usePlayer } from "./Player";
import type { Detail, Report, Timeline } from "./rest";
import { useKeys } from "./useKeys";

/** Copies the citation of a moment and shows it, for where a page may not write to the clipboard. */
function useCite(d: Detail, report: Report | null, stream: string) {
  const [shown, show] = useState("");
  const [copied, setCopied] = useState(false);
  const copy = (ms: number) => {
    const text = cite(
      {
        number: d.row.number, call: d.row.call, ms, openedMs: d.timeline.openedMs, stream,
        root: d.archive.root || report?.root || "", leaves: d.archive.leaves || report?.leaves || 0,
      },
      { call: t("cite.call"), root: t("cite.root"), noRoot: t("cite.noroot") },
    );
    show(text);
    setCopied(false);
    navigator.clipboard?.writeText(text).then(() => setCopied(true), () => undefined);
  };
  return { shown, copied, copy, hide: () => show("") };
}

function step(p: Player, act: Act): void {
  const by = moves[act];
  if (by === undefined) return;
  if (act.startsWith("frame") && p.isPlaying()) p.toggle();
  p.seek(p.now() + by);
}

interface Props {
  d: Detail;
  language: Lang;
  theme: "dark" | "light";
  report: Report | null;
  /** The sound can be fetched and drawn. */
  waves: boolean;
  /** Where a file that was sent in the call is shown from; empty: it is not here. */
  photo: (file: string) => string;
  /** Where the caller was, beside the pictures. */
  place: (line: Timeline, ms: number) => ComponentChildren;
  /** A key that is not for playing. */
  onAct: (act: Act) => void;
  /** A call that runs is played to its end so far. */
  onEnd?: () => void;
}

/** A call played on its own clock: in the gateway's page, and in a copy on a disk. */
export function Played({ d, language, theme, report, waves, photo, place, onAct, onEnd }: Props) {
  const line = d.timeline;
  const p = usePlayer(line.durationMs);
  const [speed, setSpeed] = useState(1);
  const [help, setHelp] = useState(false);
  const [stream, setStream] = useState<Role>("caller");
  const markers = useMarkers(d.row.call);
  const citing = useCite(d, report, t(`role.${stream}`));
  useEffect(() => p.setSpeed(speed), [speed]);
  useEffect(() => {
    if (p.playing && p.ms >= line.durationMs - 1000) onEnd?.();
  }, [p.playing && p.ms >= line.durationMs - 1000]);
  useKeys((act) => {
    const rate = speeds[act];
    if (rate) setSpeed(rate);
    else if (act === "play") p.toggle();
    else if (act === "marker") markers.add(p.now());
    else if (act === "cite") citing.copy(p.now());
    else if (act === "loop") p.loop();
    else if (act === "help") setHelp(true);
    else if (moves[act] !== undefined) step(p, act);
    else onAct(act);
  });
  const second = report?.levels.find((l) => l.fault)?.fault?.second;
  return (
    <>
      <div class="sides">
        {line.media.map((m) => <Side key={m.participant} m={m} player={p} name={[t(`role.${roleOf(m)}`), roleOf(m) === "operator" ? operatorName(m, d) : ""].filter(Boolean).join(" · ")} />)}
        {place(line, p.ms)}
      </div>
      <Controls
        p={p} speed={speed} setSpeed={setSpeed} openedMs={line.openedMs} durationMs={line.durationMs} language={language}
        onMark={() => markers.add(p.now())} onCite={() => citing.copy(p.now())} onHelp={() => setHelp(true)}
      />
      {citing.shown && (
        <p class="panel cited" role="status">
          <span>{t(citing.copied ? "cited" : "cited.byhand")}</span> <code>{citing.shown}</code> <button type="button" onClick={citing.hide}>{t("close")}</button>
        </p>
      )}
      <Lanes line={line} ms={p.ms} waves={waves} language={language} theme={theme} fault={second} loop={p.looped} markers={markers.list} onSeek={p.seek} onStream={setStream} />
      <Arrived line={line} />
      <Markers list={markers.list} onSeek={p.seek} onCite={citing.copy} onDrop={markers.drop} />
      <Log line={line} ms={p.ms} onSeek={p.seek} photo={photo} />
      <Help open={help} close={() => setHelp(false)} />
    </>
  );
}
