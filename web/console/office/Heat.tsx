import { t } from "../../lib/i18n";
import type { Row } from "./api";
import { count, week } from "./figures";

/** Hour by weekday, as a table: every cell has its number, the colour repeats it. */
export function Heat({ rows, hours, name }: { rows: Row[]; hours: 1 | 2; name: string }) {
  const cells = week(rows, hours);
  const most = Math.max(1, ...cells.flat());
  const two = (n: number) => String(n).padStart(2, "0");
  return (
    <table class="heat">
      <caption class="unseen">{name}</caption>
      <thead>
        <tr>
          <td />
          {(cells[0] ?? []).map((_, h) => <th key={h} scope="col" title={`${two(h * hours)}:00–${two((h + 1) * hours)}:00`}>{two(h * hours)}</th>)}
        </tr>
      </thead>
      <tbody>
        {cells.map((line, d) => (
          <tr key={d}>
            <th scope="row">{t(`office.day.${d + 1}`)}</th>
            {line.map((n, h) => <td key={h} class={n / most > 0.55 ? "strong" : ""} style={{ "--heat": `${Math.round((n / most) * 100)}%` }}>{count(n)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
