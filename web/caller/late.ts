import { useEffect, useState } from "preact/hooks";

/** True when something has been missing for so long that the person must be told another way. */
export function useLate(there: boolean, patienceMs: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (there) return;
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, [there, patienceMs]);
  return late;
}
