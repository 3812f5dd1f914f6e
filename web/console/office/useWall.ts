import { useEffect, useRef, useState } from "preact/hooks";
import type { Text } from "../../lib/wire.gen";
import { useConsole } from "../context";
import { RestError } from "../rest";
import { type Answer, askStats, askWall, type WallView } from "./api";

const every = 1000; // between two looks where nothing happens
const soonest = 150; // after something has happened
/** News older than this are no news: the board says so. UX.md 2.4. */
export const staleMs = 5000;

/** The wallboard, and when it came by this machine's clock. Every change of the console's lists asks for it at once. */
export function useWall(): { wall: WallView | undefined; atMs: number; trouble: Text | string | undefined } {
  const { view } = useConsole();
  const [state, setState] = useState<{ wall: WallView | undefined; atMs: number; trouble: Text | string | undefined }>({ wall: undefined, atMs: 0, trouble: undefined });
  const nudge = useRef<() => void>(() => undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    let again = false;
    let gone = false;
    const look = async () => {
      clearTimeout(timer);
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      again = false;
      try {
        const wall = await askWall();
        if (!gone) setState({ wall, atMs: Date.now(), trouble: undefined });
      } catch (err) {
        if (!gone) setState((s) => ({ ...s, trouble: (err instanceof RestError && err.words) || "error.unreachable" }));
      }
      busy = false;
      if (!gone) timer = setTimeout(() => void look(), again ? soonest : every);
    };
    nudge.current = () => void look();
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => nudge.current(), [view.state?.rev]);
  return state;
}

/** Answers that are asked for again every so often; undefined until the first. */
export function useAnswers(queries: (URLSearchParams | undefined)[], everyMs: number): (Answer | undefined)[] {
  const [list, setList] = useState<(Answer | undefined)[]>([]);
  const key = queries.map(String).join("|");
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const out: (Answer | undefined)[] = [];
      for (const q of queries) out.push(q && (await askStats(q).catch(() => undefined))); // one at a time, as the gateway answers them
      if (gone) return;
      setList((old) => out.map((a, i) => a ?? old[i]));
      timer = setTimeout(() => void look(), out.every((a, i) => a || !queries[i]) ? everyMs : 2000);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, everyMs]);
  return list;
}
