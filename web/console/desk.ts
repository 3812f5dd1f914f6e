import { Guest } from "../lib/guest";
import { t } from "../lib/i18n";
import type { Line } from "../lib/peer";
import type { Bodies, CallKind, DeviceState, DutySet, GuestMode, MediaTune, Text } from "../lib/wire.gen";
import { cameraWish, Level, micWish, openDevice } from "./mic";
import type { Link, PeerPort, World } from "./ports";
import { Ringer } from "./sounds";
import { answers, type Event, live, news, next, nothing, type View } from "./view";

/** What happens in this seat alone. */
export interface Seat {
  link: Link;
  mic: DeviceState;
  muted: boolean;
  camera: DeviceState;
  /** Going on duty is under way. */
  starting: boolean;
  /** The media transport is asked for; the person is on duty in this tab. */
  onDuty: boolean;
  /** Sound cannot be heard until somebody clicks: a reload of the page. */
  silent: boolean;
  callerAudio?: MediaStream;
  callerVideo?: MediaStream;
  ownVideo?: MediaStream;
  /** Operator and guests, by slot; slot 0 is the caller's and empty here. */
  voices: (MediaStream | undefined)[];
  guestVideo?: MediaStream;
  /** Whose silence it is, where there is one. */
  line: Line;
  /** How the gateway wants the media used; undefined: as usual. */
  tune?: MediaTune;
  toast?: Toast;
  /** Chat lines on their way, oldest first. */
  outbox: Outgoing[];
  /** Call-back tasks that are closed unless undone within undoMs. */
  closing: string[];
}

/** How long a closed task can be taken back. UX.md 1.4: undo, not "are you sure". */
export const undoMs = 10_000;

/** One line that says what went wrong or what was done, with a way back where there is one. */
export interface Toast {
  id: number;
  words: Text | string; // a key of the page's texts, or the gateway's words
  bad: boolean;
  undo?: () => void;
}

export interface Outgoing {
  id: string;
  call: string;
  text: string;
  failed: boolean;
}

const kept = "jedel.console.duty";

/**
 * Desk is one operator's seat in this tab: it owns the session, the peer, the devices and the
 * bell until close. Every change makes new values and calls the listeners.
 */
export class Desk {
  readonly ringer = new Ringer();
  readonly #world: World;
  readonly #listeners = new Set<() => void>();
  readonly #offs: (() => void)[] = [];
  readonly #closing = new Map<string, ReturnType<typeof setTimeout>>();
  #peer: PeerPort | undefined;
  #mic: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  #toasts = 0;
  #view: View = nothing;
  #seat: Seat = { link: "connecting", mic: "off", muted: false, camera: "off", starting: false, onDuty: false, silent: false, line: "none", voices: [], outbox: [], closing: [] };
  level: Level | undefined;
  /** This person's part in a call of somebody else. */
  readonly guest: Guest;

  constructor(world: World) {
    this.#world = world;
    this.guest = new Guest(world.session, { hear: () => this.#hear(), speak: (on) => this.#speak(on) });
    this.guest.subscribe(() => this.#guestChanged());
  }

  get view(): View {
    return this.#view;
  }

  get seat(): Seat {
    return this.#seat;
  }

  get now(): number {
    return this.#world.now();
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Listens to news that only a room needs. */
  hear<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void {
    return this.#world.session.on(type, fn);
  }

  /** News that a part of the page listens to by itself. */
  on<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void {
    return this.#world.session.on(type, fn);
  }

  start(): void {
    const s = this.#world.session;
    this.#offs.push(s.on("welcome", (body) => this.#welcomed({ type: "welcome", body })));
    for (const type of news) this.#offs.push(s.on(type, (body) => this.dispatch({ type, body } as Event)));
    this.#offs.push(s.onLink((link) => this.#set({ link })));
    s.start();
  }

  close(): void {
    for (const off of this.#offs.splice(0)) off();
    for (const timer of this.#closing.values()) clearTimeout(timer);
    this.guest.close();
    this.#endMedia();
    this.#world.session.close();
    void this.ringer.close();
  }

  dispatch(e: Event): void {
    const before = this.#view;
    this.#view = next(before, e, this.#world.now());
    if (this.#view.replaced && !before.replaced) this.#endMedia();
    const changed = this.#view.card?.call !== before.card?.call || live(before.card) !== live(this.#view.card);
    if (changed) this.#callChanged();
    if (e.type === "call.card" && e.body.card.endReason === "taken_over" && before.card?.call === e.body.card.call) {
      this.ringer.play("alarm");
      const told = t("guest.takenover", { number: e.body.card.number, name: e.body.card.transfer ?? "" });
      this.say({ kk: told, ru: told, en: told }, { bad: true });
    }
    if (e.type === "chat.posted") this.#set({ outbox: this.#seat.outbox.filter((o) => o.id !== e.body.item.id) });
    this.#tell();
  }

  /** Says something to the person for a few seconds. */
  say(words: Text | string, more: { bad?: boolean; undo?: () => void } = {}): void {
    this.#set({ toast: { id: ++this.#toasts, words, bad: more.bad ?? false, undo: more.undo } });
  }

  hush(id?: number): void {
    if (id === undefined || this.#seat.toast?.id === id) this.#set({ toast: undefined });
  }

  /** Asks the gateway; a refusal is said in its own words and answered with undefined. */
  async ask<T extends keyof Bodies>(type: T, body: Bodies[T], timeoutMs = 8000): Promise<unknown | undefined> {
    try {
      return await this.#world.session.request(type, body, { timeoutMs, again: true });
    } catch (err) {
      this.say(wordsOf(err), { bad: true });
      return undefined;
    }
  }

  /**
   * Goes on duty; called from a click, which is what lets the bell ring later. The order is the
   * promise: heard the bell, microphone open, transport asked for, and only then ready.
   */
  async goOnDuty(): Promise<void> {
    if (this.#seat.starting) return;
    this.#set({ starting: true, silent: false });
    try {
      await this.ringer.unlock();
      this.ringer.play("voice");
      if (!(await this.#startMedia())) return;
      this.#wish({ state: "ready" });
      await this.ask("duty.set", { state: "ready" });
    } finally {
      this.#set({ starting: false });
    }
  }

  /** Asks for another state; during a call it says what follows it. */
  async setDuty(want: DutySet): Promise<void> {
    if (want.state === "ready" && (!this.#seat.onDuty || this.#seat.mic !== "on")) return this.goOnDuty();
    this.#wish(want);
    if ((await this.ask("duty.set", want)) === undefined) return;
    if (want.state === "off" && !live(this.#view.card)) this.#endMedia();
  }

  async accept(): Promise<void> {
    const o = this.#view.offer;
    if (!o || this.#view.answering) return;
    this.#setMuted(startsMuted(o.kind));
    this.dispatch({ type: "local.answering", epoch: o.epoch, on: true });
    const answer = await this.ask("offer.accept", { call: o.call, epoch: o.epoch });
    if (answer === undefined) this.dispatch({ type: "local.answering", epoch: o.epoch, on: false });
  }

  async chat(call: string, text: string, id: string = crypto.randomUUID()): Promise<void> {
    const mine: Outgoing = { id, call, text, failed: false };
    this.#set({ outbox: [...this.#seat.outbox.filter((o) => o.id !== id), mine] });
    try {
      const sent = (await this.#world.session.request("chat.send", { call, id, text }, { timeoutMs: 15_000, again: true })) as Bodies["chat.sent"];
      const name = this.#view.staff?.name;
      const item = { id, chatSeq: sent.chatSeq, from: "operator", text, atMs: sent.atMs, ...(name ? { name } : {}) };
      this.dispatch({ type: "chat.posted", body: { call, item } });
    } catch {
      this.#set({ outbox: this.#seat.outbox.map((o) => (o.id === id ? { ...o, failed: true } : o)) });
    }
  }

  /** Closes a call-back task, which can be undone for ten seconds; a reload before that leaves it open. */
  closeCallBack(call: string, outcome: string): void {
    const forget = () => {
      clearTimeout(this.#closing.get(call));
      this.#closing.delete(call);
      this.#set({ closing: [...this.#closing.keys()] });
    };
    this.#closing.set(call, setTimeout(() => void this.ask("callback.done", { call, outcome }).then(forget), undoMs));
    this.#set({ closing: [...this.#closing.keys()] });
    this.say("callback.closed", { undo: () => { forget(); this.hush(); } });
  }

  /** Comes into the call of another operator, or changes who hears this person there. */
  async beGuest(call: string, mode: GuestMode): Promise<void> {
    try {
      if (this.guest.view?.call === call) await this.guest.setMode(mode);
      else await this.guest.join(call, mode);
    } catch (err) {
      this.say(mode !== "listen" && this.#seat.mic !== "on" && this.guest.view ? `own.mic.${this.#seat.mic}` : wordsOf(err), { bad: true });
    }
  }

  async leaveGuest(): Promise<void> {
    await this.guest.leave().catch((err: unknown) => this.say(wordsOf(err), { bad: true }));
  }

  /** Makes this person the owner of another operator's call, heard from the first word. */
  async takeOver(call: string): Promise<void> {
    void this.unlock();
    if (!(await this.#startMedia())) return this.say(`own.mic.${this.#seat.mic}`, { bad: true });
    if ((await this.ask("call.take_over", { call })) === undefined) this.#restMedia();
  }

  mute(on = !this.#seat.muted): void {
    this.#setMuted(on);
  }

  /** Own picture on or off. The caller sees it at once: the transceiver is there already. */
  async camera(on = this.#seat.camera !== "on"): Promise<void> {
    this.#camera?.stop();
    this.#camera = null;
    if (on) {
      this.#set({ camera: "asking" });
      const got = await openDevice(this.#world.devices, cameraWish);
      this.#camera = got.track;
      this.#set({ camera: got.state, ownVideo: got.track ? new MediaStream([got.track]) : undefined });
      if (!got.track) this.say(`camera.${got.state}`, { bad: true });
    } else {
      this.#set({ camera: "off", ownVideo: undefined });
    }
    await this.#peer?.setCamera(this.#camera);
    this.#tellDevices();
  }

  /** After a reload sound waits for a click. */
  async unlock(): Promise<void> {
    this.#set({ silent: !(await this.ringer.unlock()) });
    this.#meter();
  }

  /** A person who may take calls and was on duty in this tab before the reload goes on at once. */
  #welcomed(e: Event): void {
    this.dispatch(e);
    const me = this.#view.state?.me.state;
    const wish = this.#wished();
    const owns = live(this.#view.card) && !answers(this.#view.staff); // taken over, before a reload
    if (owns && !this.#seat.onDuty) {
      void this.unlock();
      void this.#startMedia();
    }
    if (!answers(this.#view.staff) || !wish) return;
    // The gateway came back without us in its list: ask again for what was asked last.
    const again = me === "off" || me === "link_lost";
    if (this.#seat.onDuty) {
      if (again) void this.ask("duty.set", wish);
      return;
    }
    if (this.#seat.starting) return;
    this.#set({ starting: true });
    void this.unlock();
    void this.#startMedia().then((heard) => {
      this.#set({ starting: false });
      if (!heard) this.#micLost();
      else if (again) void this.ask("duty.set", wish);
    });
  }

  /** The microphone went away: an operator who cannot be heard gets no calls. */
  #micLost(): void {
    this.say(`own.mic.${this.#seat.mic}`, { bad: true });
    this.ringer.play("alarm");
    if (this.#view.state?.me.state === "ready") void this.ask("duty.set", { state: "busy" });
  }

  async #startMedia(): Promise<boolean> {
    this.#set({ mic: "asking" });
    const got = await openDevice(this.#world.devices, micWish);
    this.#mic?.stop();
    this.#mic = got.track;
    this.#set({ mic: got.state });
    if (!got.track) return false;
    got.track.enabled = !this.#seat.muted;
    got.track.addEventListener("ended", () => {
      if (got.track !== this.#mic) return;
      this.#set({ mic: "none" });
      this.#micLost();
    });
    this.#meter();
    this.#peer ??= this.#openPeer();
    await this.#peer.setMic(got.track);
    await this.#peer.warm().catch((err: unknown) => this.say(wordsOf(err), { bad: true }));
    this.#set({ onDuty: true });
    this.#tellDevices();
    return true;
  }

  #openPeer(): PeerPort {
    const peer = this.#world.makePeer();
    this.#offs.push(peer.onRemote((r) => {
      if (r.slot !== 0) return this.#other(r);
      if (r.kind === "audio") this.#set({ callerAudio: new MediaStream([r.track]) });
      else this.#set({ callerVideo: new MediaStream([r.track]) });
    }));
    this.#offs.push(peer.onLine((line) => this.#set({ line })), peer.onTune((t) => this.#set({ tune: t ?? undefined })));
    return peer;
  }

  /** How loud the caller is at the moment, 0..1; undefined where nothing arrives. */
  async callerLevel(): Promise<number | undefined> {
    return this.#peer?.level(0);
  }

  #other(r: { kind: string; slot: number; track: MediaStreamTrack }): void {
    if (r.kind === "video") return this.#set({ guestVideo: new MediaStream([r.track]) });
    const voices = [...this.#seat.voices];
    voices[r.slot] = new MediaStream([r.track]);
    this.#set({ voices });
  }

  /** A guest hears by the same transport as an operator, without going on duty. */
  async #hear(): Promise<void> {
    if (!this.#seat.onDuty) void this.unlock();
    this.#peer ??= this.#openPeer();
    await this.#peer.warm();
  }

  /** The microphone of a guest: the operator's own where they are on duty, else opened and shut. */
  async #speak(on: boolean): Promise<boolean> {
    if (!this.#seat.onDuty) {
      this.#mic?.stop();
      this.#mic = null;
      const got = on ? await openDevice(this.#world.devices, micWish) : { track: null, state: "off" as const };
      this.#mic = got.track;
      this.#set({ mic: got.state });
    }
    if (this.#mic) this.#mic.enabled = true;
    await this.#peer?.setMic(on || this.#seat.onDuty ? this.#mic : null);
    return !on || this.#mic !== null;
  }

  #guestChanged(): void {
    const out = this.guest.out;
    if (out && ["unassigned", "link_lost", "ended"].includes(out.why ?? "")) this.say(`guest.out.${out.why}`);
    if (out && out.why !== "owner") this.#restMedia(); // the card of an owner is on its way
    this.#tell();
  }

  /** Shuts the microphone of somebody who neither takes calls, nor has one, nor is a guest. */
  #restMedia(): void {
    if (!answers(this.#view.staff) && !live(this.#view.card) && !this.guest.view) this.#endMedia();
  }

  #endMedia(): void {
    this.#peer?.close();
    this.#peer = undefined;
    for (const t of [this.#mic, this.#camera]) t?.stop();
    this.#mic = this.#camera = null;
    this.level?.close();
    this.level = undefined;
    this.ringer.ring(undefined);
    this.#set({ mic: "off", camera: "off", onDuty: false, callerAudio: undefined, callerVideo: undefined, ownVideo: undefined, voices: [], guestVideo: undefined, line: "none", tune: undefined });
  }

  /** A call began or ended here: neither camera nor mute goes on into the next one. */
  #callChanged(): void {
    const card = live(this.#view.card) ? this.#view.card : undefined;
    if (!card && this.#seat.camera !== "off") void this.camera(false);
    this.#setMuted(card !== undefined && startsMuted(card.kind));
    if (!card) this.#restMedia();
  }

  #setMuted(muted: boolean): void {
    if (this.#mic) this.#mic.enabled = !muted;
    if (muted === this.#seat.muted) return;
    this.#set({ muted });
    this.#tellDevices();
  }

  #meter(): void {
    const ctx = this.ringer.context;
    this.level?.close();
    this.level = ctx && this.#mic ? new Level(ctx, this.#mic) : undefined;
  }

  #tellDevices(): void {
    if (!this.#seat.onDuty) return;
    const mic: DeviceState = this.#seat.mic === "on" && this.#seat.muted ? "off" : this.#seat.mic;
    const status = { mic, camera: this.#seat.camera };
    this.#world.session.request("media.status", status, { timeoutMs: 5000 }).catch(() => undefined); // told again at the next change
  }

  #wish(want: DutySet): void {
    if (want.state === "off") this.#world.tab.removeItem(kept);
    else this.#world.tab.setItem(kept, JSON.stringify(want));
  }

  #wished(): DutySet | undefined {
    try {
      const want = JSON.parse(this.#world.tab.getItem(kept) ?? "null");
      return ["ready", "busy", "pause"].includes(want?.state) ? want : undefined;
    } catch {
      return undefined;
    }
  }

  #set(change: Partial<Seat>): void {
    this.#seat = { ...this.#seat, ...change };
    this.#tell();
  }

  #tell(): void {
    for (const fn of this.#listeners) fn();
  }
}

/** A caller who cannot speak may not be able to let anything be heard either. */
function startsMuted(kind: CallKind): boolean {
  return kind === "silent";
}

/** The words of a refusal, or the key of ours when there was no answer. */
export function wordsOf(err: unknown): Text | string {
  const words = (err as { words?: Text })?.words;
  return words && typeof words.ru === "string" ? words : "error.noanswer";
}
