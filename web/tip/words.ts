/** The page's texts, all three languages in one file: a change of language is seen by nobody. */
import { format, type Lang } from "../lib/i18n";
import en from "../locales/tip/en.json";
import kk from "../locales/tip/kk.json";
import ru from "../locales/tip/ru.json";

const texts: Record<Lang, Record<string, string>> = { kk, ru, en };

/** The browser's language, else Kazakh. Nothing is remembered. */
export function firstLang(): Lang {
  for (const wish of navigator.languages ?? []) {
    const short = wish.slice(0, 2);
    if (short === "kk" || short === "ru" || short === "en") return short;
  }
  return "kk";
}

export type Say = (key: string, vars?: Record<string, string | number>) => string;

export function sayIn(language: Lang): Say {
  return (key, vars = {}) => format(texts[language][key] ?? key, vars, language);
}
