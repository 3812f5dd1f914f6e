import type { Text } from "../../lib/wire.gen";

/** Cases as the gateway describes them (signaling/cases.go, signaling/openapi.json). Times are milliseconds, 0 for never. */
export interface CaseRow {
  case: string;
  number: string;
  version: number;
  lane: "call" | "report";
  kind: string;
  priority: number;
  unit: string;
  status: string;
  owner: string;
  ownerName: string;
  handing: string;
  handingName: string;
  lat?: number;
  lon?: number;
  outcome: string;
  into: string;
  openedMs: number;
  sinceMs: number;
  sentMs: number;
  arrivedMs: number;
  closedMs: number;
  repliedMs: number;
}

export interface CaseItem extends CaseRow {
  name: string;
  place: string;
  text: string;
  plate: string;
  files: number;
  patrols: string[];
  late: boolean;
  why: { what: string; text: string }[];
  alike: string[];
}

export interface SimilarCase extends CaseRow {
  score: number;
  metres: number;
  apartS: number;
}

export interface CasePlace {
  source: string;
  lat?: number;
  lon?: number;
  accuracyM: number;
  words: string;
}

export interface CaseLine {
  id: string;
  what: string;
  atMs: number;
  by: string;
  place?: CasePlace;
  name: string;
  role: string;
  phone: string;
  text: string;
  gone: boolean;
  merged: boolean;
}

export interface CaseFile {
  file: string;
  name: string;
  mime: string;
  bytes: number;
  sha256: string;
  keptMs: number;
  capturedMs: number;
  lat?: number;
  lon?: number;
  marks: string[];
  preview: boolean;
}

export interface CaseRecording {
  call: string;
  kind: string;
  atMs: number;
  live: boolean;
  merged: boolean;
  files: CaseFile[];
}

export interface CaseSending {
  patrol: string;
  name: string;
  by: string;
  reason: string;
  atMs: number;
  acceptedMs: number;
  enRouteMs: number;
  onSceneMs: number;
  endedMs: number;
  why: string;
  late: boolean;
}

export interface CaseTold {
  atMs: number;
  status: string;
  text: string;
  message?: { stage: string; channel: string; reason: string; atMs: number };
}

export interface CaseRef {
  case: string;
  number: string;
  status: string;
}

export interface CaseView extends CaseRow {
  citizen: { name: string; phone: string; lang: string; proven: boolean };
  card: CaseLine[];
  recordings: CaseRecording[];
  sendings: CaseSending[];
  replies: CaseTold[];
  links: CaseRef[];
  merged: CaseRef[];
  intoNumber: string;
  reply: string;
  undoMs: number;
  reopenings: number;
  may: string[];
}

export interface Choices {
  kinds: { code: string; name: Text; priority: number; plate: boolean; report: boolean }[];
  outcomes: { code: string; name: Text; reply: Text }[];
}

export interface CourseStep {
  atMs: number;
  fact: string;
  by: string;
  whom: string;
  what: string;
  text: string;
  other?: CaseRef;
  saidMs: number;
  status: string;
}

/** What is done to a case: the fields that an act needs. */
export interface CaseAct {
  act: string;
  to?: string;
  kind?: string;
  priority?: number;
  line?: { id: string; what: string; place?: { lat?: number; lon?: number; words?: string }; name?: string; role?: string; phone?: string; text?: string };
  id?: string;
  patrol?: string;
  reason?: string;
  outcome?: string;
  text?: string;
  case?: string;
  version?: number;
}

export const statuses = ["registered", "in_work", "patrol_sent", "on_scene", "closed", "reopened"] as const;
export const roles = ["caller", "victim", "witness", "suspect", "other"] as const;
export const open = (c: Pick<CaseRow, "closedMs" | "into">): boolean => c.closedMs === 0 && c.into === "";
