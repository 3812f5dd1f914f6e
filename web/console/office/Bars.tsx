import { t } from "../../lib/i18n";
import { count, percent } from "./figures";

export interface Bar { key: string; name: string; n: number; share: number; before?: number | undefined; mark?: boolean }

/** Groups by how many they are: a table whose rows are bars. */
export function Bars({ bars, name, head }: { bars: Bar[]; name: string; head: string }) {
  const most = Math.max(1, ...bars.map((b) => b.n));
  const compared = bars.some((b) => b.before !== undefined);
  if (bars.length === 0) return <p class="empty">{t("office.nothing")}</p>;
  return (
    <table class="bars">
      <caption class="unseen">{name}</caption>
      <thead>
        <tr>
          <th scope="col">{head}</th><th scope="col" class="num">{t("office.n")}</th><th scope="col" class="num">%</th>
          {compared && <th scope="col" class="num">{t("office.before")}</th>}
        </tr>
      </thead>
      <tbody>
        {bars.map((b) => (
          <tr key={b.key} class={b.mark ? "mark" : ""}>
            <th scope="row" style={{ "--part": `${Math.round((b.n / most) * 100)}%` }}><span>{b.name}</span></th>
            <td class="num">{count(b.n)}</td><td class="num">{percent(b.share)}</td>
            {compared && <td class="num hint">{b.before === undefined ? "–" : count(b.before)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
