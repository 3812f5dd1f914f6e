import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useAddress } from "../../lib/useAddress";
import { coordinates } from "../../map/geo";
import { duration, timeOfDay } from "../clock";
import { useConsole, useServerNow } from "../context";
import { useNearby } from "../nearby";
import { Copy, Elapsed } from "../Small";
import { useWhere } from "../useRoom";
import { CloseCase } from "./CloseCase";
import { kindOf, useBoard } from "./context";
import { Proposals } from "./Proposals";
import { located, placeOf } from "./rules";
import type { CaseView, Sending } from "./types";

/** How long a patrol has to say that it has seen its task. */
const hearMs = 30_000;

/** The chosen case: where it is, who is on the way, who could go, and a word to the patrol. */
export function Chosen() {
  const { state, chosen, choices, edits } = useBoard();
  const { lang } = useConsole();
  const v = state.view;
  if (!chosen) {
    const closed = v && v.status === "closed";
    return <section class="panel chosen" aria-label={t("board.chosen")}><p class="empty">{closed ? t("board.isclosed", { number: v.number }) : t("board.choose")}</p></section>;
  }
  const c = chosen.row;
  return (
    <section class="panel chosen" aria-label={t("board.chosen")} key={c.case}>
      <h2><span class={`p p${c.priority + 1}`}>P{c.priority + 1}</span> <span class="digits">№ {c.number}</span> <span class="grow" /> <Elapsed since={c.openedMs} /> <span class="kind">{kindOf(choices, c.kind, lang)}</span></h2>
      <Place view={v} />
      <Ways id={c.case} />
      <Sendings view={v} />
      <Proposals />
      <Note view={v} />
      {edits && <CloseCase />}
    </section>
  );
}

/** Where the case is, in words and digits. */
function Place({ view: v }: { view: CaseView | undefined }) {
  const { chosen } = useBoard();
  const at = chosen && located(chosen.row);
  const { lang } = useConsole();
  const place = v && placeOf(v.card);
  const address = useAddress(at && { ...at, accuracyM: place?.accuracyM ?? 0 });
  const settlement = useNearby(at);
  const near = address?.words[lang] || settlement;
  if (!at) return <p class="warn">{place?.words ? <><b>{place.words}</b> · {t("board.noplace")}</> : t("board.noplace")}</p>;
  return (
    <p class="row">
      {place?.words ? <b>{place.words}</b> : near && <b>{near}</b>}
      <span class="digits">{coordinates(at)}</span>
      {place && place.accuracyM > 0 && <span>±{Math.round(place.accuracyM)} {t("unit.m")}</span>}
      {place && <span class="hint">{t(`board.source.${place.source}`)}</span>}
      <Copy text={`${place?.words ?? near ?? ""} ${coordinates(at)}`.trim()} name={t("board.copyplace")} />
    </p>
  );
}

/** The ways to the whole card and to the cameras around. */
function Ways({ id }: { id: string }) {
  const { rooms, go } = useWhere();
  const { chosen } = useBoard();
  const has = (room: string) => rooms.some((r) => r.id === room);
  return (
    <p class="row">
      {has("cases") && <button type="button" class="small" onClick={() => go("cases", new URLSearchParams({ case: id }))}>{t("board.card")}</button>}
      {has("cameras") && chosen?.row.lat !== undefined && <button type="button" class="small" onClick={() => go("cameras", new URLSearchParams({ case: id }))}>{t("board.tocameras")}</button>}
    </p>
  );
}

/** The patrols of the case, each with its word and since when, and the way to call it back. */
function Sendings({ view: v }: { view: CaseView | undefined }) {
  const { recall, sends } = useBoard();
  const active = v?.sendings.filter((x) => x.endedMs === 0) ?? [];
  const over = v?.sendings.filter((x) => x.endedMs > 0).at(-1);
  if (active.length === 0 && !over) return null;
  return (
    <ul class="sendings">
      {active.map((x) => (
        <li key={`${x.patrol}${x.atMs}`} class={x.late ? "late" : ""} data-sending={x.name} data-late={x.late}>
          <b>{x.name}</b> <SendingWord sending={x} />
          <span class="grow" />
          {sends && <button type="button" class="small" onClick={() => recall(x.patrol, x.name)}>{t("board.recall", { name: x.name })}</button>}
        </li>
      ))}
      {over && active.length === 0 && <li class="hint">{over.name}: {t(`board.over.${over.why}`)} {timeOfDay(over.endedMs)}</li>}
    </ul>
  );
}

function SendingWord({ sending: x }: { sending: Sending }) {
  const now = useServerNow(1000);
  if (x.late) return <span class="warn">{t("board.notheard", { time: duration(now - x.atMs) })}</span>;
  const [word, since] = x.onSceneMs ? ["on_scene", x.onSceneMs] : x.enRouteMs ? ["en_route", x.enRouteMs] : x.acceptedMs ? ["accepted", x.acceptedMs] : ["assigned", x.atMs];
  const left = Math.max(0, Math.ceil((x.atMs + hearMs - now) / 1000));
  return <span>{t(`board.unit.${word}`)} <Elapsed since={since as number} />{word === "assigned" && <span class="hint"> {t("board.answersin", { s: left })}</span>}</span>;
}

/** A line to the patrol, as one would say it by radio: it stands on the card, which the patrol sees. */
function Note({ view: v }: { view: CaseView | undefined }) {
  const { note } = useBoard();
  const [text, setText] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const last = v?.card.filter((l) => l.what === "note" && !l.gone && l.by).slice(-3) ?? [];
  useEffect(() => setText(""), [v?.case]);
  const submit = (e: Event) => {
    e.preventDefault();
    if (text.trim()) void note(text.trim()).then((ok) => ok && setText(""));
  };
  return (
    <form ref={form} class="note" onSubmit={submit}>
      {last.map((l) => <p key={l.id} class="hint">{timeOfDay(l.atMs)} {l.by}: {l.text}</p>)}
      <label class="field">
        {t("board.note")}
        <span class="row"><input value={text} maxLength={500} data-focus="note" onInput={(e) => setText(e.currentTarget.value)} /><button type="submit" disabled={!text.trim()}>{t("board.note.send")}</button></span>
      </label>
    </form>
  );
}
