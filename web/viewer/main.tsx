/** The page of a copy on a disk: everything is in it or beside it, and nothing is fetched. */
import { render } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { Levels } from "../evidence/Proof";
import { Played } from "../evidence/Played";
import type { Access, Detail, Report } from "../evidence/rest";
import { AccessList } from "../evidence/Why";
import { type Lang, langs, loadLocale, t } from "../lib/i18n";
import { Track } from "./Track";
import "../evidence/evidence.css";
import "./viewer.css";

interface Data { lang: Lang; export: string; case: string; detail: Detail; report: Report; accesses: Access[]; photos: Record<string, string> }

function Viewer({ data, first }: { data: Data; first: Lang }) {
  const [language, choose] = useState(first);
  const [theme, setTheme] = useState<"dark" | "light">(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const { row } = data.detail;
  return (
    <div class="page">
      <header class="bar">
        <b>№ {row.number} {row.name} {row.phone}</b>
        <span class="grow" />
        <select
          aria-label={t("lang")}
          value={language}
          onChange={(e) => {
            const next = e.currentTarget.value as Lang;
            void loadLocale("evidence", next).then(() => choose(next));
          }}
        >
          {langs.map((l) => <option key={l} value={l}>{t(`in.${l}`)}</option>)}
        </select>
        <button type="button" onClick={() => setTheme(theme === "dark" ? "light" : "dark")}>{t("theme")}</button>
      </header>
      <main>
        <p class="panel">{t("viewer.note", { case: data.case, export: data.export })}</p>
        <Played
          d={data.detail} language={language} theme={theme} report={data.report} waves={false} photo={(file) => data.photos[file] ?? ""}
          place={(line, ms) => <Track line={line} ms={ms} />} onAct={() => undefined}
        />
        <details class="panel proof" open>
          <summary>{t("viewer.checked")}</summary>
          <Levels report={data.report} />
        </details>
        <details class="panel accesses">
          <summary>{t("access.title")}</summary>
          <AccessList list={data.accesses} language={language} />
        </details>
      </main>
    </div>
  );
}

const root = document.getElementById("app");
const data = JSON.parse(document.getElementById("data")?.textContent ?? "null") as Data | null;
if (root && data) {
  void loadLocale("evidence", data.lang).then(() => {
    document.title = `№ ${data.detail.row.number}`;
    render(<Viewer data={data} first={data.lang} />, root);
  });
}
