/** A citation names a moment so that a stranger finds it again and can tell which recording it was. */
import { callClock } from "./sync";

export interface Cited {
  number: string;
  call: string;
  stream: string; // in the page's language
  ms: number; // of the call
  openedMs: number; // Unix time
  root: string; // of the seal, or as verified; empty where there is none
  leaves: number;
}

/** Words of a citation in the page's language. */
export interface CiteWords { call: string; root: string; noRoot: string }

export function cite(c: Cited, words: CiteWords): string {
  const wall = new Date(c.openedMs + c.ms).toISOString().replace("T", " ").replace("Z", " UTC");
  const root = c.root ? `${words.root} ${c.root} (${c.leaves})` : words.noRoot;
  return `${words.call} № ${c.number} (${c.call}) · ${c.stream} · ${callClock(c.ms)} · ${wall} · ${root}`;
}
