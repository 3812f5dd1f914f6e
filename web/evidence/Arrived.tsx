import { t } from "../lib/i18n";
import type { StreamLine, Timeline } from "./rest";
import { seconds, streamName } from "./words";

const columns: [string, (s: StreamLine) => string][] = [
  ["arrived.stream", (s) => streamName(`${s.role} ${s.kind}`, t)],
  ["arrived.received", (s) => String(s.packets)],
  ["arrived.repeated", (s) => String(s.recovered)],
  ["arrived.copied", (s) => (s.kind === "audio" ? String(s.copied) : "–")],
  ["arrived.lost", (s) => String(s.lost)],
  ["arrived.damaged", (s) => t("lasting", { s: seconds(s.missingMs) })],
];

/** What came of each stream, by which way, and what did not. */
export function Arrived({ line }: { line: Timeline }) {
  return (
    <section class="panel arrived" aria-label={t("arrived")}>
      <h2>{t("arrived")}</h2>
      <p class="hint">{t("arrived.caption")}</p>
      {line.streams.length === 0 && <p>{t("arrived.none")}</p>}
      {line.streams.length > 0 && (
        <div class="scroll">
          <table role="table">
            <thead><tr role="row">{columns.map(([name]) => <th key={name} scope="col" role="columnheader">{t(name)}</th>)}</tr></thead>
            <tbody>
              {line.streams.map((s) => (
                <tr key={s.stream} role="row" data-lost={s.lost > 0 ? "some" : "none"}>
                  {columns.map(([name, cell], i) => <td key={name} role="cell" class={i > 0 ? "digits" : ""} data-name={t(name)}>{cell(s)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
