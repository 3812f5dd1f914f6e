import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";

/** A plot and its table; one of them is shown, and both have the same numbers. */
export function Twin({ name, heads, rows, children }: { name: string; heads: string[]; rows: string[][]; children: ComponentChildren }) {
  const [table, setTable] = useState(false);
  return (
    <div class="twin">
      {!table && children}
      {table && (
        <div class="scroll" tabIndex={0} role="region" aria-label={name}>
          <table class="plain">
            <caption class="unseen">{name}</caption>
            <thead><tr>{heads.map((h, i) => <th key={h} scope="col" class={i > 0 ? "num" : ""}>{h}</th>)}</tr></thead>
            <tbody>{rows.map((r) => <tr key={r[0]}>{r.map((c, i) => (i === 0 ? <th key={i} scope="row">{c}</th> : <td key={i} class="num">{c}</td>))}</tr>)}</tbody>
          </table>
        </div>
      )}
      <button type="button" class="small noprint" aria-pressed={table} data-act="twin" onClick={() => setTable(!table)}>{t(table ? "office.plot" : "office.table")}</button>
    </div>
  );
}
