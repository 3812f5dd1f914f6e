import { useState } from "preact/hooks";
import { phone } from "../console/clock";
import { t } from "../lib/i18n";
import { unfit } from "../caller/report/draft";
import { keptLimits } from "../caller/report/kinds";
import { useWakeLock } from "../caller/wake";
import { Buttons } from "./Buttons";
import { LiveBar } from "./LiveBar";
import { timeOf, useNow, usePage } from "./parts";
import type { CaseLine, CaseView } from "./rest";
import { Where } from "./Where";

/** The task: what is known, where it is, what to say of it. */
export function Task({ task }: { task: CaseView }) {
  const { work, language } = usePage();
  useWakeLock();
  const kind = work.choices.kinds.find((k) => k.code === task.kind)?.name[language] ?? t("kind.none");
  const mine = task.sendings.findLast((s) => s.patrol === work.staff.staff && s.endedMs === 0);
  return (
    <section class="task" aria-label={t("task", { number: task.number })} data-priority={task.priority}>
      {work.step === "assigned" && <p class="banner new" role="alert"><b>{t("new")}</b></p>}
      <header class="panel head">
        <h1>№ {task.number}</h1>
        <p class="kind"><b class="priority" data-priority={task.priority}>{t(`priority.${task.priority}`)}</b> {kind}</p>
        <p class="hint">{t("task.opened", { at: timeOf(task.openedMs, language) })}{mine && ` · ${t("task.sent", { at: timeOf(mine.atMs, language) })}`}{mine?.reason && ` · ${mine.reason}`}</p>
      </header>
      <Closing task={task} />
      {task.status !== "closed" && <Buttons task={task} />}
      <LiveBar />
      <Where task={task} />
      <Known task={task} />
      {task.status !== "closed" && <Add />}
    </section>
  );
}

/** The end of the case, while it may be taken back. */
function Closing({ task }: { task: CaseView }) {
  const { work } = usePage();
  const now = useNow();
  if (task.status !== "closed") return null;
  const left = Math.max(0, Math.ceil((task.undoMs - now) / 1000));
  return (
    <section class="banner done" role="status">
      <p><b>{t("closed")}</b></p>
      <p class="reply">{task.reply}</p>
      {left > 0 && <button type="button" class="huge" onClick={() => void work.undo()}>{t("undo", { n: left })}</button>}
    </section>
  );
}

/** Who, which vehicles, what was said: the card as it stands. */
function Known({ task }: { task: CaseView }) {
  const { language } = usePage();
  const lines = (what: string) => task.card.filter((l) => l.what === what && !l.gone);
  const c = task.citizen;
  const notes = lines("note");
  return (
    <section class="panel known" aria-label={t("known")}>
      {(c.name || c.phone) && (
        <p><b>{t("citizen")}</b> {c.name} {c.phone && <a class="button tel" href={`tel:${c.phone}`}>☎ {phone(c.phone)}</a>}{c.phone && !c.proven && <span class="hint"> {t("unproven")}</span>}</p>
      )}
      {[...lines("person"), ...lines("vehicle")].map((l) => <Entry key={l.id} l={l} />)}
      <h2>{t("notes")}</h2>
      {notes.length === 0 && <p class="hint">{t("notes.none")}</p>}
      <ul class="notes">
        {notes.map((l) => <li key={l.id}><span class="hint">{timeOf(l.atMs, language)} {l.by || t("citizen")}</span> <span class="text">{l.text}</span></li>)}
      </ul>
    </section>
  );
}

const roles = ["caller", "victim", "witness", "suspect"];

function Entry({ l }: { l: CaseLine }) {
  return (
    <p class="entry">
      <b>{l.what === "vehicle" ? t("vehicle") : t(`role.${roles.includes(l.role) ? l.role : "other"}`)}</b> <span class={l.what === "vehicle" ? "plate" : ""}>{l.name}</span> {l.text}
      {l.phone && <a class="button tel" href={`tel:${l.phone}`}>☎ {phone(l.phone)}</a>}
    </p>
  );
}

/** Photos, videos and words back into the case. */
function Add() {
  const { work } = usePage();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const take = (input: HTMLInputElement) => {
    const list = [...(input.files ?? [])];
    input.value = "";
    setWrong("");
    const good = list.filter((f) => {
      const limits = work.choices.limits ?? keptLimits();
      const why = unfit(f, 0, limits);
      const most = f.type.startsWith("video/") ? limits.videoBytes : limits.photoBytes;
      if (why) setWrong(t(`file.${why}`, { name: f.name, mb: Math.floor(most / (1 << 20)) }));
      return !why;
    });
    void work.add(good);
  };
  return (
    <section class="panel add" aria-label={t("add")}>
      <div class="two">
        <label class="button huge take">{t("photo")}<input class="unseen" type="file" accept="image/*" capture="environment" onChange={(e) => take(e.currentTarget)} /></label>
        <label class="button huge take">{t("video")}<input class="unseen" type="file" accept="image/*,video/*" multiple onChange={(e) => take(e.currentTarget)} /></label>
      </div>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      <form class="row" onSubmit={(e) => { e.preventDefault(); void work.note(text).then(() => setText("")); }}>
        <label class="field grow">{t("note")}<textarea rows={2} maxLength={2000} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
        <button type="submit" class="big" disabled={!text.trim()}>{t("note.send")}</button>
      </form>
    </section>
  );
}
