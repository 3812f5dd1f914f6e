import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import { saying } from "./App";
import { Downloads } from "./Downloads";
import { Exports } from "./Exports";
import { Keeping } from "./Keeping";
import { isGone, keeping } from "./keeping";
import { Place } from "./Place";
import { Played } from "./Played";
import { Proof } from "./Proof";
import { type Detail, detail, Refused, type Report } from "./rest";
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
  // What a running call has since: the page stays as it is, and so does the place in it.
  const reload = () => void detail(id).then((next) => setDetail(grown(next)), (err) => setWrong(saying(err)));
  if (why) return <Why call={id} done={load} />;
  if (wrong) return <p class="bad" role="alert">{wrong} <a href="#">{t("back")}</a></p>;
  if (!d) return <p class="wait">{t("loading")}</p>;
  return <Open key={id} d={d} reload={reload} {...rest} />;
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

/** Media of a call that runs are other files each time: their address says so. */
function grown(d: Detail): Detail {
  const media = d.timeline.media.map((m) => ({ ...m, url: `${m.url}?to=${d.timeline.durationMs}` }));
  return { ...d, timeline: { ...d.timeline, media } };
}

function Open({ d, reload, language, theme, fetchable }: Props & { reload: () => void }) {
  const [ask, setAsk] = useState(0);
  const [report, setReport] = useState<Report | null>(null);
  const [downloads, setDownloads] = useState(false);
  const running = d.archive.state !== "sealed";
  return (
    <>
      <div class="row">
        <a class="button" href="#">{t("back")}</a>
        <h1>№ {d.row.number} · {d.row.name || t("unknown")} {d.row.phone}</h1>
        {d.case && <a class="button" href={`#case/${d.case.case}`}>{t("case.of", { number: d.case.number })}</a>}
        <span class="grow" />
        <Downloads d={d} open={downloads} set={setDownloads} fetchable={fetchable} />
      </div>
      {running && <p class="warn row" role="status">{t("running")} <button type="button" onClick={reload}>{t("running.more")}</button></p>}
      {d.archive.damaged.length > 0 && <p class="bad" role="status">{t("damaged.parts", { dirs: d.archive.damaged.join(", ") })}</p>}
      <Proof call={d.row.call} dir={d.archive.dir} ask={ask} onReport={setReport} />
      <Played
        d={d} language={language} theme={theme} report={report} waves
        photo={(file) => `/api/v1/calls/${d.row.call}/files/${file}/preview`}
        place={(line, ms) => <Place line={line} ms={ms} language={language} theme={theme} />}
        onAct={(act) => {
          if (act === "downloads") setDownloads(!downloads);
          else if (act === "verify") setAsk((n) => n + 1);
        }}
        {...(running ? { onEnd: reload } : {})}
      />
      {fetchable && <Exports d={d} language={language} />}
      <Keeping call={d.row.call} language={language} />
      <Accesses call={d.row.call} language={language} />
    </>
  );
}
