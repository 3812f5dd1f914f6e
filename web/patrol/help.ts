/** A patrol's call for help: tried until the gateway has it, also over a reload, and then answered by somebody. */
import { fileId } from "../lib/upload";
import type { Fix, PatrolAlarm } from "../lib/wire.gen";
import { callForHelp } from "./rest";

const place = "jedel.patrol.alarm";
const againMs = 1000;

type Call = (ref: string, fix: Fix | undefined) => Promise<PatrolAlarm>;

export class Help {
  /** The call that the gateway has. */
  alarm: PatrolAlarm | undefined;
  /** The ref of a call that the gateway does not have yet; "" for none. */
  waiting = "";
  /** Nobody heard the last attempt. */
  unheard = false;
  readonly #who: string;
  readonly #fix: () => Fix | undefined;
  readonly #changed: () => void;
  readonly #call: Call;
  readonly #keep: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined;
  #busy = false;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(who: string, fix: () => Fix | undefined, changed: () => void, call: Call = callForHelp, keep = globalThis.localStorage as Storage | undefined) {
    this.#who = who;
    this.#fix = fix;
    this.#changed = changed;
    this.#call = call;
    this.#keep = keep;
    try {
      const kept = JSON.parse(keep?.getItem(place) ?? "null") as { who?: string; ref?: string } | null;
      if (kept?.who === who && kept.ref) this.waiting = kept.ref;
    } catch {
      // Nothing that can be read waits.
    }
  }

  /** Calls. While a call waits or stands unanswered it is the same one. */
  raise(): void {
    if (!this.waiting) {
      this.waiting = this.alarm && !this.alarm.by ? this.alarm.ref : fileId();
      try {
        this.#keep?.setItem(place, JSON.stringify({ who: this.#who, ref: this.waiting }));
      } catch {
        // It is tried as long as the page is open.
      }
    }
    this.#changed();
    this.wake();
  }

  wake(): void {
    if (this.waiting) void this.#try();
  }

  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** What the gateway tells of the call. */
  heard(a: PatrolAlarm): void {
    this.alarm = a;
    if (a.ref === this.waiting) this.#done();
    this.#changed();
  }

  #done(): void {
    this.waiting = "";
    this.unheard = false;
    try {
      this.#keep?.removeItem(place);
    } catch {
      // It is one call by its ref anyway.
    }
  }

  async #try(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#busy || this.#over) return;
    this.#busy = true;
    try {
      this.alarm = await this.#call(this.waiting, this.#fix());
      this.#done();
    } catch {
      this.unheard = true;
    }
    this.#busy = false;
    this.#changed();
    if (this.waiting && !this.#over) this.#timer = setTimeout(() => void this.#try(), againMs);
  }
}
