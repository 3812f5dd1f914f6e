/**
 * A member of staff in a call that is not theirs: a supervisor at the console, a patrol on its phone.
 *
 *   const peer = new Peer(session, "console");          // the session's, made once, warm
 *   const ears = new Ears(peer);                        // before warm(): plays what arrives
 *   const guest = new Guest(session, { hear: () => peer.warm(), speak: (on) => own.set(on) });
 *   guest.subscribe(redraw);
 *   await guest.join(call);                             // one tap: listens
 *   await guest.setMode("speak");                       // then speaks; "whisper" is for supervisors
 *   await guest.leave();
 *
 * guest.view is the call as the gateway tells it, undefined outside of one; guest.out says how the last
 * one ended. Play every stream of ears.sounds in an <audio> of its own: slot 0 is the caller, 1 the
 * operator, the rest are other guests. The microphone is opened when somebody is to hear it and shut
 * before nobody is. Refusals are thrown as they come from the session and change nothing.
 * A patrol's hello is that of a console; only calls of its own case let it in.
 */
import type { Bodies, GuestMode, GuestView } from "./wire.gen";

/** What a guest needs of the session. */
export interface GuestLine {
  on<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void;
  request<T extends keyof Bodies>(type: T, body: Bodies[T], options?: { timeoutMs?: number; again?: boolean }): Promise<unknown>;
}

/** What a guest needs of the page. */
export interface GuestMedia {
  /** Makes sure that there is a transport to hear by. */
  hear(): Promise<void>;
  /** Lets the own microphone be heard, or shuts it. False: there is none to hear. */
  speak(on: boolean): Promise<boolean>;
}

const patience = { timeoutMs: 8000, again: true };

/** One person's part in a call of somebody else. It lives as long as the page. */
export class Guest {
  readonly #line: GuestLine;
  readonly #media: GuestMedia;
  readonly #listeners = new Set<() => void>();
  readonly #offs: (() => void)[];
  #view: GuestView | undefined;
  #out: GuestView | undefined;

  constructor(line: GuestLine, media: GuestMedia) {
    this.#line = line;
    this.#media = media;
    this.#offs = [
      line.on("guest.state", (b) => this.#take(b.view)),
      line.on("welcome", (w) => this.#welcomed(w.guest)),
    ];
  }

  /** The call this person is a guest in. */
  get view(): GuestView | undefined {
    return this.#view;
  }

  /** The last call, with why they are in it no more, until the next or until it is read. */
  get out(): GuestView | undefined {
    return this.#out;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Comes into a call. A patrol comes listening, whatever it asks for. */
  async join(call: string, mode: GuestMode = "listen"): Promise<void> {
    await this.#media.hear();
    const joined = (await this.#line.request("call.join", { call, mode }, patience)) as Bodies["call.joined"];
    this.#take(joined.view);
    await this.#sound(mode);
  }

  async setMode(mode: GuestMode): Promise<void> {
    const v = this.#view;
    if (!v || v.mode === mode) return;
    if (mode === "listen") await this.#media.speak(false);
    await this.#line.request("call.mode", { call: v.call, mode }, patience);
    await this.#sound(mode);
  }

  async leave(): Promise<void> {
    const v = this.#view;
    if (!v) return;
    await this.#media.speak(false);
    await this.#line.request("call.leave", { call: v.call }, patience);
  }

  /** Forgets how the last call ended. */
  read(): void {
    this.#out = undefined;
    this.#tell();
  }

  close(): void {
    for (const off of this.#offs.splice(0)) off();
  }

  /** Opens the microphone for a mode that has hearers; without one it falls back to listening. */
  async #sound(mode: GuestMode): Promise<void> {
    if (mode === "listen" || (await this.#media.speak(true))) return;
    await this.setMode("listen");
    throw new Error("no microphone");
  }

  #welcomed(v: GuestView | undefined): void {
    if (v) {
      // A page that has come back hears at once; its microphone waits for a tap.
      this.#take(v);
      void this.#media.hear().catch(() => undefined);
      if (v.mode !== "listen") void this.#line.request("call.mode", { call: v.call, mode: "listen" }, patience).catch(() => undefined);
    } else if (this.#view) {
      this.#take({ ...this.#view, mode: undefined, why: "ended" });
    }
  }

  #take(v: GuestView): void {
    const mine = this.#view;
    if (mine?.call === v.call && v.rev < mine.rev) return;
    if (v.mode) {
      this.#view = v;
      this.#out = undefined;
    } else if (!mine || mine.call === v.call) {
      this.#view = undefined;
      this.#out = v;
      if (mine && v.why !== "owner") void this.#media.speak(false).catch(() => undefined);
    }
    this.#tell();
  }

  #tell(): void {
    for (const fn of this.#listeners) fn();
  }
}

/** What arrives at a page, by slot. It keeps every slot for the life of the connection. */
export class Ears {
  #sounds: MediaStream[] = [];
  #pictures: MediaStream[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(peer: { onRemote(fn: (r: { kind: string; slot: number; track: MediaStreamTrack }) => void): () => void }) {
    peer.onRemote((r) => {
      const next = r.kind === "audio" ? [...this.#sounds] : [...this.#pictures];
      next[r.slot] = new MediaStream([r.track]);
      if (r.kind === "audio") this.#sounds = next;
      else this.#pictures = next;
      for (const fn of this.#listeners) fn();
    });
  }

  /** The sound of each slot. */
  get sounds(): readonly MediaStream[] {
    return this.#sounds;
  }

  /** The picture of each slot. */
  get pictures(): readonly MediaStream[] {
    return this.#pictures;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
}

/** The own microphone of a page that has no other use for it, such as a patrol's: open while it is heard. */
export class OwnMic {
  readonly #peer: { setMic(track: MediaStreamTrack | null): Promise<void> | void };
  readonly #devices: Pick<MediaDevices, "getUserMedia">;
  #track: MediaStreamTrack | null = null;
  #wanted = false;

  constructor(peer: { setMic(track: MediaStreamTrack | null): Promise<void> | void }, devices: Pick<MediaDevices, "getUserMedia">) {
    this.#peer = peer;
    this.#devices = devices;
  }

  async set(on: boolean): Promise<boolean> {
    this.#wanted = on;
    if (on && this.#track?.readyState === "live") return true;
    this.#track?.stop();
    this.#track = null;
    if (on) {
      const wish = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } };
      const stream = await this.#devices.getUserMedia(wish).catch(() => undefined);
      const track = stream?.getAudioTracks()[0] ?? null;
      if (!this.#wanted) track?.stop(); // shut again while the person was asked
      else this.#track = track;
    }
    await this.#peer.setMic(this.#track);
    return this.#track !== null;
  }
}
