import { t } from "../../lib/i18n";
import { coordinates, distanceM, type LatLon } from "../../map/geo";
import { useConsole, useServerNow } from "../context";
import { Age } from "../Small";
import { kindOf, useBoard } from "./context";
import { type Camera, isStale, type Layers, located } from "./rules";

/** Everything on the map as a list, for the keyboard and for where there is no map. */
export function Twin({ layers, cameras, onCase }: { layers: Layers; cameras: Camera[]; onCase: (id: string) => void }) {
  const { state, chosen, choices } = useBoard();
  const { lang } = useConsole();
  const now = useServerNow(5000);
  const here = chosen && located(chosen.row);
  return (
    <div class="tracklist boardtwin" tabIndex={0} role="region" aria-label={t("board.list")}>
      <table>
        <thead><tr><th>{t("board.list.what")}</th><th>{t("board.list.state")}</th><th>{t("board.list.place")}</th><th>{t("board.list.age")}</th><th>{t("board.list.far")}</th></tr></thead>
        <tbody>
          {layers.cases && state.entries.map((e) => (
            <tr key={e.row.case} class={e.row.case === state.chosen ? "on" : ""}>
              <th scope="row"><button type="button" class="small" aria-pressed={e.row.case === state.chosen} onClick={() => onCase(e.row.case)}>P{e.row.priority + 1} № {e.row.number}</button> {kindOf(choices, e.row.kind, lang)}</th>
              <td>{t(`board.need.${e.need}`)}</td><Spot at={located(e.row)} from={here} />
            </tr>
          ))}
          {layers.patrols && state.patrols.map((p) => (
            <tr key={p.patrol}>
              <th scope="row">{p.name}</th>
              <td>{p.late ? t("board.unit.late") : t(`board.unit.${p.state}`)}{p.number && ` ${t("board.at", { number: p.number })}`}</td>
              <Spot at={located(p)} from={here} accuracyM={p.accuracyM} fixMs={p.fixMs} old={isStale(p, now)} />
            </tr>
          ))}
          {layers.cameras && cameras.map((c) => <tr key={c.camera}><th scope="row">{c.label}</th><td>{t("board.camera")}</td><Spot at={c.at} from={here} /></tr>)}
        </tbody>
      </table>
    </div>
  );
}

interface SpotProps {
  at: LatLon | undefined;
  from: LatLon | undefined;
  accuracyM?: number;
  fixMs?: number;
  old?: boolean;
}

/** Where it is, how old that is, and how far from the chosen case. */
function Spot({ at, from, accuracyM, fixMs, old }: SpotProps) {
  const m = at && from ? distanceM(at, from) : undefined;
  return (
    <>
      <td class="digits">{at ? coordinates(at) : t("board.nofix")}{at && accuracyM ? ` ±${Math.round(accuracyM)} ${t("unit.m")}` : ""}</td>
      <td class={old ? "warn" : ""}>{fixMs ? <>{old && `${t("board.old")} `}<Age at={fixMs} /></> : ""}</td>
      <td class="digits">{m === undefined ? "" : m < 1000 ? t("board.cost.m", { n: String(Math.round(m / 10) * 10) }) : t("board.cost.km", { n: (m / 1000).toFixed(1) })}</td>
    </>
  );
}
