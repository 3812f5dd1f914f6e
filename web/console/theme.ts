import type { Theme, ThemeWish } from "./context";

const stored = "jedel.console.theme";

/** A control room is dark from 20 to 7 o'clock, or whenever the machine is. UX.md 1.4. */
export function themeOf(wish: ThemeWish, hour: number, systemDark: boolean): Theme {
  if (wish !== "auto") return wish;
  return systemDark || hour >= 20 || hour < 7 ? "dark" : "light";
}

export function loadTheme(storage: Pick<Storage, "getItem">): ThemeWish {
  const kept = storage.getItem(stored);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function saveTheme(storage: Pick<Storage, "setItem">, wish: ThemeWish): void {
  storage.setItem(stored, wish);
}
