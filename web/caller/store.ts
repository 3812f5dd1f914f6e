import type { Fix } from "../lib/wire.gen";

/** Where this tab's client, call and registration are kept. A new tab takes over what an older one
 * left open, a second tab beside it does not. */
const open = "jedel.open";

export const clientStorage = {
  getItem(key: string): string | null {
    try {
      return sessionStorage.getItem(key) ?? (localStorage.getItem(open) ? localStorage.getItem(key) : null);
    } catch {
      return null;
    }
  },
  setItem(key: string, value: string): void {
    try {
      sessionStorage.setItem(key, value);
      localStorage.setItem(key, value);
    } catch {
      // Private windows without storage: the call lives as long as the tab.
    }
  },
};

/** Notes whether a call is open, so that a tab opened after a crash finds it. */
export function keepOpen(is: boolean): void {
  try {
    if (is) localStorage.setItem(open, "1");
    else localStorage.removeItem(open);
  } catch {
    // See above.
  }
}

export function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // See above.
  }
}

const left = "jedel.left";

/** Notes that this tab was left in a hurry, so that Back shows nothing. */
export function markLeft(): void {
  try {
    sessionStorage.setItem(left, "1");
    sessionStorage.removeItem(pinKey);
  } catch {
    // See above.
  }
}

/** Whether the person came here by Back after leaving in a hurry; any other way in forgets it. */
export function cameBack(): boolean {
  try {
    const way = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
    if (sessionStorage.getItem(left) && way?.type === "back_forward") return true;
    sessionStorage.removeItem(left);
  } catch {
    // See above.
  }
  return false;
}

const pinKey = "jedel.pin";

/** Keeps the placed pin through a reload of this tab, and no longer than the call. */
export function keepPin(fix: Fix | null): void {
  try {
    if (fix) sessionStorage.setItem(pinKey, JSON.stringify(fix));
    else sessionStorage.removeItem(pinKey);
  } catch {
    // See above.
  }
}

export function keptPin(): Fix | null {
  try {
    const fix = JSON.parse(sessionStorage.getItem(pinKey) ?? "null") as Fix | null;
    return fix?.source === "pin" && Number.isFinite(fix.lat) && Number.isFinite(fix.lon) ? fix : null;
  } catch {
    return null;
  }
}

export const tokenKey = "jedel.caller.token";

/** A call that this phone made, and the key by which the gateway tells what became of it. */
export interface KeptCall {
  call: string;
  number: string;
  client: string;
  key: string;
  atMs: number;
}

const callsKey = "jedel.calls";
const maxCalls = 10;

export function keptCalls(): KeptCall[] {
  try {
    return (JSON.parse(localStorage.getItem(callsKey) ?? "[]") as KeptCall[]).filter((c) => c.call && c.client && c.key);
  } catch {
    return [];
  }
}

/** Keeps a call for "my reports", the newest first. */
export function keepCall(c: KeptCall): void {
  write(callsKey, JSON.stringify([c, ...keptCalls().filter((x) => x.call !== c.call)].slice(0, maxCalls)));
}
