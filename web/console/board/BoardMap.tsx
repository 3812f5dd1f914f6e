import { useMemo } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { LatLon } from "../../map/geo";
import { MapView } from "../../map/MapView";
import { useConsole, useServerNow } from "../context";
import { baseSource } from "../nearby";
import { mapWords } from "../Where";
import { useBoard } from "./context";
import { type Camera, cost, type Entry, isStale, type Layers, linesOf, located, marksOf, placeOf } from "./rules";
import type { PatrolRow, Proposal } from "./types";

interface Props {
  layers: Layers;
  cameras: Camera[];
  /** Places that were measured or found, drawn as they are. */
  points: LatLon[];
  measured: string;
  frame: { places: LatLon[]; turn: number };
  onTap: (at: LatLon) => void;
  onPick: (id: string) => void;
  onFailed: () => void;
}

const noTrack: never[] = [];

function far(p: Proposal): string {
  const c = cost(p);
  return c.unit ? `${p.name} ${t(`board.cost.${c.unit}`, { n: c.n })}` : p.name;
}

/** Cases, patrols and cameras on the map: each state has its shape and its word; what is old is hatched. */
export function BoardMap(props: Props) {
  const { theme, lang, street, noStreet, view } = useConsole();
  const { state, chosen } = useBoard();
  const now = useServerNow(5000);
  const old = state.patrols.filter((p) => isStale(p, now)).map((p) => p.patrol).join();
  const accuracy = state.view ? (placeOf(state.view.card)?.accuracyM ?? 0) : 0;
  const marks = useMemo(() => {
    const words = {
      aCase: (e: Entry) => `${e.row.number} ${t(`board.need.${e.need}`)}`,
      patrol: (p: PatrolRow) => `${p.name} ${isStale(p, now) ? t("board.oldmark") : p.late ? t("board.unit.late") : t(`board.unit.${p.state}`)}`,
    };
    const found = props.points.map((at, i) => ({ ...at, accuracyM: 0, id: `point:${i}`, shape: "point" as const, label: "", order: 0 }));
    return [...marksOf({ entries: state.entries, patrols: state.patrols, cameras: props.cameras, chosen: state.chosen, layers: props.layers, nowMs: now }, words, (e) => (e.row.case === state.view?.case ? accuracy : 0)), ...found];
  }, [state.entries, state.patrols, props.cameras, state.chosen, props.layers, props.points, old, accuracy, lang]);
  const lines = useMemo(() => {
    const way = props.points.flatMap((to, i) => (i > 0 ? [{ from: props.points[i - 1] as LatLon, to, label: i === props.points.length - 1 ? props.measured : "" }] : []));
    return [...linesOf(chosen, state.proposals?.patrols[0], far), ...way];
  }, [chosen, state.proposals, props.points, props.measured]);
  const centre = view.centre ?? { lat: 48, lon: 67 };
  return (
    <MapView
      theme={theme} lang={lang} street={street !== null} streetCredit={street ?? ""} onNoStreet={noStreet} source={baseSource} centre={centre} track={noTrack} points={noTrack} stale={false}
      marks={marks} lines={lines} frame={props.frame} words={{ ...mapWords(), name: t("board.map") }} onPick={props.onPick} onTap={props.onTap} onFailed={props.onFailed}
    />
  );
}

/** Everything that has a position, to bring it into view. */
export function placesOf(entries: Entry[], patrols: PatrolRow[], cameras: Camera[], layers: Layers): LatLon[] {
  return [
    ...(layers.cases ? entries.map((e) => located(e.row)) : []), ...(layers.patrols ? patrols.map(located) : []), ...(layers.cameras ? cameras.map((c) => c.at) : []),
  ].filter((p) => p !== undefined);
}
