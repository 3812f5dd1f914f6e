/** Tells what was said, in order, as soon as there is a network. */
import type { Text } from "../lib/wire.gen";
import { ask, type PatrolView, Refused } from "./rest";
import { after, fate, request, type Said } from "./words";

/** What the line needs of the shelf. */
export interface Keeper {
  keepSaid(line: readonly Said[]): Promise<boolean>;
  said(): Promise<Said[]>;
}

type Ask = (method: string, path: string, body: unknown) => Promise<unknown>;

const soonest = 2000;
const latest = 20000;

export class Line {
  waiting: Said[] = [];
  /** What the gateway did not take, until it is read. */
  refused: { said: Said; words: Text | undefined; code: string } | undefined;
  /** Whether what waits outlives this tab. */
  kept = true;
  readonly #keeper: Keeper;
  readonly #ask: Ask;
  readonly #changed: (view?: PatrolView) => void;
  #who = "";
  #busy = false;
  #pause = soonest;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(keeper: Keeper, changed: (view?: PatrolView) => void, how: Ask = ask) {
    this.#keeper = keeper;
    this.#changed = changed;
    this.#ask = how;
  }

  /** Finds what was left on the phone. Only what who said is told: a phone may have changed hands. */
  async start(who: string): Promise<void> {
    this.#who = who;
    const kept = await this.#keeper.said();
    const have = new Set(this.waiting.map((s) => s.id));
    this.waiting = [...kept.filter((s) => !have.has(s.id)), ...this.waiting];
    this.#changed();
    this.wake();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#who = "";
  }

  /** Says something. It is on the phone before it is sent. */
  async say(s: Said): Promise<void> {
    this.waiting = [...this.waiting, s];
    this.#changed();
    this.kept = await this.#keeper.keepSaid(this.waiting);
    this.wake();
  }

  mine(): Said[] {
    return this.waiting.filter((s) => s.who === this.#who);
  }

  /** Tries now: a network has come, or somebody asks. */
  wake(): void {
    this.#pause = soonest;
    void this.#run();
  }

  read(): void {
    this.refused = undefined;
    this.#changed();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#busy) return;
    this.#busy = true;
    for (let s = this.mine()[0]; s; s = this.mine()[0]) {
      if (!(await this.#tell(s))) break;
    }
    this.#busy = false;
    this.#changed();
    if (this.mine().length === 0) return;
    this.#timer = setTimeout(() => void this.#run(), this.#pause);
    this.#pause = Math.min(latest, this.#pause * 2);
  }

  /** Tells one saying. False: it waits, and all after it. */
  async #tell(s: Said): Promise<boolean> {
    const { path, body } = request(s);
    let view: PatrolView | undefined;
    let how: "taken" | "refused" = "taken";
    let code = "";
    try {
      const answer = await this.#ask("POST", path, body);
      if (s.what === "word") view = answer as PatrolView;
    } catch (err) {
      const e = err instanceof Refused ? err : new Refused("", 0);
      const f = fate(e.status);
      if (f === "waits" || this.#who === "") return false;
      how = f;
      code = e.code;
      if (how === "refused") this.refused = { said: s, words: e.words, code };
    }
    this.waiting = after(this.waiting, s, how, code);
    this.kept = await this.#keeper.keepSaid(this.waiting);
    this.#changed(view);
    return true;
  }
}
