/** What the page asks of the gateway, and the shapes of the answers. */
import type { ChatItem, Fix, StaffSelf, Text } from "../lib/wire.gen";

export interface Row {
  call: string; number: string; kind: string; phase: string; name: string; phone: string; proof: string; operator: string;
  createdMs: number; answeredMs: number; endedMs: number; endReason: string; category: string; outcome: string; recording: "none" | "open" | "sealed" | "destroyed";
}
export interface Media { participant: string; role: string; mime: string; audio: boolean; video: boolean; offsetMs: number; durationMs: number; url: string }
export interface Interval { fromMs: number; toMs: number; stream: number; participant?: string; kind?: string; cause: string; packets?: number; missingMs?: number }
/** What came of a stream, by which way, and what did not. */
export interface StreamLine { stream: number; role: string; kind: string; packets: number; recovered: number; copied: number; lost: number; missingMs: number }
export interface Timeline {
  openedMs: number; durationMs: number; sealed: boolean; media: Media[]; streams: StreamLine[]; positions: { ms: number; fix: Fix }[]; chat: { ms: number; item: ChatItem }[];
  events: { ms: number; kind: string; details: unknown }[]; gaps: Interval[]; damage: Interval[]; faults: { ms: number; where?: string; what: string }[];
}
export interface CaseRef { case: string; number: string; status: string }
export interface Detail {
  row: Row;
  case?: CaseRef;
  archive: { state: string; leaves: number; root: string; segments: number; durationMs: number; dir: string; damaged: string[] };
  timeline: Timeline;
}
/** Something the verifier says: a stable code with its numbers, and the same in English. */
export interface Note { code: string; args?: Record<string, unknown>; text: string }
export interface ProofFault { stream: number; name: string; second: number; code: string; args?: Record<string, unknown>; what: string }
export interface Level { level: string; state: "passed" | "failed" | "partial" | "not_checked" | "absent"; text: string; notes: Note[]; fault?: ProofFault; more?: ProofFault[] }
export interface Report { levels: Level[]; exit: number; findings: Note[]; root: string; leaves: number; sealed: boolean }

/** A refusal with words for people. */
export class Refused extends Error {
  readonly code: string;
  readonly words: Text | undefined;
  constructor(code: string, words?: Text) {
    super(code);
    this.code = code;
    this.words = words;
  }
}

export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const r = await fetch(`/api/v1${path}`, init);
  if (r.status === 204) return undefined as T;
  const body = (await r.json()) as T & { error?: { code: string; words: Text } };
  if (!r.ok) throw new Refused(body.error?.code ?? "internal", body.error?.words);
  return body;
}

export const whoAmI = () => ask<{ staff: StaffSelf }>("/staff/session");
export const signIn = (login: string, password: string, totp: string) =>
  ask<{ staff: StaffSelf }>("/staff/session", { method: "POST", body: JSON.stringify({ login, password, ...(totp ? { totp } : {}) }) });
export const signOut = () => ask<void>("/staff/session", { method: "DELETE" });
export const search = (query: URLSearchParams) => ask<{ calls: Row[]; next: string }>(`/evidence/calls?${query}`);
export const detail = (call: string) => ask<Detail>(`/evidence/calls/${call}`);
export interface Access { atMs: number; name: string; action: string; detail: string }
export const opening = (call: string, forCase: string, reason: string) =>
  ask<void>(`/evidence/calls/${call}/opening`, { method: "POST", body: JSON.stringify({ case: forCase, reason }) });
export const accesses = (call: string) => ask<{ accesses: Access[] }>(`/evidence/calls/${call}/accesses`);
export const verify = (call: string) => ask<Report>(`/evidence/calls/${call}/verify`, { method: "POST" });
/** A stretch that the receiver of a copy does not get. Stream -1: all, 0: the journal; toMs 0: to the end. */
export interface Withheld { stream: number; fromMs: number; toMs: number }
export interface Export {
  export: string; state: "making" | "ready" | "failed"; code?: string; name: string; by: string; case: string; atMs: number;
  done: number; total: number; bytes: number; sha256: string; encrypted: boolean; withheld: Withheld[];
}
export const exportsOf = (call: string) => ask<{ exports: Export[] }>(`/evidence/calls/${call}/exports`);
export const makeExport = (call: string, order: { lang: string; form: string; organization: string; recipient: string; withhold: Withheld[] }) =>
  ask<Export>(`/evidence/calls/${call}/exports`, { method: "POST", body: JSON.stringify(order) });
export const dropExport = (call: string, id: string) => ask<void>(`/evidence/calls/${call}/exports/${id}`, { method: "DELETE" });

export interface RecordingLine extends Row { merged: boolean }
export interface CaseEvidence { case: CaseRef & { kind: string; outcome: string; priority: number; openedMs: number; closedMs: number }; recordings: RecordingLine[] }
/** One decision about a case; what is a word of a closed set or a code of the configuration. */
export interface CourseStep { atMs: number; fact: string; by: string; whom: string; what: string; text: string; other?: CaseRef; saidMs: number; status: string }
export interface Choices { kinds: { code: string; name: Text }[]; outcomes: { code: string; name: Text }[] }
export const caseEvidence = (id: string) => ask<CaseEvidence>(`/evidence/cases/${id}`);
export const course = (id: string) => ask<{ course: CourseStep[] }>(`/cases/${id}/course`);
export const choices = () => ask<Choices>("/cases/choices");

/** What a page needs to know of the centre. */
export interface PageConfig { centre: { lat: number; lon: number }; categories: { key: string; words: Text }[] }
export const pageConfig = () => ask<PageConfig>("/config");
