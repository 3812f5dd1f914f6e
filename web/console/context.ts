import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Text } from "../lib/wire.gen";
import { t } from "../lib/i18n";
import type { Desk, Seat } from "./desk";
import type { Drafts } from "./drafts";
import type { KeyMap } from "./keys";
import type { View } from "./view";

export type Lang = keyof Text;
export type Theme = "light" | "dark";
export type ThemeWish = Theme | "auto";

/** What every part of the console may read. */
export interface Console {
  desk: Desk;
  view: View;
  seat: Seat;
  drafts: Drafts;
  lang: Lang;
  setLang: (lang: Lang) => void;
  theme: Theme;
  themeWish: ThemeWish;
  setTheme: (wish: ThemeWish) => void;
  keys: KeyMap;
  setKeys: (keys: KeyMap) => void;
  /** Whose street tiles the site has; null: none. */
  street: string | null;
  /** They cannot be read. */
  noStreet: () => void;
  signOut: () => void;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

export function useConsole(): Console {
  const c = useContext(ConsoleContext);
  if (!c) throw new Error("bug: used outside the console");
  return c;
}

/** Redraws with the desk, which is made once per page. */
export function useDesk(desk: Desk): { view: View; seat: Seat } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const off = desk.subscribe(() => redraw((n) => n + 1));
    redraw((n) => n + 1); // what happened between the first drawing and this line
    return off;
  }, [desk]);
  return { view: desk.view, seat: desk.seat };
}

/** The gateway's clock, redrawn every so many milliseconds. */
export function useServerNow(everyMs: number): number {
  const { desk } = useConsole();
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return desk.now + desk.view.skewMs;
}

/** The text of a word from outside; one that this page does not know gets the text of `other`. */
export function tOf(prefix: string, word: string, known: readonly string[], vars?: Record<string, string | number>): string {
  return t(`${prefix}.${known.includes(word) ? word : "other"}`, vars);
}

/** Words of the gateway, or a key of ours. */
export function words(w: Text | string, lang: Lang): string {
  return typeof w === "string" ? t(w) : w[lang] || w.ru;
}
