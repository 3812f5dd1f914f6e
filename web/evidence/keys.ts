/**
 * The keys of the player, by `event.code`, the place on the keyboard: Cyrillic layouts change every
 * `event.key`, and the Kazakh one has letters where the digits are.
 */
export const acts = [
  "play", "back", "forward", "frameBack", "frameForward", "slow", "normal", "fast", "double", "loop", "marker", "cite", "downloads", "verify", "help",
] as const;
export type Act = (typeof acts)[number];

export const table: Record<Act, readonly string[]> = {
  play: ["Space", "KeyK"],
  back: ["KeyJ", "ArrowLeft"],
  forward: ["KeyL", "ArrowRight"],
  frameBack: ["Comma"],
  frameForward: ["Period"],
  slow: ["Digit1"],
  normal: ["Digit2"],
  fast: ["Digit3"],
  double: ["Digit4"],
  loop: ["KeyR"],
  marker: ["KeyM"],
  cite: ["KeyC"],
  downloads: ["KeyD"],
  verify: ["KeyV"],
  help: ["Shift+Slash"],
};

/** What the acts of speed set. */
export const speeds: Partial<Record<Act, number>> = { slow: 0.5, normal: 1, fast: 1.5, double: 2 };

/** What the acts of place move by, in milliseconds of the call. A frame is 1/15 s. */
export const moves: Partial<Record<Act, number>> = { back: -5000, forward: 5000, frameBack: -1000 / 15, frameForward: 1000 / 15 };

/** The part of a KeyboardEvent that matters. */
export interface KeyPress {
  code: string;
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  shiftKey: boolean;
  metaKey: boolean;
}

/** What the key was pressed on: fields keep all keys, buttons and links the space bar. */
export type Place = "page" | "button" | "field";

/** The act of a key press. Where the layout has its question mark elsewhere, that one counts too. */
export function actOf(e: KeyPress, on: Place): Act | undefined {
  if (on === "field" || e.ctrlKey || e.altKey || e.metaKey) return undefined;
  if (e.key === "?") return "help";
  if (on === "button" && e.code === "Space") return undefined;
  const chord = (e.shiftKey ? "Shift+" : "") + e.code;
  return acts.find((a) => table[a].includes(chord));
}

/** What an element makes of the place of a key press. */
export function placeOf(target: EventTarget | null): Place {
  const el = target instanceof Element ? target : null;
  if (el?.closest("input, select, textarea, dialog, .maplibregl-canvas")) return "field";
  return el?.closest("button, a, summary") ? "button" : "page";
}

const signs: Record<string, string> = { Comma: ",", Period: ".", ArrowLeft: "←", ArrowRight: "→", "Shift+Slash": "?" };

/** What is printed on the key. The space bar has a name in each language, so it stays as it is. */
export function label(chord: string): string {
  return signs[chord] ?? chord.replace(/^(Key|Digit)/, "");
}

/** Where a slider of the call goes by a key: its own steps, whole call at the ends. */
export function slide(code: string, ms: number, durationMs: number): number | undefined {
  const to: Record<string, number> = {
    ArrowLeft: ms - 1000, ArrowDown: ms - 1000, ArrowRight: ms + 1000, ArrowUp: ms + 1000, PageDown: ms - 10_000, PageUp: ms + 10_000, Home: 0, End: durationMs,
  };
  const at = to[code];
  return at === undefined ? undefined : Math.max(0, Math.min(durationMs, at));
}
