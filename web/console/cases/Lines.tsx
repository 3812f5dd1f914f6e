import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { phone, timeOfDay } from "../clock";
import { useConsole } from "../context";
import { Copy } from "../Small";
import * as api from "./api";
import type { CaseDraft } from "./caseDrafts";
import { type CaseLine, open, roles } from "./model";
import { Withdraw } from "./Places";
import { Pick } from "./FilterBar";
import { useHand } from "./room";

/** People, vehicles and notes; what was struck out stays readable. */
export function Lines() {
  const { view: c, mayEdit } = useHand();
  const [gone, setGone] = useState(false);
  const struck = c.card.filter((l) => l.gone);
  const of = (what: string) => c.card.filter((l) => l.what === what && !l.gone);
  return (
    <section class="panel caselines" aria-label={t("cases.lines")} data-focus="person" tabIndex={-1}>
      <h3>{t("cases.people")}</h3>
      <ul>
        <li><b>{t("cases.citizen")}</b> {c.citizen.name || t("person.noname")} <Phone number={c.citizen.phone} silent={silent(c.recordings)} /> <span class="hint">{t(c.citizen.proven ? "proof.sms" : "proof.none")} · {t(`lang.${known(c.citizen.lang)}`)}</span></li>
        {of("person").map((l) => <li key={l.id}><b>{t(`cases.role.${role(l.role)}`)}</b> {l.name} <Phone number={l.phone} silent={false} /> {l.text} <By line={l} /></li>)}
      </ul>
      <h3>{t("cases.vehicles")}</h3>
      {of("vehicle").length === 0 ? <p class="hint">{t("cases.novehicles")}</p> : <ul>{of("vehicle").map((l) => <li key={l.id}><b class="plate">{l.name}</b> {l.text} <By line={l} /></li>)}</ul>}
      <h3>{t("cases.notes")}</h3>
      {of("note").length === 0 ? <p class="hint">{t("cases.nonotes")}</p> : <ul class="notes">{of("note").map((l) => <li key={l.id}><span class="text">{l.text}</span> <By line={l} /></li>)}</ul>}
      {struck.length > 0 && <button type="button" class="small" aria-expanded={gone} onClick={() => setGone(!gone)}>{t("cases.struck", { n: struck.length })}</button>}
      {gone && <ul>{struck.map((l) => <li key={l.id}><s>{l.name} {l.phone} {l.text} {l.place?.words}</s> <span class="hint">{l.by}</span></li>)}</ul>}
      {(open(c) || c.status === "closed") && <Add mayEdit={mayEdit} />}
    </section>
  );
}

const silent = (list: { kind: string }[]): boolean => list.some((r) => r.kind === "silent");
const known = (lang: string): string => (["kk", "ru", "en"].includes(lang) ? lang : "kk");
const role = (r: string): string => ((roles as readonly string[]).includes(r) ? r : "other");

/** A number to call; whoever reported in silence is not rung up by one careless press. */
function Phone({ number, silent }: { number: string; silent: boolean }) {
  if (!number) return null;
  return (
    <>
      {silent ? <span class="digits">{phone(number)} <b class="bad">{t("callback.silent")}</b></span> : <a class="digits" href={`tel:${number}`}>{phone(number)}</a>}{" "}
      <Copy text={number} name={t("copy.phone", { phone: phone(number) })} />
    </>
  );
}

function By({ line: l }: { line: CaseLine }) {
  const { mayEdit } = useHand();
  return (
    <>
      <span class="hint">{l.by || t("cases.bycitizen")}, {timeOfDay(l.atMs)}{l.merged && ` · ${t("cases.bymerged")}`}</span>
      {mayEdit && l.by !== "" && !l.merged && <> <Withdraw line={l} /></>}
    </>
  );
}

/** One more line. What is typed is kept in this browser until the gateway has it. */
function Add({ mayEdit }: { mayEdit: boolean }) {
  const [what, setWhat] = useState<"note" | "person" | "vehicle" | "place">("note");
  return (
    <div class="addline">
      <div class="row" role="group" aria-label={t("cases.add")}>
        {(mayEdit ? (["note", "person", "vehicle", "place"] as const) : (["note"] as const)).map((w) => (
          <button key={w} type="button" class="small" aria-pressed={what === w} onClick={() => setWhat(w)}>{t(`cases.add.${w}`)}</button>
        ))}
      </div>
      <Fields what={what} key={what} />
    </div>
  );
}

function Fields({ what }: { what: "note" | "person" | "vehicle" | "place" }) {
  const { desk } = useConsole();
  const { act, draft: d, write } = useHand();
  const [sending, setSending] = useState(false);
  const [empty, setEmpty] = useState(false);
  const line = lineOf(what, d);
  const send = async () => {
    setEmpty(!line);
    if (!line || sending) return;
    const id = api.lineID();
    setSending(true);
    const ok = await act({ act: "add", line: { ...line.line, id, what } });
    setSending(false);
    if (!ok) return;
    write(line.sent);
    desk.say("cases.added", { undo: () => { desk.hush(); void act({ act: "withdraw", id }); } });
  };
  const field = (key: keyof CaseDraft, max: number) => (
    <label class="field">{t(`cases.field.${key}`)}<input value={d[key] ?? ""} maxLength={max} onInput={(e) => write({ [key]: e.currentTarget.value })} /></label>
  );
  return (
    <form class="fields" onSubmit={(e) => { e.preventDefault(); void send(); }}>
      {what === "note" && (
        <label class="field">{t("cases.field.note")}
          <textarea
            rows={2} maxLength={2000} value={d.note ?? ""} data-focus="note" onInput={(e) => write({ note: e.currentTarget.value })}
            onKeyDown={(e) => (e.code === "Enter" || e.code === "NumpadEnter") && e.ctrlKey && (e.preventDefault(), void send())}
          />
        </label>
      )}
      {what === "person" && <>{field("name", 200)}{field("phone", 32)}<Pick name={t("cases.field.role")} value={role(d.role ?? "other")} of={roles} words={(r) => t(`cases.role.${r}`)} onPick={(r) => write({ role: r })} /></>}
      {what === "vehicle" && field("plate", 20)}
      {what === "place" && field("place", 400)}
      {empty && <p class="bad" role="alert">{t("cases.add.empty")}</p>}
      <p class="row"><button type="submit" disabled={sending}>{t("cases.add.send")}{what === "note" && <> <kbd>Ctrl+Enter</kbd></>}</button></p>
    </form>
  );
}

/** Pure: the line that was typed and what of the draft it takes; undefined while there is nothing. */
export function lineOf(what: string, d: CaseDraft): { line: { name?: string; phone?: string; role?: string; text?: string; place?: { words: string } }; sent: CaseDraft } | undefined {
  const v = (s: string | undefined) => (s ?? "").trim();
  switch (what) {
    case "note": return v(d.note) ? { line: { text: v(d.note) }, sent: { note: "" } } : undefined;
    case "person": return v(d.name) || v(d.phone) ? { line: { name: v(d.name), phone: v(d.phone), role: role(d.role ?? "other") }, sent: { name: "", phone: "", role: "" } } : undefined;
    case "vehicle": return v(d.plate) ? { line: { name: v(d.plate) }, sent: { plate: "" } } : undefined;
    case "place": return v(d.place) ? { line: { place: { words: v(d.place) } }, sent: { place: "" } } : undefined;
  }
  return undefined;
}
