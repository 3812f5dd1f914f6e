import { useEffect, useRef, useState } from "preact/hooks";
import { type Address, addressOf, type At, worthAsking } from "./address";

/** The words of a position; asked for again when it has moved enough to have others. */
export function useAddress(at: At | null | undefined): Address | undefined {
  const [found, setFound] = useState<Address>();
  const asked = useRef<At | undefined>(undefined);
  const open = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => open.current?.abort(), []);
  useEffect(() => {
    if (!at) {
      asked.current = undefined;
      setFound(undefined);
      return;
    }
    if (!worthAsking(asked.current, at)) return;
    open.current?.abort();
    const now = new AbortController();
    open.current = now;
    asked.current = at;
    void addressOf(at, now.signal).then((a) => {
      if (now.signal.aborted) return;
      setFound(a);
      if (!a) asked.current = undefined; // the next position asks again
    });
  }, [at?.lat, at?.lon, at?.accuracyM]);
  return found;
}
