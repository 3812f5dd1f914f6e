import { type RoomID, roomIDs } from "./rooms";

/**
 * Keys are bound by `event.code`, the place on the keyboard: `event.key` changes with the layout,
 * and the Kazakh one has letters where the digits are.
 */
export const acts = [
  "help", "answer", "pass", "mute", "position", "callback", "hold", "transfer", "end", "ask", "blur", "camera", "state", "queue", "map", "list", "chat", "note",
  "person", "wrapup", "listen", "whisper", "speak", ...roomIDs,
] as const;
export type Act = (typeof acts)[number];

/** A key with its modifiers, such as "Shift+F2" or "Alt+KeyV". */
export type Chord = string;
export type KeyMap = Record<Act, Chord>;

export const defaults: KeyMap = {
  help: "F1",
  answer: "F2", // also: back to ready
  end: "Shift+F2",
  pass: "F3",
  mute: "F4",
  position: "F6",
  callback: "F7",
  hold: "F8",
  transfer: "F9", // of another operator's call: take it over
  wrapup: "F10",
  ask: "Alt+KeyV",
  blur: "Alt+KeyB",
  camera: "Alt+KeyO",
  state: "Alt+KeyS",
  queue: "Alt+KeyQ",
  map: "Alt+KeyM",
  list: "Alt+KeyL",
  chat: "Alt+KeyC",
  note: "Alt+KeyN",
  person: "Alt+KeyP",
  listen: "Alt+KeyI", // again: leave
  whisper: "Alt+KeyW",
  speak: "Alt+KeyJ",
  // Each room has its number, whether somebody sees it or not: one thing to learn for all.
  desk: "Ctrl+Digit1",
  cases: "Ctrl+Digit2",
  board: "Ctrl+Digit3",
  cameras: "Ctrl+Digit4",
  wall: "Ctrl+Digit5",
  stats: "Ctrl+Digit6",
  shifts: "Ctrl+Digit7",
};

/** Does this act lead into a room? */
export function isRoom(act: Act): act is RoomID {
  return (roomIDs as readonly string[]).includes(act);
}

/** The part of a KeyboardEvent that matters. */
export interface KeyPress {
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  shiftKey: boolean;
  metaKey: boolean;
}

const modifiers = /^(Alt|Control|Shift|Meta|OS)/;

/** The chord of a key press; undefined for a modifier alone. */
export function chordOf(e: KeyPress): Chord | undefined {
  if (!e.code || modifiers.test(e.code)) return undefined;
  return `${e.ctrlKey ? "Ctrl+" : ""}${e.altKey ? "Alt+" : ""}${e.metaKey ? "Meta+" : ""}${e.shiftKey ? "Shift+" : ""}${e.code}`;
}

/** The act bound to a key press. */
export function actOf(map: KeyMap, e: KeyPress): Act | undefined {
  const chord = chordOf(e);
  return chord === undefined ? undefined : acts.find((a) => map[a] === chord);
}

/**
 * May this chord be bound? A bare letter or digit would fire while typing, and these are the
 * browser's own, which a page cannot take.
 */
export function bindable(chord: Chord): boolean {
  const reserved = ["Ctrl+KeyT", "Ctrl+KeyN", "Ctrl+KeyW", "Ctrl+Shift+KeyT", "Ctrl+Shift+KeyN", "Ctrl+Shift+KeyW", "F5", "F11", "F12", "Alt+F4"];
  if (reserved.includes(chord) || /^Alt\+Digit[1-9]$/.test(chord)) return false; // the digits send patrols, whichever are proposed
  return /(^|\+)F\d{1,2}$/.test(chord) || /^(Ctrl\+|Alt\+)/.test(chord);
}

/** Binds a chord to an act; whoever had it gets the act's old chord, so that nothing is lost. */
export function rebind(map: KeyMap, act: Act, chord: Chord): KeyMap {
  if (!bindable(chord)) return map;
  const other = acts.find((a) => a !== act && map[a] === chord);
  return { ...map, ...(other ? { [other]: map[act] } : {}), [act]: chord };
}

/** What is written on the button: "Shift+F2", "Alt+V". */
export function label(chord: Chord): string {
  return chord.replace(/Key([A-Z])$/, "$1").replace(/Digit(\d)$/, "$1");
}

const stored = "jedel.console.keys";

/** The keys kept in this browser; anything unreadable counts as never kept. */
export function loadKeys(storage: Pick<Storage, "getItem">): KeyMap {
  try {
    const kept: unknown = JSON.parse(storage.getItem(stored) ?? "{}");
    if (typeof kept !== "object" || kept === null) return defaults;
    let map = defaults;
    for (const act of acts) {
      const chord = (kept as Record<string, unknown>)[act];
      if (typeof chord === "string" && bindable(chord)) map = { ...map, [act]: chord };
    }
    return new Set(Object.values(map)).size === acts.length ? map : defaults;
  } catch {
    return defaults;
  }
}

export function saveKeys(storage: Pick<Storage, "setItem" | "removeItem">, map: KeyMap): void {
  const changed = Object.fromEntries(acts.filter((a) => map[a] !== defaults[a]).map((a) => [a, map[a]]));
  try {
    if (Object.keys(changed).length === 0) storage.removeItem(stored);
    else storage.setItem(stored, JSON.stringify(changed));
  } catch {
    // A full or forbidden storage costs the change at the next reload, nothing else.
  }
}
