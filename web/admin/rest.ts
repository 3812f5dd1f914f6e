/** What the page asks of the gateway, and the shapes of the answers. */
import type { StaffSelf, Text } from "../lib/wire.gen";

export interface Account {
  staff: string; login: string; name: string; unit: string; roles: string[]; pending: string[]; pendingBy: string; approve: string;
  disabled: boolean; second: boolean; local: boolean; linked: boolean; self: boolean; usedMs: number;
}
export interface Change {
  change: string; atMs: number; by: string; staff: string; name: string; field: string; before: string; after: string; undone: boolean; undo: boolean;
}
/** How an account stands after an act, and the link where one was made. */
export interface Made { account: Account; link?: string; hours?: number }
export interface Session { staff: StaffSelf; totp: boolean }
export interface Entered { login: string; name: string; unit: string; lang: string; roles: string[] }

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

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const r = await fetch(`/api/v1${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (r.status === 204) return undefined as T;
  const answer = (await r.json()) as T & { error?: { code: string; words: Text } };
  if (!r.ok) throw new Refused(answer.error?.code ?? "internal", answer.error?.words);
  return answer;
}

const at = (staff: string) => `/admin/accounts/${encodeURIComponent(staff)}`;

export const whoAmI = () => ask<Session>("GET", "/staff/session");
export const signIn = (login: string, password: string, totp: string) => ask<Session>("POST", "/staff/session", { login, password, ...(totp ? { totp } : {}) });
export const signOut = () => ask<void>("DELETE", "/staff/session");

export const accounts = () => ask<{ accounts: Account[] }>("GET", "/admin/accounts");
export const create = (e: Entered) => ask<Made>("POST", "/admin/accounts", e);
export const change = (staff: string, name: string, unit: string) => ask<Made>("PUT", at(staff), { name, unit });
export const setRoles = (staff: string, roles: string[]) => ask<Made>("PUT", `${at(staff)}/roles`, { roles });
export const approve = (staff: string, yes: boolean) => ask<Made>("POST", `${at(staff)}/roles/${yes ? "approve" : "decline"}`);
export const setDisabled = (staff: string, disabled: boolean) => ask<Made>("POST", `${at(staff)}/${disabled ? "disable" : "enable"}`);
export const invite = (staff: string) => ask<Made>("POST", `${at(staff)}/invitation`);
export const dropFactor = (staff: string) => ask<Made>("DELETE", `${at(staff)}/totp`);
export const changes = () => ask<{ changes: Change[] }>("GET", "/admin/changes");
export const undo = (line: string) => ask<Made>("POST", `/admin/changes/${encodeURIComponent(line)}/undo`);

export const invited = (token: string) => ask<{ login: string; name: string }>("POST", "/staff/invitation", { token });
export const accept = (token: string, password: string) => ask<void>("PUT", "/staff/invitation", { token, password });
export const newFactor = () => ask<{ secret: string; uri: string; qr: string }>("POST", "/staff/totp");
export const setFactor = (secret: string, code: string, current: string) => ask<void>("PUT", "/staff/totp", { secret, code, ...(current ? { current } : {}) });
export const dropOwnFactor = (code: string) => ask<void>("DELETE", "/staff/totp", { code });
