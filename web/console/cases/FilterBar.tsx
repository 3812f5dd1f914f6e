import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { type Filters, nearOf, restricted } from "./filters";
import { statuses } from "./model";
import { statusName, useKindName, useRoom } from "./room";

/** Pause after the last letter before it is looked for. */
const restMs = 350;

/** What to look for: words at once, the rest behind one button. */
export function FilterBar({ filters: f, look }: { filters: Filters; look: (f: Filters, replace?: boolean) => void }) {
  const [more, setMore] = useState(restricted(f) > 0);
  const n = restricted(f);
  const set = (change: Partial<Filters>) => look({ ...f, cursor: "", ...change });
  return (
    <search class="casefilters">
      <div class="row">
        <SearchField text={f.text} onText={(text) => look({ ...f, cursor: "", text, ...(text && !f.text ? { show: "all" as const } : {}) }, true)} />
        <button type="button" class="small" aria-expanded={more} onClick={() => setMore(!more)}>{t("cases.filters")}{n > 0 && <span class="count">{n}</span>}</button>
      </div>
      <div class="row quick" role="group" aria-label={t("cases.quick")}>
        {(["mine", "unowned", "unanswered", "patrol"] as const).map((k) => (
          <button key={k} type="button" class="small" aria-pressed={f[k]} onClick={() => set({ [k]: !f[k] })}>{t(`cases.f.${k}`)}</button>
        ))}
      </div>
      {more && <More f={f} set={set} />}
    </search>
  );
}

function SearchField({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (text !== typed.trim() && !timer.current) setTyped(text); // cleared, or another address
  }, [text]);
  const put = (value: string, ms: number) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      timer.current = undefined;
      onText(value.trim());
    }, ms);
  };
  return (
    <input
      type="search" class="grow" maxLength={200} value={typed} aria-label={t("cases.search")} placeholder={t("cases.search")} data-casesearch
      onInput={(e) => put(e.currentTarget.value, restMs)} onKeyDown={(e) => e.code === "Enter" && put(e.currentTarget.value, 0)}
    />
  );
}

function More({ f, set }: { f: Filters; set: (change: Partial<Filters>) => void }) {
  const { choices } = useRoom();
  const kind = useKindName();
  const units = [...new Set([f.unit].filter(Boolean))];
  return (
    <div class="morefilters">
      <Pick name={t("cases.f.show")} value={f.show} of={["open", "closed", "all"]} words={(v) => t(`cases.show.${v}`)} onPick={(v) => set({ show: v as Filters["show"] })} />
      <Pick name={t("cases.f.lane")} value={f.lane} of={["", "call", "report"]} words={(v) => (v ? t(`cases.lane.${v}`) : t("cases.any"))} onPick={(lane) => set({ lane })} />
      <Pick name={t("cases.kind")} value={f.kind} of={["", ...choices.kinds.map((k) => k.code)]} words={(v) => (v ? kind(v) : t("cases.any"))} onPick={(kind) => set({ kind })} />
      <Pick name={t("cases.f.status")} value={f.status} of={["", ...statuses]} words={(v) => (v ? statusName(v) : t("cases.any"))} onPick={(status) => set({ status, ...(status === "closed" ? { show: "all" as const } : {}) })} />
      <label class="field">{t("cases.f.unit")}<input value={f.unit} maxLength={60} list="caseunits" onChange={(e) => set({ unit: e.currentTarget.value.trim() })} /></label>
      <datalist id="caseunits">{units.map((u) => <option key={u} value={u} />)}</datalist>
      <label class="field">{t("cases.f.from")}<input type="date" value={f.from} onChange={(e) => set({ from: e.currentTarget.value })} /></label>
      <label class="field">{t("cases.f.to")}<input type="date" value={f.to} onChange={(e) => set({ to: e.currentTarget.value })} /></label>
      <Near f={f} set={set} />
    </div>
  );
}

/** A place by its coordinates and how far around it. */
function Near({ f, set }: { f: Filters; set: (change: Partial<Filters>) => void }) {
  const near = nearOf(f.near);
  const [place, setPlace] = useState(near ? `${near.lat}, ${near.lon}` : "");
  const [bad, setBad] = useState(false);
  const put = (text: string, metres: number) => {
    const at = nearOf(`${text} ${metres}`);
    setBad(text.trim() !== "" && !at);
    if (at || text.trim() === "") set({ near: at ? [at.lat, at.lon, at.metres].join(",") : "" });
  };
  return (
    <>
      <label class="field">{t("cases.f.near")}
        <input value={place} placeholder="54.87, 69.16" inputMode="decimal" aria-invalid={bad} onInput={(e) => setPlace(e.currentTarget.value)} onChange={(e) => put(e.currentTarget.value, near?.metres ?? 500)} />
        {bad && <span class="bad" role="alert">{t("cases.f.near.bad")}</span>}
      </label>
      <Pick name={t("cases.f.radius")} value={String(near?.metres ?? 500)} of={["100", "500", "1000", "5000"]} words={(v) => `${v} ${t("unit.m")}`} onPick={(v) => put(place, Number(v))} />
    </>
  );
}

export function Pick({ name, value, of, words, onPick }: { name: string; value: string; of: readonly string[]; words: (v: string) => string; onPick: (v: string) => void }) {
  return (
    <label class="field">{name}
      <select value={value} onChange={(e) => onPick(e.currentTarget.value)}>
        {(of.includes(value) ? of : [value, ...of]).map((v) => <option key={v} value={v}>{words(v)}</option>)}
      </select>
    </label>
  );
}
