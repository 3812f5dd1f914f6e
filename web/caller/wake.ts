import { useEffect } from "preact/hooks";

/** Keeps the screen on while the component is shown: a dark screen takes the page's voice away. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    let over = false;
    const take = async () => {
      if (over || document.visibilityState !== "visible" || (lock && !lock.released)) return;
      try {
        const got = await navigator.wakeLock?.request("screen");
        if (over) await got?.release(); // granted after the call
        else lock = got;
      } catch {
        // Low battery: the call goes on.
      }
    };
    const visible = () => void take();
    visible();
    document.addEventListener("visibilitychange", visible);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", visible);
      void lock?.release();
    };
  }, []);
}
