import { RestError } from "../rest";
import type { CaseRow, CaseView, Choices, PatrolRow, Proposals } from "./types";

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: "same-origin", signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const r = await fetch(`/api/v1${path}`, init).catch(() => {
    throw new RestError("unreachable");
  });
  const answer = await r.json().catch(() => undefined);
  if (!r.ok) throw new RestError(answer?.error?.code ?? `http_${r.status}`, answer?.error?.words);
  return answer as T;
}

/** How many pages of open cases are read; 50 cases each. */
const maxPages = 20;

/** What the board asks the gateway; tests give another one. */
export interface Api {
  openCases(): Promise<CaseRow[]>;
  lastClosed(): Promise<number>;
  aCase(id: string): Promise<CaseView>;
  patrols(): Promise<PatrolRow[]>;
  proposals(id: string): Promise<Proposals>;
}

export const api: Api = {
  async openCases() {
    const out: CaseRow[] = [];
    for (let cursor = "", page = 0; page < maxPages; page++) {
      const at = await call<{ cases: CaseRow[]; next: string }>("GET", `/cases?open=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      out.push(...at.cases);
      cursor = at.next;
      if (!cursor) break;
    }
    return out;
  },
  async lastClosed() {
    const { cases } = await call<{ cases: CaseRow[] }>("GET", "/cases?status=closed");
    return Math.max(0, ...cases.map((c) => c.closedMs));
  },
  aCase: (id) => call("GET", `/cases/${id}`),
  patrols: async () => (await call<{ patrols: PatrolRow[] }>("GET", "/patrols")).patrols,
  proposals: (id) => call("GET", `/cases/${id}/proposals`),
};

/** Something done to a case; the fields follow from the act. */
export interface Act {
  act: "send" | "recall" | "add" | "withdraw" | "close" | "unclose";
  patrol?: string;
  reason?: string;
  id?: string;
  outcome?: string;
  text?: string;
  line?: { id: string; what: "note" | "place"; text?: string; place?: { lat?: number; lon?: number; words?: string } };
}

export function act(id: string, what: Act): Promise<CaseView> {
  return call("POST", `/cases/${id}/acts`, what);
}

export function choices(): Promise<Choices> {
  return call("GET", "/cases/choices");
}
