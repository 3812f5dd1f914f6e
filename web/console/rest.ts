import type { StaffSelf, Text } from "../lib/wire.gen";

/** A refusal of the REST interface. words are the gateway's; without them there was no answer. */
export class RestError extends Error {
  readonly code: string;
  readonly words: Text | undefined;

  constructor(code: string, words?: Text) {
    super(code);
    this.code = code;
    this.words = words;
  }
}

/** Asks the gateway; a refusal is thrown with its words. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  let r: Response;
  let text: string;
  try {
    r = await fetch(`/api/v1${path}`, init);
    text = await r.text(); // cut off in the middle it is no answer
  } catch {
    throw new RestError("unreachable");
  }
  const answer = parsed(text);
  if (!r.ok) throw new RestError(answer?.error?.code ?? `http_${r.status}`, answer?.error?.words);
  return answer as T;
}

function parsed(text: string) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined; // a page of somebody in between: the status says what it is
  }
}

export interface SignIn {
  login: string;
  password: string;
  totp?: string;
}

/** What the pages may know of the site before anyone has signed in. */
export interface SiteConfig {
  map: { street: boolean; attribution?: string };
  demo: boolean;
}

/** The session that the cookie stands for; undefined when there is none. */
export async function session(): Promise<StaffSelf | undefined> {
  try {
    return (await call<{ staff: StaffSelf }>("GET", "/staff/session")).staff;
  } catch (err) {
    if (err instanceof RestError && err.code === "not_signed_in") return undefined;
    throw err;
  }
}

export async function signIn(s: SignIn): Promise<StaffSelf> {
  return (await call<{ staff: StaffSelf }>("POST", "/staff/session", s)).staff;
}

export async function signOut(): Promise<void> {
  await call("DELETE", "/staff/session");
}

/** Answers the call for help that somebody has seen. */
export async function answerAlarm(patrol: string, ref: string): Promise<void> {
  await call("POST", `/alarms/${encodeURIComponent(patrol)}/answers`, { ref });
}

export async function config(): Promise<SiteConfig> {
  return call<SiteConfig>("GET", "/config");
}

/** A line of a case's card that says where it is. by is a name, empty for the citizen. */
export interface CasePlaceLine {
  id: string;
  by: string;
  gone: boolean;
  place: { source: string; lat?: number; lon?: number; words: string };
}

/** Where a call's case is said to be: what the phone, the caller and the staff say, each as it came. */
export async function casePlaces(call_: string): Promise<CasePlaceLine[]> {
  const card = (await call<{ card: (Omit<CasePlaceLine, "place"> & { place?: CasePlaceLine["place"] })[] }>("GET", `/cases/${encodeURIComponent(call_)}`)).card;
  return card.flatMap((l) => (l.place ? [{ ...l, place: l.place }] : []));
}

/** Says where a call's case is, beside what was said before. */
export async function addPlace(call_: string, p: { id: string; lat: number; lon: number; words: string }): Promise<void> {
  await call("POST", `/cases/${encodeURIComponent(call_)}/acts`, { act: "add", line: { id: p.id, what: "place", place: { lat: p.lat, lon: p.lon, words: p.words } } });
}

/** Strikes a line out; it stays readable. */
export async function withdrawLine(call_: string, id: string): Promise<void> {
  await call("POST", `/cases/${encodeURIComponent(call_)}/acts`, { act: "withdraw", id });
}

const path = (callID: string, file: string) => `/api/v1/calls/${encodeURIComponent(callID)}/files/${encodeURIComponent(file)}`;

export const fileURL = path;

export function previewURL(callID: string, file: string): string {
  return `${path(callID, file)}/preview`;
}
