import { useEffect, useRef } from "preact/hooks";
import { type Act, actOf, placeOf } from "./keys";

/** Listens from anywhere on the page. A lane that has taken a key keeps it. */
export function useKeys(perform: (act: Act) => void): void {
  const latest = useRef(perform);
  latest.current = perform;
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      if (e.defaultPrevented) return;
      const act = actOf(e, placeOf(e.target));
      if (!act) return;
      e.preventDefault(); // the space bar and the arrows scroll otherwise
      const repeats = act === "back" || act === "forward" || act === "frameBack" || act === "frameForward";
      if (!e.repeat || repeats) latest.current(act);
    };
    addEventListener("keydown", down);
    return () => removeEventListener("keydown", down);
  }, []);
}
