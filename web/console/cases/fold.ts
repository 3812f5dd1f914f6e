import type { CaseItem } from "./model";

/** One line of the list, and those that may be about the same event folded behind it. */
export interface Fold {
  head: CaseItem;
  rest: CaseItem[];
}

/** Pure: what is offered to somebody stands first for them, then the order in which the gateway said it. */
export function arrange(list: CaseItem[], me: string): CaseItem[] {
  const mine = (c: CaseItem) => (me && c.handing === me ? 0 : 1);
  return list.map((c, i) => ({ c, i })).toSorted((a, b) => mine(a.c) - mine(b.c) || a.i - b.i).map((x) => x.c);
}

/**
 * Pure: folds a list. A case goes behind the first one that it is like; one that somebody owns, that has a
 * patrol or that is offered to me stays to be seen by itself.
 */
export function fold(list: CaseItem[]): Fold[] {
  const out: Fold[] = [];
  const taken = new Set<string>();
  for (const head of list) {
    if (taken.has(head.case)) continue;
    const rest = list.filter((c) => c !== head && !taken.has(c.case) && head.alike.includes(c.case) && quiet(c) && c.lane === "report" && !out.some((f) => f.head === c));
    for (const c of rest) taken.add(c.case);
    out.push({ head, rest });
  }
  return out;
}

function quiet(c: CaseItem): boolean {
  return c.owner === "" && c.handing === "" && c.patrols.length === 0;
}

/** The number that a fold says: "3 of 12" where a search or filter left some of the twelve away. */
export function counts(f: Fold): { here: number; all: number } {
  const here = f.rest.length + 1;
  return { here, all: Math.max(here, f.head.alike.length + 1) };
}
