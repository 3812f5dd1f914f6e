import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { saying } from "./App";
import { Around } from "./Around";
import { type PageConfig, pageConfig, type Row, search } from "./rest";

const fields = ["number", "phone", "operator", "q"] as const;
const labels = { number: "number", phone: "phone", operator: "operator", q: "words" } as const;

/** The address keeps the query, so that a list can be sent to a colleague. */
function kept(): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(location.search));
}

function day(text: string | undefined, plus: number): string {
  const ms = text ? new Date(`${text}T00:00:00`).getTime() : Number.NaN;
  return Number.isNaN(ms) ? "" : String(ms + plus);
}

function query(form: Record<string, string>, cursor: string): URLSearchParams {
  const q = new URLSearchParams();
  for (const f of fields) if (form[f]) q.set(f, form[f] ?? "");
  if (form.category) q.set("category", form.category);
  if (form.near) q.set("near", form.near);
  const from = day(form.from, 0);
  const to = day(form.to, 86_400_000);
  if (from) q.set("from", from);
  if (to) q.set("to", to);
  if (cursor) q.set("cursor", cursor);
  return q;
}

export function length(r: Row): string {
  if (!r.endedMs) return "";
  const s = Math.max(0, Math.round((r.endedMs - r.createdMs) / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

const columns = ["when", "number", "kind", "who", "phone", "operator", "length", "recording"] as const;

/** A call of the list. The roles are said, for a phone shows the rows as cards. */
function Line({ r }: { r: Row }) {
  const cells = {
    when: new Date(r.createdMs).toLocaleString(lang()),
    number: <a href={`#${r.call}`}>№ {r.number}</a>,
    kind: t(`kind.${r.kind}`),
    who: r.name || t("unknown"),
    phone: r.phone,
    operator: r.operator,
    length: length(r),
    recording: <span data-rec={r.recording}>{t(`rec.${r.recording}`)}</span>,
  };
  return (
    <tr role="row">
      {columns.map((c) => <td key={c} role="cell" class={c === "length" ? "digits" : ""} data-name={t(c)}>{cells[c]}</td>)}
    </tr>
  );
}

export function Search({ theme }: { theme: "dark" | "light" }) {
  const [config, setConfig] = useState<PageConfig | null>(null);
  useEffect(() => void pageConfig().then(setConfig, () => undefined), []); // without it two fields are missing, and the rest finds
  const [form, setForm] = useState(kept());
  const [rows, setRows] = useState<Row[] | null>(null);
  const [next, setNext] = useState("");
  const [wrong, setWrong] = useState("");
  const load = (cursor: string) =>
    search(query(form, cursor)).then(
      (r) => {
        setRows((old) => (cursor && old ? [...old, ...r.calls] : r.calls));
        setNext(r.next);
        setWrong("");
      },
      (err) => setWrong(saying(err)),
    );
  useEffect(() => void load(""), []);
  const set = (key: string, value: string) => setForm({ ...form, [key]: value });
  return (
    <>
      <form
        class="panel filters"
        role="search"
        aria-label={t("search")}
        onSubmit={(e) => {
          e.preventDefault();
          const shown = new URLSearchParams(Object.entries(form).filter(([, v]) => v));
          history.replaceState(null, "", shown.size ? `?${shown}` : location.pathname);
          void load("");
        }}
      >
        <label>{t("from")}<input type="date" value={form.from ?? ""} onInput={(e) => set("from", e.currentTarget.value)} /></label>
        <label>{t("to")}<input type="date" value={form.to ?? ""} onInput={(e) => set("to", e.currentTarget.value)} /></label>
        {fields.map((f) => (
          <label key={f}>{t(labels[f])}<input value={form[f] ?? ""} maxLength={100} onInput={(e) => set(f, e.currentTarget.value)} /></label>
        ))}
        {config && (
          <label>
            {t("category")}
            <select name="category" value={form.category ?? ""} onChange={(e) => set("category", e.currentTarget.value)}>
              <option value="">{t("any")}</option>
              {config.categories.map((c) => <option key={c.key} value={c.key}>{c.words[lang()]}</option>)}
            </select>
          </label>
        )}
        <button type="submit" class="go">{t("find")}</button>
        {config && <Around centre={config.centre} theme={theme} near={form.near ?? ""} set={(near) => set("near", near)} />}
      </form>
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {!rows && !wrong && <p class="wait">{t("loading")}</p>}
      {rows?.length === 0 && <p class="wait">{t("none")}</p>}
      {rows && rows.length > 0 && (
        <div class="panel scroll">
          <table role="table">
            <thead role="rowgroup">
              <tr role="row">{columns.map((h) => <th key={h} scope="col" role="columnheader">{t(h)}</th>)}</tr>
            </thead>
            <tbody role="rowgroup">
              {rows.map((r) => <Line key={r.call} r={r} />)}
            </tbody>
          </table>
          {next && <button type="button" onClick={() => void load(next)}>{t("more")}</button>}
        </div>
      )}
    </>
  );
}
