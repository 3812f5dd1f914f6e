/** How long recordings are kept, and how they end: what the page asks, and the shapes of the answers. */
import type { Text } from "../lib/wire.gen";
import { ask } from "./rest";

export type Stage = "kept" | "deletion_proposed" | "deletion_approved" | "destroying" | "destroyed";
export type KeepAct = "hold" | "release" | "extend" | "shorten" | "confirm" | "withdraw" | "request" | "approve" | "cancel";
export interface Hold { id: string; by: string; case: string; reason: string; atMs: number }
export interface Keep {
  call: string; number: string; stage: Stage; class: string; classWords: Text; openedMs: number; untilMs: number; holds: Hold[];
  shorter?: { by: string; untilMs: number; reason: string; class: string; mine: boolean };
  deletion?: { by: string; reason: string; atMs: number; fromMs: number; approver: string; approvedMs: number; mine: boolean };
  root: string; endedMs: number;
  /** For each act that the role allows: empty, or the code that refuses it now. */
  may: Partial<Record<KeepAct, string>>;
}
export const lists = ["held", "pending", "due", "gone"] as const;
export type KeepList = (typeof lists)[number];
export interface KeepRow { call: string; number: string; createdMs: number; stage: Stage; classWords: Text; untilMs: number; held: boolean }

/** What an act takes; ids name one hold. */
export interface KeepWish { id?: string; case?: string; reason?: string; untilMs?: number }

const paths: Record<KeepAct, string> = {
  hold: "holds", release: "holds/release", extend: "keeping/extend", shorten: "keeping/shorten", confirm: "keeping/shorten/confirm",
  withdraw: "keeping/shorten/withdraw", request: "deletion", approve: "deletion/approve", cancel: "deletion/cancel",
};
export const keeping = (call: string) => ask<Keep>(`/evidence/calls/${call}/keeping`);
export const act = (call: string, what: KeepAct, wish: KeepWish) =>
  ask<Keep>(`/evidence/calls/${call}/${paths[what]}`, { method: "POST", body: JSON.stringify(wish) });
export const kept = (list: KeepList, cursor: string) =>
  ask<{ rows: KeepRow[]; next: string }>(`/evidence/keeping?${new URLSearchParams({ list, ...(cursor ? { cursor } : {}) })}`);

/** Pure: whether nobody can open a recording any more. */
export const isGone = (stage: Stage): boolean => stage === "destroying" || stage === "destroyed";

/** Pure: the end that a day chosen in the page's time zone means; an earlier end is never before the call. */
export function dayEnd(text: string, what: "extend" | "shorten", openedMs: number): number {
  const start = new Date(`${text}T00:00:00`).getTime();
  return what === "extend" ? start + 86_400_000 : Math.max(start, openedMs);
}

/** Pure: which acts are offered, and which are only explained. */
export function offers(k: Keep): { now: KeepAct[]; not: { act: KeepAct; code: string }[] } {
  const asked = k.stage === "deletion_proposed" || k.stage === "deletion_approved";
  const shown: KeepAct[] = ["hold", "extend", "shorten"];
  if (k.stage === "kept") shown.push("request");
  if (k.stage === "deletion_proposed") shown.push("approve");
  if (asked) shown.push("cancel");
  if (k.shorter) shown.push("confirm", "withdraw");
  if (isGone(k.stage)) shown.length = 0;
  const out = { now: [] as KeepAct[], not: [] as { act: KeepAct; code: string }[] };
  for (const a of shown) {
    const code = k.may[a];
    if (code === "") out.now.push(a);
    else if (code && (a === "request" || a === "approve" || a === "confirm")) out.not.push({ act: a, code });
  }
  return out;
}
