/** Texts in Kazakh, Russian and English: flat keys, `{name}` and ICU plurals. */
export type Lang = "kk" | "ru" | "en";
export const langs: Lang[] = ["kk", "ru", "en"];

type Texts = Record<string, string>;
const files = import.meta.glob<Texts>("../locales/*/*.json", { import: "default" });
const stored = "jedel.lang";

let texts: Texts = {};
let current: Lang = "kk";
let own: Texts = {};
let added: Texts = {};

function isLang(s: string | null | undefined): s is Lang {
  return s === "kk" || s === "ru" || s === "en";
}

/** The language of this page: the one kept, else the browser's, else Kazakh. */
export function lang(): Lang {
  const kept = read(stored);
  if (isLang(kept)) return kept;
  for (const wish of navigator.languages ?? []) {
    const short = wish.slice(0, 2);
    if (isLang(short)) return short;
  }
  return "kk";
}

/** Keeps a choice of language. The page loads its texts with loadLocale. */
export function setLang(next: Lang): void {
  try {
    localStorage.setItem(stored, next);
  } catch {
    // A browser without storage asks again next time.
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

async function textsOf(page: string, next: Lang): Promise<Texts> {
  const file = files[`../locales/${page}/${next}.json`];
  if (!file) throw new Error(`no texts for ${page} in ${next}`);
  return file();
}

/** Loads the texts of a page. They replace those of before. */
export async function loadLocale(page: string, next: Lang): Promise<void> {
  own = await textsOf(page, next);
  texts = { ...added, ...own };
  current = next;
  document.documentElement.lang = next;
}

/** Loads the texts of a part of a page, beside the page's own. */
export async function addLocale(part: string, next: Lang): Promise<void> {
  const more = await textsOf(part, next);
  added = { ...added, ...more }; // looked at after the wait: another part may have come meanwhile
  texts = { ...added, ...own };
}

/** The text of a key. An unknown key is shown as it is, so that it is seen. */
export function t(key: string, vars: Record<string, string | number> = {}): string {
  return format(texts[key] ?? key, vars, current);
}

/** Pure: fills `{name}` and `{n, plural, one{...} few{...} other{... #}}`. */
export function format(text: string, vars: Record<string, string | number>, language: Lang): string {
  let out = "";
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{", at);
    if (open < 0) return out + text.slice(at);
    const close = closing(text, open);
    if (close < 0) return out + text.slice(at);
    out += text.slice(at, open) + fill(text.slice(open + 1, close), vars, language);
    at = close + 1;
  }
  return out;
}

function closing(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

function fill(inside: string, vars: Record<string, string | number>, language: Lang): string {
  const plural = /^\s*(\w+)\s*,\s*plural\s*,/.exec(inside);
  if (!plural) {
    const v = vars[inside.trim()];
    return v === undefined ? `{${inside}}` : String(v);
  }
  const n = Number(vars[plural[1] ?? ""] ?? 0);
  const forms = branches(inside.slice(plural[0].length));
  const form = forms.get(new Intl.PluralRules(language).select(n)) ?? forms.get("other") ?? "";
  return format(form.replaceAll("#", String(n)), vars, language);
}

function branches(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{", at);
    if (open < 0) break;
    const close = closing(text, open);
    if (close < 0) break;
    out.set(text.slice(at, open).trim(), text.slice(open + 1, close));
    at = close + 1;
  }
  return out;
}
