import { useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";

/** What one member of staff did with recordings, as a page or as PDF; who asks is told of it too. */
export function Person({ language }: { language: Lang }) {
  const today = new Date();
  const date = (back: number) => new Date(today.getTime() - back * 86_400_000).toISOString().slice(0, 10);
  const [o, set] = useState({ login: "", from: date(30), to: date(0), case: "", reason: "" });
  const field = (key: keyof typeof o, more: object = {}) => (
    <label>{t(`person.${key}`)}<input name={key} required value={o[key]} maxLength={300} onInput={(e) => set({ ...o, [key]: e.currentTarget.value })} {...more} /></label>
  );
  const open = (form: "html" | "pdf") => {
    const from = new Date(`${o.from}T00:00:00`).getTime();
    const to = new Date(`${o.to}T00:00:00`).getTime() + 86_400_000;
    const q = new URLSearchParams({ lang: language, form, from: String(from), to: String(to), case: o.case, reason: o.reason });
    window.open(`/api/v1/evidence/staff/${encodeURIComponent(o.login.trim())}/custody?${q}`, "_blank", "noopener");
  };
  return (
    <form
      class="panel person"
      onSubmit={(e) => {
        e.preventDefault();
        open((e.submitter as HTMLButtonElement | null)?.value === "pdf" ? "pdf" : "html");
      }}
    >
      <h1>{t("person.title")}</h1>
      <p class="hint">{t("person.hint")}</p>
      <div class="filters">
        {field("login", { autocomplete: "off", maxLength: 100 })}
        {field("from", { type: "date" })}
        {field("to", { type: "date" })}
        {field("case", { maxLength: 64 })}
        {field("reason")}
      </div>
      <div class="row">
        <button type="submit" class="go" value="html">{t("person.open")}</button>
        <button type="submit" value="pdf">{t("person.pdf")}</button>
      </div>
    </form>
  );
}
