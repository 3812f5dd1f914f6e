import { distanceM, type LatLon } from "../../map/geo";
import type { MapLine, MapMark, MarkShape } from "../../map/marks";
import type { CaseLine, CasePlace, CaseRow, PatrolRow, Proposal } from "./types";

/** A patrol's position older than this is not where it is: hatched, never drawn as live. */
export const staleMs = 60_000;

/** How long something can be taken back. */
export const undoMs = 10_000;

export const patrolStates = ["available", "assigned", "accepted", "en_route", "on_scene"] as const;

export function located<T extends { lat?: number; lon?: number }>(p: T): LatLon | undefined {
  return p.lat === undefined || p.lon === undefined ? undefined : { lat: p.lat, lon: p.lon };
}

/** Is it known where the patrol was, but not where it is? */
export function isStale(p: PatrolRow, nowMs: number): boolean {
  return p.fixMs > 0 && nowMs - p.fixMs > staleMs;
}

/** What a case needs or how far its patrols are: the most pressing word. */
export type Need = "late" | "assign" | "assigned" | "accepted" | "en_route" | "on_scene";

/** The order of needs in a list: what asks for an act comes first. */
const pressing: Need[] = ["late", "assign", "assigned", "accepted", "en_route", "on_scene"];

export function needOf(c: CaseRow, patrols: PatrolRow[]): Need {
  const mine = patrols.filter((p) => p.case === c.case);
  if (mine.length === 0) return c.status === "on_scene" ? "on_scene" : c.status === "patrol_sent" ? "en_route" : "assign";
  if (mine.some((p) => p.late)) return "late";
  const far = (p: PatrolRow) => pressing.indexOf(p.state as Need);
  return pressing[Math.max(...mine.map(far))] ?? "assigned";
}

/** A case as the list shows it. */
export interface Entry {
  row: CaseRow;
  need: Need;
  patrols: PatrolRow[];
}

/** Open cases: by priority, then what asks for an act, then the longest waiting. */
export function entries(cases: Iterable<CaseRow>, patrols: PatrolRow[]): Entry[] {
  const list = [...cases].filter((c) => c.into === "" && c.status !== "closed").map((row) => ({ row, need: needOf(row, patrols), patrols: patrols.filter((p) => p.case === row.case) }));
  const asks = (e: Entry) => (e.need === "late" ? 0 : e.need === "assign" ? 1 : 2);
  return list.sort((a, b) => a.row.priority - b.row.priority || asks(a) - asks(b) || a.row.openedMs - b.row.openedMs || (a.row.case < b.row.case ? -1 : 1));
}

/** Patrols by state, the free first, then by name as people count: P-2 before P-14. */
export function patrolOrder(patrols: Iterable<PatrolRow>): PatrolRow[] {
  const rank = (p: PatrolRow) => patrolStates.indexOf(p.state as (typeof patrolStates)[number]);
  return [...patrols].filter((p) => p.state !== "off").sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** Minutes by road, or kilometres in a straight line. */
export function cost(p: Proposal): { unit: "min" | "km" | "m" | ""; n: string } {
  if (p.by === "road") return { unit: "min", n: String(Math.max(1, Math.ceil(p.seconds / 60))) };
  if (p.by !== "straight") return { unit: "", n: "" };
  return p.metres < 1000 ? { unit: "m", n: String(Math.round(p.metres / 10) * 10) } : { unit: "km", n: (p.metres / 1000).toFixed(1) };
}

/** The place of a case that counts, as the gateway chooses it: the newest that a person set, else the newest;
 * what came with a merged case only where the case has no position of its own. */
export function placeOf(card: CaseLine[]): CasePlace | undefined {
  let best: CasePlace | undefined;
  let rank = -1;
  for (const l of card) {
    if (l.what !== "place" || l.gone || !l.place) continue;
    const set = l.place.source === "operator" ? 3 : l.place.source === "caller" ? 2 : 1;
    const r = l.place.lat === undefined ? 0 : l.merged ? set : set + 3;
    if (r >= rank) [best, rank] = [l.place, r];
  }
  return best;
}

/** Which kinds of marks the map shows. */
export interface Layers {
  cases: boolean;
  patrols: boolean;
  cameras: boolean;
}

export const allLayers: Layers = { cases: true, patrols: true, cameras: true };

/** A camera on the map. */
export interface Camera {
  camera: string;
  label: string;
  at?: LatLon;
}

/** What is on the map, and what is in the list that says the same. */
export interface Seen {
  entries: Entry[];
  patrols: PatrolRow[];
  cameras: Camera[];
  chosen: string | undefined;
  layers: Layers;
  nowMs: number;
}

/** Words on a mark, from the page's texts. */
export interface MarkWords {
  aCase(e: Entry): string;
  patrol(p: PatrolRow): string;
}

export function shapeOf(p: PatrolRow): MarkShape {
  if (p.late) return "late";
  return (patrolStates as readonly string[]).includes(p.state) ? (p.state as MarkShape) : "available";
}

/** The marks of the map. Whoever has no position is in the list alone. */
export function marksOf(s: Seen, words: MarkWords, accuracyM: (e: Entry) => number): MapMark[] {
  const out: MapMark[] = [];
  if (s.layers.cameras) {
    for (const c of s.cameras) if (c.at) out.push({ ...c.at, accuracyM: 0, id: `camera:${c.camera}`, shape: "camera", label: c.label, order: 9 });
  }
  if (s.layers.patrols) {
    for (const p of s.patrols) {
      const at = located(p);
      if (at) out.push({ ...at, accuracyM: p.accuracyM, id: `patrol:${p.patrol}`, shape: shapeOf(p), label: words.patrol(p), order: 5, stale: isStale(p, s.nowMs) });
    }
  }
  if (s.layers.cases) {
    for (const e of s.entries) {
      const at = located(e.row);
      if (!at) continue;
      const chosen = e.row.case === s.chosen;
      out.push({ ...at, accuracyM: accuracyM(e), id: `case:${e.row.case}`, shape: `case${Math.min(3, e.row.priority) + 1}` as MarkShape, label: words.aCase(e), order: chosen ? 0 : 1 + e.row.priority / 4, chosen });
    }
  }
  return out.sort((a, b) => b.order - a.order);
}

/** Lines from the chosen case to its patrols, or to the first proposed one. */
export function linesOf(chosen: Entry | undefined, proposed: Proposal | undefined, label: (p: Proposal) => string): MapLine[] {
  const from = chosen && located(chosen.row);
  if (!chosen || !from) return [];
  const mine = chosen.patrols.flatMap((p): MapLine[] => {
    const to = located(p);
    return to && p.state !== "on_scene" ? [{ from, to, label: p.name }] : [];
  });
  const to = proposed && located(proposed);
  return chosen.patrols.length === 0 && proposed && to ? [{ from, to, label: label(proposed) }] : mine;
}

/** The length of a way along points, in metres. */
export function measured(points: LatLon[]): number {
  return points.reduce((sum, p, i) => sum + (i > 0 ? distanceM(points[i - 1] as LatLon, p) : 0), 0);
}
