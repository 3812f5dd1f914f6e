/** What the page asks of the gateway, and the shapes of the answers. */
import type { Limits } from "../caller/report/kinds";
import type { Fix, PatrolAlarm, StaffSelf, Text } from "../lib/wire.gen";

export interface CaseLine {
  id: string; what: string; atMs: number; by: string; name: string; role: string; phone: string; text: string; gone: boolean; merged: boolean;
  place?: { source: string; lat?: number; lon?: number; accuracyM: number; words: string };
}
export interface CaseSending { patrol: string; name: string; reason: string; atMs: number; endedMs: number }
export interface CaseView {
  case: string; number: string; kind: string; priority: number; status: string; openedMs: number; undoMs: number; reply: string;
  citizen: { name: string; phone: string; lang: string; proven: boolean };
  card: CaseLine[]; sendings: CaseSending[]; recordings: { call: string; kind: string; live: boolean; files: { file: string; name: string; keptMs: number }[] }[];
}
export interface PatrolView { name: string; state: string; sinceMs: number; live: string; task?: CaseView; alarm?: PatrolAlarm }
export interface Choice { code: string; name: Text }
export interface Choices { kinds: Choice[]; outcomes: (Choice & { reply: Text })[]; limits?: Limits }
export interface Address { words: Text; confidence?: number; metres?: number }

/** A refusal. An empty code means that nothing was heard. */
export class Refused extends Error {
  readonly code: string;
  readonly status: number; // 0: no answer
  readonly words: Text | undefined;
  constructor(code: string, status: number, words?: Text) {
    super(code);
    this.code = code;
    this.status = status;
    this.words = words;
  }
}

const patience = 8000;

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let res: Response;
  let answer: { error?: { code: string; words: Text } } | undefined;
  try {
    res = await fetch(`/api/v1${path}`, { method, signal: AbortSignal.timeout(patience), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    answer = res.status === 204 ? undefined : ((await res.json()) as { error?: { code: string; words: Text } });
  } catch {
    throw new Refused("", 0);
  }
  if (!res.ok) throw new Refused(answer?.error?.code ?? "", res.status, answer?.error?.words);
  return answer as T;
}

/** Who is signed in here; undefined: nobody. */
export async function session(): Promise<StaffSelf | undefined> {
  try {
    return (await ask<{ staff: StaffSelf }>("GET", "/staff/session")).staff;
  } catch (err) {
    if (err instanceof Refused && err.status === 401) return undefined;
    throw err;
  }
}

export const signIn = (login: string, password: string, totp: string) => ask<{ staff: StaffSelf }>("POST", "/staff/session", { login, password, ...(totp ? { totp } : {}) });
export const signOut = () => ask<void>("DELETE", "/staff/session");
export const patrol = () => ask<PatrolView>("GET", "/patrol");
export const setDuty = (on: boolean) => ask<PatrolView>("PUT", "/patrol/duty", { on });
export const callForHelp = (ref: string, fix: Fix | undefined) => ask<PatrolAlarm>("POST", "/patrol/alarm", { ref, ...(fix ? { fix } : {}) });
export const choices = () => ask<Choices>("GET", "/cases/choices");
export const address = (lat: number, lon: number, accuracyM: number) => ask<Address>("GET", `/geo/address?lat=${lat}&lon=${lon}&accuracy=${Math.round(accuracyM)}`);
