import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { LatLon } from "../../map/geo";
import { CameraTile } from "../CameraTile";
import { useConsole } from "../context";
import type { Act } from "../keys";
import { useCameras } from "../useCameras";
import { actEvent } from "../useKeys";
import { useWhere } from "../useRoom";
import { BoardMap } from "./BoardMap";
import { CaseList, pick } from "./CaseList";
import { BoardContext, useBoardModel } from "./context";
import { allLayers, located } from "./rules";
import { onPage, pagesOf } from "./wall";
import "./board.css";

const wallEvery = 2000;
const sizes = [2, 3] as const;
const kept = "jedel.console.wall";

/** The wall of cameras beside the cases: those nearest to the chosen case, or all by name. */
export default function CameraRoom() {
  const { lang } = useConsole();
  const { query, go } = useWhere();
  const board = useBoardModel(query.get("case") ?? undefined);
  const { state, chosen } = board;
  const [size, setSize] = useState<number>(() => (localStorage.getItem(kept) === "3" ? 3 : 2));
  const [page, setPage] = useState(0);
  const [large, setLarge] = useState<string>();
  const [map, setMap] = useState(false);
  useEffect(() => go("cameras", state.chosen ? new URLSearchParams({ case: state.chosen }) : undefined, true), [state.chosen]);
  const near = chosen && located(chosen.row);
  const all = useCameras(near, wallEvery);
  const sorted = near ? all : all.toSorted((a, b) => a.name[lang].localeCompare(b.name[lang], lang, { numeric: true }));
  const pages = pagesOf(sorted.length, size);
  const shown = large ? sorted.filter((c) => c.camera === large) : onPage(sorted, size, Math.min(page, pages - 1));
  const order = sorted.map((c) => c.camera).join();
  useEffect(() => setPage(0), [near?.lat, near?.lon, size]);
  const resize = (n: number) => {
    localStorage.setItem(kept, String(n));
    setSize(n);
  };
  const turn = (by: number) => setPage((p) => Math.min(pages - 1, Math.max(0, p + by)));
  const recording = state.view?.recordings.find((r) => r.live)?.call ?? state.view?.recordings[0]?.call;
  useWallKeys({ turn, large: (n) => setLarge((on) => (on ? undefined : shown[n - 1]?.camera)), small: () => setLarge(undefined), list: () => setMap((m) => !m), cases: () => pick(state.chosen ?? state.entries[0]?.row.case, board.choose) });
  const marked = useMemo(() => sorted.map((c) => ({ camera: c.camera, label: c.name[lang], ...(c.at ? { at: c.at } : {}) })), [order, lang]);
  const frame = useFrame([...(near ? [near] : []), ...shown.flatMap((c) => c.at ?? [])], `${order}${page}${size}${large}`);
  return (
    <BoardContext.Provider value={board}>
      <main class="camerawall" aria-label={t("room.cameras")}>
        <div class="column left"><CaseList /></div>
        <section class="panel cameras camwall" aria-label={t("board.wall")} data-focus="map" tabIndex={-1}>
          <h2>
            {near ? t("board.wall.near", { number: chosen.row.number }) : t("board.wall.name")} <span class="count">{sorted.length}</span>
            <span class="grow" />
            {sizes.map((n) => <button key={n} type="button" class="small" aria-pressed={size === n && !large} onClick={() => { setLarge(undefined); resize(n); }}>{n}×{n}</button>)}
            <button type="button" class="small" aria-pressed={map} onClick={() => setMap(!map)}>{t("board.wall.map")}</button>
            {pages > 1 && !large && (
              <>
                <button type="button" class="small" disabled={page === 0} onClick={() => turn(-1)}>{t("board.wall.before")} <kbd>PgUp</kbd></button>
                <span class="digits" role="status">{t("board.wall.page", { n: Math.min(page, pages - 1) + 1, m: pages })}</span>
                <button type="button" class="small" disabled={page >= pages - 1} onClick={() => turn(1)}>{t("board.wall.next")} <kbd>PgDn</kbd></button>
              </>
            )}
          </h2>
          {chosen && <p class="hint">{recording ? t("board.wall.clips", { number: chosen.row.number }) : t("board.wall.noclips")}</p>}
          {sorted.length === 0 && <p class="empty">{t("board.wall.none")}</p>}
          <ul class={`grid${large ? 1 : size}`} aria-label={t("board.wall")}>
            {shown.map((c, i) => (
              <CameraTile
                key={c.camera} camera={c} lang={lang} watched recording={recording}
                enlarge={{ on: large === c.camera, key: `Alt+${i + 1}`, toggle: () => setLarge(large ? undefined : c.camera) }}
              />
            ))}
          </ul>
        </section>
        {map && (
          <section class="panel where" aria-label={t("board.map")}>
            <BoardMap layers={allLayers} cameras={marked} points={none} measured="" frame={frame} onTap={() => undefined} onPick={(id) => id.startsWith("camera:") && setLarge(id.slice(7))} onFailed={() => setMap(false)} />
          </section>
        )}
      </main>
    </BoardContext.Provider>
  );
}

const none: LatLon[] = [];

/** Brings places into view when what they stand for changes. */
function useFrame(places: LatLon[], of: string): { places: LatLon[]; turn: number } {
  const turn = useRef(0);
  return useMemo(() => ({ places, turn: ++turn.current }), [of]);
}

interface WallActs {
  turn: (by: number) => void;
  large: (n: number) => void;
  small: () => void;
  list: () => void;
  cases: () => void;
}

/** PgUp and PgDn turn the pages, Alt and a digit makes a picture large, Esc small again. */
function useWallKeys(acts: WallActs): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      const n = /^Digit([1-9])$/.exec(e.code)?.[1];
      if (e.code === "PageDown") latest.current.turn(1);
      else if (e.code === "PageUp") latest.current.turn(-1);
      else if (e.altKey && !e.ctrlKey && n) latest.current.large(Number(n));
      else if (e.code === "Escape") return latest.current.small();
      else return;
      e.preventDefault();
    };
    const act = (e: Event) => {
      const what = (e as CustomEvent<Act>).detail;
      if (what === "list") latest.current.list();
      else if (what === "queue") latest.current.cases();
      else return;
      e.preventDefault();
    };
    window.addEventListener("keydown", down);
    window.addEventListener(actEvent, act);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener(actEvent, act);
    };
  }, []);
}
