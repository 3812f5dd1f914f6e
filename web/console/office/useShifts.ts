import { useEffect, useRef, useState } from "preact/hooks";
import type { Text } from "../../lib/wire.gen";
import { useConsole } from "../context";
import { RestError } from "../rest";

/** Something that is asked for every so often, and at once when told to. A refusal leaves what was there. */
export function usePolled<T>(ask: () => Promise<T>, everyMs: number, key: string): { now: T | undefined; trouble: Text | string | undefined; look: () => void; put: (v: T) => void } {
  const [now, setNow] = useState<T>();
  const [trouble, setTrouble] = useState<Text | string>();
  const [turn, setTurn] = useState(0);
  const newest = useRef(0);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const mine = ++newest.current;
      try {
        const v = await ask();
        if (gone || mine !== newest.current) return;
        setNow(v);
        setTrouble(undefined);
      } catch (err) {
        if (gone || mine !== newest.current) return;
        setTrouble((err instanceof RestError && err.words) || "error.unreachable");
      }
      timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, everyMs, turn]);
  return {
    now, trouble,
    look: () => setTurn((n) => n + 1),
    put: (v) => {
      newest.current++; // an answer that is on its way is older
      setNow(v);
      setTurn((n) => n + 1);
    },
  };
}

/** Does something at the gateway; a refusal is said in its own words. */
export function useAct(): <T>(act: () => Promise<T>) => Promise<T | undefined> {
  const { desk } = useConsole();
  return async (act) => {
    try {
      return await act();
    } catch (err) {
      desk.say((err instanceof RestError && err.words) || "error.unreachable", { bad: true });
      return undefined;
    }
  };
}
