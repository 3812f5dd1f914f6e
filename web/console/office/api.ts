import { call } from "../rest";

/** What statistics, the wallboard and shifts answer; signaling/openapi.json describes it. */
export interface Words { kk: string; ru: string; en: string }
export interface Times { n: number; meanMs: number; p50Ms: number; p90Ms: number; p95Ms: number; within: number[] }
export const measures = ["answer", "handling", "dispatch", "arrival", "reply"] as const;
export type Measure = (typeof measures)[number];
export interface Figures extends Record<Measure, Times> {
  contacts: number; calls: number; reports: number; cases: number; merged: number; closed: number; closedReplied: number;
  answered: number; abandoned: number; owed: number; calledBack: number;
}
export interface Row extends Figures { key: string; name: Words; share: number }
export interface Target { measure: string; ms: number; share: number }
export interface Answer {
  first: string; last: string; by: string; zone: string; offsets: { fromMs: number; utcMin: number }[]; nowMs: number; today: string; oldest: string;
  edges: { measure: string; ms: number[] }[]; targets: Target[]; total: Figures; rows: Row[];
}

export type Level = "" | "good" | "warn" | "bad";
export interface Tile {
  key: string; unit: "count" | "s" | "share"; value?: number; before?: number; against: "" | "minutes" | "week"; level: Level; warn: number; bad: number; below: boolean;
}
export interface SeatRow {
  staff: string; name: string; seat: string; state: string; reason: string; sinceMs: number; call: string; number: string; priority: number; level: Level;
}
export interface WallView {
  nowMs: number; atMs: number; day: string; zone: string; utcMin: number; whole: boolean; limitsRev: number; tiles: Tile[]; seats: SeatRow[];
  rostered: number; staffed: number; available: number;
}
export interface Limit { key: string; warn: number; bad: number; below: boolean }
export interface LimitChange { atMs: number; by: string; key: string; warnBefore: number; badBefore: number; warn: number; bad: number }
export interface Limits { rev: number; limits: Limit[]; changes: LimitChange[] }

export interface Line { line: string; staff: string; name: string; role: string; seat: string; unit: string; fromMs: number; toMs: number }
export interface OnDuty { staff: string; name: string; line: string; sinceMs: number; untilMs: number }
export interface Roster { nowMs: number; zone: string; utcMin: number; lines: Line[]; on: OnDuty[]; duty: boolean }
export interface Held { case: string; number: string; unit: string; owner: string; handing: string }
export interface Person { staff: string; name: string }
export interface HandOvers { mine: Held[]; offered: Held[]; left: Held[]; successors: Person[] }
export interface Account { staff: string; name: string; unit: string; roles: string[]; disabled: boolean }

export const askStats = (query: URLSearchParams) => call<Answer>("GET", `/stats?${query}`);
export const askWall = () => call<WallView>("GET", "/wall");
export const askLimits = () => call<Limits>("GET", "/wall/limits");
export const putLimit = (rev: number, l: { key: string; warn: number; bad: number }) => call<Limits>("PUT", "/wall/limits", { rev, ...l });

export const askRoster = (fromMs: number, toMs: number) => call<Roster>("GET", `/shifts?from=${fromMs}&to=${toMs}`);
export const putLine = (l: Omit<Line, "name">) => call<Roster>("PUT", "/shifts/lines", l);
export const strikeLine = (line: string) => call<Roster>("DELETE", `/shifts/lines/${encodeURIComponent(line)}`);
export const setOnDuty = (on: boolean) => call<Roster>(on ? "POST" : "DELETE", "/shifts/duty");
export const askHandOvers = () => call<HandOvers>("GET", "/shifts/handovers");
export const give = (to: string, cases: string[]) => call<HandOvers>("POST", "/shifts/handovers", { to, cases });
export const reply = (id: string, accept: boolean) => call<HandOvers>("POST", `/shifts/handovers/${encodeURIComponent(id)}/answer`, { accept });
export const askAccounts = async () => (await call<{ accounts: Account[] }>("GET", "/admin/accounts")).accounts.filter((a) => !a.disabled);
