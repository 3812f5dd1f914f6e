import type { PatrolRow, Text } from "../../lib/wire.gen";
import type * as cases from "../cases/model";

export type { PatrolRow } from "../../lib/wire.gen";
export type { CasePlace } from "../cases/model";

/** A case in a list, as the gateway tells it. Times are milliseconds, 0 for never. */
export interface CaseRow {
  case: string;
  number: string;
  version: number;
  lane: string;
  kind: string;
  priority: number;
  unit: string;
  status: string;
  owner: string;
  ownerName: string;
  lat?: number;
  lon?: number;
  into: string;
  openedMs: number;
  sinceMs: number;
  closedMs: number;
}

/** Of a line of the card and of a sending, what the board shows. */
export type CaseLine = Pick<cases.CaseLine, "id" | "what" | "atMs" | "by" | "place" | "name" | "text" | "gone"> & Partial<Pick<cases.CaseLine, "merged">>;
export type Sending = Omit<cases.CaseSending, "by" | "reason">;

/** What the board needs of a whole case. */
export interface CaseView extends CaseRow {
  citizen: { name: string; phone: string; lang: keyof Text };
  card: CaseLine[];
  sendings: Sending[];
  recordings: { call: string; kind: string; live: boolean }[];
  reply: string;
  undoMs: number;
}

/** A patrol for a case, and why it is where it is in the list. */
export interface Proposal extends PatrolRow {
  metres: number;
  seconds: number;
  by: string;
  words: Text;
}

export interface Proposals {
  patrols: Proposal[];
  others: Proposal[];
}

export interface Choices {
  kinds: { code: string; name: Text }[];
  outcomes: { code: string; name: Text; reply: Text }[];
}

/** A place that the gazetteer knows. */
export interface Found {
  lat: number;
  lon: number;
  words: string;
  /** Coordinates that somebody typed. */
  point?: boolean;
}
