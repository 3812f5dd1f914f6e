import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { cite } from "./cite";
import { Controls } from "./Controls";
import { Downloads } from "./Downloads";
import { Help } from "./Help";
import { Keeping } from "./Keeping";
import { isGone, keeping } from "./keeping";
import { type Act, moves, speeds } from "./keys";
import { Lanes } from "./Lanes";
import { Log } from "./Log";
import { Markers, useMarkers } from "./Markers";
import { Place } from "./Place";
import { type Player, Side, usePlayer } from "./Player";
import { Proof } from "./Proof";
import { type Detail, detail, Refused, type Report } from "./rest";
import { useKeys } from "./useKeys";
import { Accesses, Why } from "./Why";

interface Props { d: Detail; language: Lang; theme: "dark" | "light"; fetchable: boolean }

/** One recorded call on its own clock. */
export function Case({ id, ...rest }: { id: string } & Omit<Props, "d">) {
  const [d, setDetail] = useState<Detail | null>(null);
  const [wrong, setWrong] = useState("");
  const [why, setWhy] = useState(false);
  const [gone, setGone] = useState(false);
  const refused = (err: unknown) => {
    const code = err instanceof Refused ? err.code : "";
    if (code === "destroyed") setGone(true);
    else if (code === "reason_needed") keeping(id).then((k) => (isGone(k.stage) ? setGone(true) : setWhy(true)), () => setWhy(true)); // nobody is asked why for nothing
    else setWrong(saying(err));
  };
  const load = () => {
    setDetail(null);
    setWrong("");
    setWhy(false);
    setGone(false);
    detail(id).then(setDetail, refused);
  };
  useEffect(load, [id]);
  if (gone) return <Destroyed call={id} language={rest.language} />;
  if (why) return <Why call={id} done={load} />;
  if (wrong) return <p class="bad" role="alert">{wrong} <a href="#">{t("back")}</a></p>;
  if (!d) return <p class="wait">{t("loading")}</p>;
  return <Open key={id} d={d} {...rest} />;
}

/** What is left of a recording whose keys are destroyed. */
function Destroyed({ call, language }: { call: string; language: Lang }) {
  return (
    <>
      <div class="row">
        <a class="button" href="#">{t("back")}</a>
        <h1>{t("keep.gone.title")}</h1>
      </div>
      <Keeping key={call} call={call} language={language} open numbered />
      <Accesses call={call} language={language} />
      <Proof call={call} dir="" ask={0} onReport={() => undefined} />
    </>
  );
}

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

function Open({ d, language, theme, fetchable }: Props) {
  const line = d.timeline;
  const p = usePlayer(line.durationMs);
  const [speed, setSpeed] = useState(1);
  const [ask, setAsk] = useState(0);
  const [report, setReport] = useState<Report | null>(null);
  const [help, setHelp] = useState(false);
  const [downloads, setDownloads] = useState(false);
  const [stream, setStream] = useState("caller");
  const markers = useMarkers(d.row.call);
  const citing = useCite(d, report, t(`role.${stream}`));
  useEffect(() => p.setSpeed(speed), [speed]);
  useKeys((act) => {
    const rate = speeds[act];
    if (rate) setSpeed(rate);
    else if (act === "play") p.toggle();
    else if (act === "marker") markers.add(p.now());
    else if (act === "cite") citing.copy(p.now());
    else if (act === "downloads") setDownloads(!downloads);
    else if (act === "verify") setAsk((n) => n + 1);
    else if (act === "help") setHelp(true);
    else step(p, act);
  });
  const second = report?.levels.find((l) => l.fault)?.fault?.second;
  return (
    <>
      <div class="row">
        <a class="button" href="#">{t("back")}</a>
        <h1>№ {d.row.number} · {d.row.name || t("unknown")} {d.row.phone}</h1>
        <span class="grow" />
        <Downloads d={d} open={downloads} set={setDownloads} fetchable={fetchable} />
      </div>
      {d.archive.state !== "sealed" && <p class="warn" role="status">{t("running")}</p>}
      {d.archive.damaged.length > 0 && <p class="bad" role="status">{t("damaged.parts", { dirs: d.archive.damaged.join(", ") })}</p>}
      <Accesses call={d.row.call} language={language} />
      <Keeping call={d.row.call} language={language} />
      <Proof call={d.row.call} dir={d.archive.dir} ask={ask} onReport={setReport} />
      <div class="sides">
        {line.media.map((m) => <Side key={m.participant} m={m} player={p} name={m.role === "caller" ? t("role.caller") : `${t("role.operator")} · ${d.row.operator}`} />)}
        <Place line={line} ms={p.ms} language={language} theme={theme} />
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
      <Lanes line={line} ms={p.ms} language={language} theme={theme} fault={second} markers={markers.list} onSeek={p.seek} onStream={setStream} />
      <Markers list={markers.list} onSeek={p.seek} onCite={citing.copy} onDrop={markers.drop} />
      <Log line={line} ms={p.ms} onSeek={p.seek} call={d.row.call} />
      <Help open={help} close={() => setHelp(false)} />
    </>
  );
}
