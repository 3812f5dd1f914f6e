import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { LatLon } from "../../map/geo";
import { useConsole } from "../context";
import { label } from "../keys";
import { may } from "../may";
import { Key } from "../Small";
import { useCameras } from "../useCameras";
import { BoardMap, placesOf } from "./BoardMap";
import { useBoard } from "./context";
import { Finder } from "./Finder";
import { allLayers, type Layers, measured } from "./rules";
import { Twin } from "./Twin";
import { pick } from "./CaseList";

const layerNames = ["cases", "patrols", "cameras"] as const;
const camerasEvery = 20_000;

/** The map with its layers and tools, or the list that says the same. */
export function MapPane({ list, onList, frame, onFrame }: { list: boolean; onList: (on: boolean) => void; frame: { places: LatLon[]; turn: number }; onFrame: (places: LatLon[]) => void }) {
  const { keys, lang, view, street } = useConsole();
  const { state, chosen, edits, place, choose } = useBoard();
  const [layers, setLayers] = useState<Layers>(allLayers);
  const [tool, setTool] = useState<"" | "measure" | "pin">("");
  const [points, setPoints] = useState<LatLon[]>([]);
  const sees = may(view.staff, "see_cameras");
  const cameras = useCameras(undefined, sees ? camerasEvery : 0).map((c) => ({ camera: c.camera, label: c.name[lang] || c.name.ru, ...(c.at ? { at: c.at } : {}) }));
  const metres = measured(points);
  const length = points.length < 2 ? "" : metres < 1000 ? t("board.cost.m", { n: String(Math.round(metres)) }) : t("board.cost.km", { n: (metres / 1000).toFixed(2) });
  const use = (next: "measure" | "pin") => {
    setPoints([]);
    setTool(tool === next ? "" : next);
  };
  const tap = (at: LatLon) => {
    if (tool === "measure") setPoints([...points, at]);
    if (tool === "pin" && chosen) {
      place({ ...at, words: "" });
      setTool("");
    }
  };
  const picked = (id: string) => {
    const [kind, name] = id.split(/:(.*)/s);
    if (tool === "" && kind === "case") pick(name, choose);
  };
  return (
    <section class="panel where boardmap" aria-label={t("board.map")} data-focus="map" tabIndex={-1}>
      <div class="row tools">
        <fieldset class="row layers">
          <legend class="unseen">{t("board.layers")}</legend>
          {layerNames.filter((l) => l !== "cameras" || sees).map((l) => (
            <label key={l} class={layers[l] ? "chip on" : "chip"}>
              <input type="checkbox" checked={layers[l]} onChange={() => setLayers({ ...layers, [l]: !layers[l] })} />{t(`board.layer.${l}`)}
            </label>
          ))}
        </fieldset>
        <button type="button" class="small" onClick={() => onFrame(placesOf(state.entries, state.patrols, cameras, layers))}>{t("board.all")}</button>
        <button type="button" class="small" aria-pressed={tool === "measure"} disabled={list} onClick={() => use("measure")}>{t("board.measure")}</button>
        {edits && <button type="button" class="small" aria-pressed={tool === "pin"} disabled={list || !chosen} onClick={() => use("pin")}>{t("board.pin")}</button>}
        <button type="button" class="small" aria-pressed={list} aria-keyshortcuts={label(keys.list)} onClick={() => onList(!list)}>{t("board.aslist")} <Key act="list" /></button>
      </div>
      <Finder onShow={(at) => { setPoints([at]); onFrame([at]); }} />
      {tool && <p role="status" class="hint">{t(`board.tool.${tool}`)} {length && <b>{length}</b>}</p>}
      {!list && street === null && <p class="hint">{t("map.nostreets")}</p>}
      {list ? <Twin layers={layers} cameras={cameras} onCase={(id) => choose(id)} /> : (
        <BoardMap layers={layers} cameras={cameras} points={points} measured={length} frame={frame} onTap={tap} onPick={picked} onFailed={() => onList(true)} />
      )}
    </section>
  );
}
