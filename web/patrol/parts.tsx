/** What the components of the page share. */
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { age } from "../console/clock";
import { type Lang, t } from "../lib/i18n";
import type { Text } from "../lib/wire.gen";
import type { Work } from "./work";

export interface Page {
  work: Work;
  language: Lang;
  theme: "light" | "dark";
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const p = useContext(PageContext);
  if (!p) throw new Error("bug: used outside the page");
  return p;
}

/** The clock of this phone, redrawn each second. */
export function useNow(): number {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** "4 s ago". */
export function Age({ at }: { at: number }) {
  const now = useNow();
  const { n, unit } = age(now - at);
  return <span class="age">{t("ago", { n, unit: t(`unit.${unit}`) })}</span>;
}

export function timeOf(ms: number, language: Lang): string {
  return new Date(ms).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

/** Words of a refusal in the language of the page; without any, ours for the code, or that nobody answered. */
export function saying(words: Text | null | undefined, code: string, language: Lang): string {
  return words?.[language] || t(code === "" || code === "unreachable" ? "unreached" : "refused.code", { code });
}
