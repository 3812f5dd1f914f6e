import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { LatLon } from "../../map/geo";
import { timeOfDay } from "../clock";
import { useConsole, useServerNow } from "../context";
import type { Act } from "../keys";
import { actEvent } from "../useKeys";
import { useWhere } from "../useRoom";
import { CaseList, pick } from "./CaseList";
import { Chosen } from "./Chosen";
import { type Board as BoardOf, BoardContext, useBoard, useBoardModel } from "./context";
import { MapPane } from "./MapPane";
import { PatrolList } from "./PatrolList";
import { keyed } from "./Proposals";
import { located } from "./rules";
import "./board.css";

/** The dispatcher's board, and that of navigation, who sends nobody and has the larger map. */
export default function Board() {
  const { query, go } = useWhere();
  const board = useBoardModel(query.get("case") ?? undefined);
  const [list, setList] = useState(false);
  const [frame, setFrame] = useState<{ places: LatLon[]; turn: number }>({ places: [], turn: 0 });
  const show = (places: LatLon[]) => setFrame((f) => ({ places, turn: f.turn + 1 }));
  const { state, chosen } = board;
  useEffect(() => go("board", state.chosen ? new URLSearchParams({ case: state.chosen }) : undefined, true), [state.chosen]);
  useBoardKeys(board, () => setList((on) => !on));
  const at = chosen && located(chosen.row);
  useEffect(() => {
    if (at) show([at, ...(state.proposals?.patrols.slice(0, 3).flatMap((p) => located(p) ?? []) ?? [])]);
  }, [chosen?.row.case, at?.lat, at?.lon, state.proposals === undefined]);
  useFirstLook(board, show);
  return (
    <BoardContext.Provider value={board}>
      <main class={board.sends ? "board" : "board wide"} aria-label={t("room.board")}>
        <Head />
        <div class="column left">
          <CaseList />
          <PatrolList onLook={(p) => show([located(p)].filter((x) => x !== undefined))} />
        </div>
        <MapPane list={list} onList={setList} frame={frame} onFrame={show} />
        <Chosen />
      </main>
    </BoardContext.Provider>
  );
}

/** How many of each there are, and what time it is. */
function Head() {
  const { state } = useBoard();
  const { view } = useConsole();
  const now = useServerNow(1000);
  const free = state.patrols.filter((p) => p.state === "available").length;
  return (
    <p class="boardhead">
      {[0, 1, 2, 3].map((p) => {
        const n = state.entries.filter((e) => e.row.priority === p).length;
        return <span key={p} class={n > 0 ? `p${p + 1} some` : `p${p + 1}`}>P{p + 1} <b>{n}</b></span>;
      })}
      <span>{t("board.free", { n: free, m: state.patrols.length })}</span>
      <span class="grow" />
      <time class="clock">{timeOfDay(now - view.skewMs)}</time>
    </p>
  );
}

/** Everything there is comes into view once, when it is known. */
function useFirstLook(board: BoardOf, show: (places: LatLon[]) => void): void {
  const looked = useRef(false);
  useEffect(() => {
    if (looked.current || !board.state.known || board.state.chosen) return;
    looked.current = true;
    show([...board.state.entries.map((e) => located(e.row)), ...board.state.patrols.map(located)].filter((p) => p !== undefined));
  }, [board.state.known]);
}

/** Alt and a digit sends the proposed patrol, Ctrl and Z takes the last act back; by code, as in every layout. */
function useBoardKeys(board: BoardOf, onList: () => void): void {
  const latest = useRef({ board, onList });
  latest.current = { board, onList };
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      const b = latest.current.board;
      const n = /^Digit(\d)$/.exec(e.code)?.[1];
      if (e.altKey && !e.ctrlKey && !e.shiftKey && n && Number(n) >= 1 && Number(n) <= keyed) {
        e.preventDefault();
        const p = b.state.proposals?.patrols[Number(n) - 1];
        if (!e.repeat && b.sends && b.chosen && p) b.send(p, p.words);
      }
      const writes = (e.target as Element | null)?.closest?.("input, textarea");
      if (e.ctrlKey && !e.altKey && e.code === "KeyZ" && !writes && b.undo()) e.preventDefault();
    };
    const act = (e: Event) => {
      const what = (e as CustomEvent<Act>).detail;
      const { board: b, onList: toggle } = latest.current;
      if (what === "list") toggle();
      else if (what === "queue") pick(b.state.chosen ?? b.state.entries[0]?.row.case, b.choose);
      else return;
      e.preventDefault();
    };
    window.addEventListener("keydown", down, true);
    window.addEventListener(actEvent, act);
    return () => {
      window.removeEventListener("keydown", down, true);
      window.removeEventListener(actEvent, act);
    };
  }, []);
}
