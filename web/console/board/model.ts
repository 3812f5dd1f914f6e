import type { Bodies, CaseNews } from "../../lib/wire.gen";
import { RestError } from "../rest";
import type { Api } from "./api";
import { type Entry, entries, patrolOrder } from "./rules";
import type { CaseRow, CaseView, PatrolRow, Proposals } from "./types";

/** Where the board hears what changed. */
export interface Ears {
  hear<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void;
}

/** What the board shows. */
export interface BoardState {
  known: boolean;
  /** Why nothing comes; undefined while all is well. */
  trouble: RestError | undefined;
  entries: Entry[];
  patrols: PatrolRow[];
  /** When a case was closed last; 0: not known. */
  lastClosedMs: number;
  chosen: string | undefined;
  view: CaseView | undefined;
  proposals: Proposals | undefined;
}

/** How long changes are gathered before they are asked for, and the pause between two looks at proposals. */
const gatherMs = 150;
const proposeEveryMs = 1000;
/** Without any news all is read again: what a lost message would have told. */
const wholeEveryMs = 60_000;
/** More cases than this at once are read as a list. */
const oneByOne = 6;
/** How old proposals may be while nothing moves: patrols go stale by themselves. */
const oldProposalsMs = 15_000;

/**
 * BoardModel knows the open cases and the patrols, and keeps them true by the gateway's news. It owns its
 * timers until close.
 */
export class BoardModel {
  readonly #api: Api;
  readonly #ears: Ears;
  readonly #told: () => void;
  readonly #offs: (() => void)[] = [];
  readonly #cases = new Map<string, CaseRow>();
  readonly #patrols = new Map<string, PatrolRow>();
  readonly #changed = new Set<string>();
  #early: PatrolRow[] | undefined; // news that came while the whole was on its way
  #gather: ReturnType<typeof setTimeout> | undefined;
  #propose: ReturnType<typeof setTimeout> | undefined;
  #proposedAt = 0;
  #closed = false;
  state: BoardState = { known: false, trouble: undefined, entries: [], patrols: [], lastClosedMs: 0, chosen: undefined, view: undefined, proposals: undefined };

  constructor(api: Api, ears: Ears, told: () => void) {
    this.#api = api;
    this.#ears = ears;
    this.#told = told;
  }

  start(): void {
    this.#offs.push(
      this.#ears.hear("welcome", () => void this.load()),
      this.#ears.hear("case.news", (n) => this.#news(n)),
      this.#ears.hear("patrols.moved", (m) => this.#moved(m.patrols)),
    );
    const whole = setInterval(() => void this.load(), wholeEveryMs);
    const again = setInterval(() => this.#proposeSoon(), oldProposalsMs);
    this.#offs.push(() => clearInterval(whole), () => clearInterval(again));
    void this.load();
  }

  close(): void {
    this.#closed = true;
    for (const off of this.#offs.splice(0)) off();
    clearTimeout(this.#gather);
    clearTimeout(this.#propose);
  }

  /** Reads everything; what comes meanwhile as news wins over it. */
  async load(): Promise<void> {
    this.#early = [];
    try {
      const [cases, patrols] = await Promise.all([this.#api.openCases(), this.#api.patrols()]);
      const early = this.#early ?? [];
      const before = new Map(this.#cases);
      this.#cases.clear();
      for (const c of cases) this.#put(c, before.get(c.case));
      this.#patrols.clear();
      for (const p of [...patrols, ...early]) this.#patrols.set(p.patrol, p);
      if (cases.length === 0) this.state.lastClosedMs = Math.max(this.state.lastClosedMs, await this.#api.lastClosed());
      this.#show({ known: true, trouble: undefined });
    } catch (err) {
      this.#show({ trouble: err instanceof RestError ? err : new RestError("internal") });
    } finally {
      this.#early = undefined;
    }
    if (this.state.chosen) this.#look(this.state.chosen);
  }

  /** Chooses a case; undefined puts it away. */
  choose(id: string | undefined): void {
    if (id === this.state.chosen) return;
    this.#show({ chosen: id, view: undefined, proposals: undefined });
    if (id) this.#look(id);
  }

  /** Takes over a case that the gateway returned for an act. */
  took(v: CaseView): void {
    this.#put(v, this.#cases.get(v.case));
    const there = (patrol: string) => v.sendings.some((x) => x.endedMs === 0 && x.patrol === patrol);
    const p = this.state.proposals; // whoever was sent just now is not sent again before the next look
    const proposals = p && { ...p, patrols: p.patrols.filter((x) => !there(x.patrol)) };
    this.#show(v.case === this.state.chosen ? { view: v, proposals } : {});
    this.#proposeSoon();
  }

  #put(c: CaseRow, have: CaseRow | undefined): void {
    this.#cases.set(c.case, have && have.version > c.version ? have : c);
  }

  #news(n: CaseNews): void {
    const have = this.#cases.get(n.case);
    if (have && have.version >= n.version && n.case !== this.state.chosen) return;
    if (!have && n.status === "closed") return;
    this.#changed.add(n.case);
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      void this.#readChanged();
    }, gatherMs);
  }

  async #readChanged(): Promise<void> {
    const ids = [...this.#changed];
    this.#changed.clear();
    if (ids.length > oneByOne) return this.load();
    await Promise.all(ids.map((id) => this.#read(id)));
  }

  async #read(id: string): Promise<void> {
    try {
      const v = await this.#api.aCase(id);
      if (this.#closed) return;
      if (v.status === "closed" || v.into !== "") {
        this.#cases.delete(id);
        this.state.lastClosedMs = Math.max(this.state.lastClosedMs, v.closedMs);
      } else this.#put(v, this.#cases.get(id));
      this.#show(id === this.state.chosen ? { view: v } : {});
      if (id === this.state.chosen) this.#proposeSoon();
    } catch {
      // The next news or the next look at everything brings it.
    }
  }

  #moved(rows: PatrolRow[]): void {
    this.#early?.push(...rows);
    for (const p of rows) this.#patrols.set(p.patrol, p);
    this.#show({});
    this.#proposeSoon();
  }

  /** Everything of the chosen case, and who could go there. */
  #look(id: string): void {
    void this.#read(id);
    this.#proposedAt = 0;
    this.#proposeSoon();
  }

  /** Asks for proposals at most once a second, also where patrols move all the time. */
  #proposeSoon(): void {
    if (!this.state.chosen || this.#propose !== undefined || this.#closed) return;
    const wait = Math.max(0, this.#proposedAt + proposeEveryMs - Date.now());
    this.#propose = setTimeout(() => {
      this.#propose = undefined;
      const id = this.state.chosen;
      if (!id) return;
      this.#proposedAt = Date.now();
      this.#api.proposals(id).then((p) => id === this.state.chosen && this.#show({ proposals: p }), () => undefined); // asked again soon
    }, wait);
  }

  #show(change: Partial<BoardState>): void {
    if (this.#closed) return;
    const patrols = patrolOrder(this.#patrols.values());
    this.state = { ...this.state, ...change, patrols, entries: entries(this.#cases.values(), patrols) };
    this.#told();
  }
}
