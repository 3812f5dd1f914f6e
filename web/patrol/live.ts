/** The call of the task, as it goes on: listened to by one tap, spoken in by another. */
import { Ears, Guest, OwnMic } from "../lib/guest";
import { type Line, Peer } from "../lib/peer";
import type { Session } from "../lib/socket";
import { Refusal } from "../lib/socket";
import type { GuestView, Text } from "../lib/wire.gen";

export class Live {
  readonly #guest: Guest;
  readonly #session: Session;
  readonly #changed: () => void;
  #peer: Peer | undefined;
  #ears: Ears | undefined;
  #mic: OwnMic | undefined;
  busy = false;
  trouble: { code: string; words: Text | null } | undefined;

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
    this.#guest = new Guest(session, {
      hear: () => this.#hear(),
      speak: async (on) => (on ? this.#made().mic.set(true) : (await this.#mic?.set(false), true)),
    });
    this.#guest.subscribe(changed);
  }

  /** A transport is made with the first call: a phone on patrol all day keeps none open for nothing. */
  #made(): { peer: Peer; mic: OwnMic } {
    if (!this.#peer) {
      this.#peer = new Peer(this.#session, "console");
      this.#peer.onLine(this.#changed);
      this.#peer.onTune(this.#changed);
    }
    if (!this.#ears) {
      this.#ears = new Ears(this.#peer);
      this.#ears.subscribe(this.#changed);
    }
    this.#mic ??= new OwnMic(this.#peer, navigator.mediaDevices);
    return { peer: this.#peer, mic: this.#mic };
  }

  async #hear(): Promise<void> {
    await this.#made().peer.warm();
  }

  /** Whose silence it is. */
  get line(): Line {
    return this.#peer?.line ?? "none";
  }

  /** The picture waits for a better line. */
  get held(): boolean {
    return this.#peer?.tune?.shown === "off";
  }

  get view(): GuestView | undefined {
    return this.#guest.view;
  }

  /** How the last call ended for this patrol. */
  get out(): GuestView | undefined {
    return this.#guest.out;
  }

  get sounds(): readonly MediaStream[] {
    return this.#ears?.sounds ?? [];
  }

  /** The caller's picture. */
  get picture(): MediaStream | undefined {
    return this.#ears?.pictures[0];
  }

  async #do(act: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.trouble = undefined;
    this.#changed();
    try {
      await act();
    } catch (err) {
      this.trouble = err instanceof Refusal ? { code: err.code, words: err.words } : { code: "mic", words: null };
    }
    this.busy = false;
    this.#changed();
  }

  join(call: string): Promise<void> {
    return this.#do(() => this.#guest.join(call));
  }

  speak(on: boolean): Promise<void> {
    return this.#do(() => this.#guest.setMode(on ? "speak" : "listen"));
  }

  leave(): Promise<void> {
    return this.#do(() => this.#guest.leave());
  }

  read(): void {
    this.#guest.read();
  }

  close(): void {
    this.#guest.close();
    void this.#mic?.set(false);
    this.#peer?.close();
  }
}
