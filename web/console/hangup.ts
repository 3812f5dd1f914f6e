/**
 * Ending a call takes a key held for 0.6 s or a second press within 3 s: nothing ends by a slip.
 * Pure: the component brings the clock.
 */
export type Hangup = { word: "idle" } | { word: "holding"; since: number } | { word: "armed"; until: number };

export const holdMs = 600;
export const armedMs = 3000;
export const idle: Hangup = { word: "idle" };

/** One step; `end` tells to end the call now. */
export function step(h: Hangup, e: "down" | "up" | "tick", now: number): { next: Hangup; end: boolean } {
  const armed = h.word === "armed" && now < h.until;
  switch (e) {
    case "down":
      if (armed) return { next: idle, end: true };
      return { next: h.word === "holding" ? h : { word: "holding", since: now }, end: false };
    case "up":
      return { next: h.word === "holding" ? { word: "armed", until: now + armedMs } : h, end: false };
    case "tick":
      if (h.word === "holding" && now - h.since >= holdMs) return { next: idle, end: true };
      return { next: h.word === "armed" && !armed ? idle : h, end: false };
  }
}
