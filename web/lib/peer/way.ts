/** One RTCPeerConnection: what it offers, how it is agreed on, whether a voice arrives by it. It is made,
 * used and closed; when it is dead another takes its place. */
import type { MediaTune } from "../wire.gen";
import { ageOfVoice, loudness, table, voicePackets } from "./measure";
import { hasRed, type Use, used, withAudioNack } from "./sdp";
import { newer, plain, tuneJitter, tuneVideo } from "./tune";

export type Shape = "caller" | "console";

export interface Remote {
  kind: string;
  slot: number;
  track: MediaStreamTrack;
  stream: MediaStream;
}

/** What a way needs of the gateway. */
export interface Gate {
  /** Waits until the gateway has said welcome once; resolves to the relays it lends. */
  ready(): Promise<RTCIceServer[]>;
  /** Asks until signal ends it, over sockets to come too. */
  offer(pc: string, sdp: string, signal: AbortSignal): Promise<string>;
  candidate(pc: string, candidate: string, mid: string): Promise<unknown>;
}

/** What a way tells the page. */
export interface Told {
  state(way: Way): void;
  remote(way: Way, r: Remote): void;
  message(way: Way, data: string): void;
}

/** What the page sends. */
export interface Own {
  mic: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
}

export class Way {
  readonly id = Math.random().toString(36).slice(2, 12);
  readonly made: number;
  readonly pc: RTCPeerConnection;
  readonly channel: RTCDataChannel;
  readonly remotes: Remote[] = [];
  readonly #ended = new AbortController();
  readonly #shape: Shape;
  readonly #gate: Gate;
  readonly #told: Told;
  #held: RTCIceCandidate[] | null = []; // until the gateway knows the offer
  #answer = "";
  #tune: MediaTune | null = null;
  #turn: Promise<unknown> = Promise.resolve(); // changes of what is agreed, one at a time
  #how: Use = { red: false, leastKbps: 0 };
  #packets = 0;
  /** Whether the gateway was asked. */
  asked = false;
  closed = false;

  constructor(shape: Shape, own: Own, gate: Gate, told: Told, now: number) {
    this.made = now;
    this.#shape = shape;
    this.#gate = gate;
    this.#told = told;
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.pc = pc;
    this.#sections(own);
    this.channel = pc.createDataChannel("jedel", { ordered: true });
    this.channel.onmessage = (e) => told.message(this, String(e.data));
    pc.ontrack = (e) => this.#arrived(e);
    pc.onicecandidate = (e) => e.candidate && this.#trickle(e.candidate);
    pc.onconnectionstatechange = () => told.state(this);
  }

  get state(): RTCPeerConnectionState {
    return this.closed ? "closed" : this.pc.connectionState;
  }

  /** Whether the gateway has answered. */
  get agreed(): boolean {
    return this.#answer !== "";
  }

  get tune(): MediaTune | null {
    return this.#tune;
  }

  /** The sections of the offer. Ours first, then the slots we receive in. */
  #sections(own: Own): void {
    const slots = this.#shape === "console" ? { audio: 4, video: 2 } : { audio: 2, video: 0 };
    for (const kind of ["audio", "video"] as const) {
      const mine = this.pc.addTransceiver(kind, { direction: "sendrecv" });
      void mine.sender.replaceTrack(kind === "audio" ? own.mic : own.camera);
      for (let i = 0; i < slots[kind]; i++) this.pc.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  sender(kind: string): RTCRtpSender | undefined {
    return this.pc.getTransceivers().find((t) => t.receiver.track.kind === kind && t.direction !== "recvonly")?.sender;
  }

  /** Agrees on the connection. Rejects where the gateway refuses or cannot be asked. */
  async open(): Promise<void> {
    const offer = await this.pc.createOffer();
    const iceServers = await this.#gate.ready();
    if (this.closed) return;
    if (iceServers.length > 0) this.pc.setConfiguration({ bundlePolicy: "max-bundle", iceServers });
    await this.pc.setLocalDescription(offer);
    this.asked = true;
    const answer = await this.#gate.offer(this.id, withAudioNack(this.pc.localDescription?.sdp ?? ""), this.#ended.signal);
    if (this.closed) return;
    await this.pc.setRemoteDescription({ type: "answer", sdp: used(answer, this.#how) });
    this.#answer = answer;
    const held = this.#held ?? [];
    this.#held = null;
    for (const c of held) this.#trickle(c);
    void this.#use();
  }

  #trickle(c: RTCIceCandidate): void {
    if (this.#held) this.#held.push(c);
    // A refused address is not used; the others do the work.
    else this.#gate.candidate(this.id, c.candidate, c.sdpMid ?? "0").catch(() => undefined);
  }

  #arrived(e: RTCTrackEvent): void {
    const same = this.pc.getTransceivers().filter((t) => t.receiver.track.kind === e.track.kind && (this.#shape === "caller" || t.direction === "recvonly"));
    const slot = same.indexOf(e.transceiver);
    if (slot < 0 || this.remotes.some((r) => r.track === e.track)) return; // agreed anew, by ourselves
    const r = { kind: e.track.kind, slot, track: e.track, stream: e.streams[0] ?? new MediaStream([e.track]) };
    this.remotes.push(r);
    this.#told.remote(this, r);
  }

  /** Takes the gateway's word on how this connection is to be used; false where it is old or another's. */
  obey(t: MediaTune): boolean {
    if (!newer(t, this.#tune, this.id)) return false;
    this.#tune = t;
    void this.#use();
    return true;
  }

  /** Applies what was said; again whenever there is something new to apply it to. */
  #use(): Promise<void> {
    const t = this.#tune ?? { ...plain, pc: this.id, rev: 0 };
    const turn = this.#turn.then(async () => {
      if (this.closed || !this.agreed || t !== (this.#tune ?? t)) return;
      tuneJitter(this.pc, t.jitterMs);
      if (this.#tune) await tuneVideo(this.sender("video"), t).catch(() => undefined);
      await this.#prefer({ red: t.red, leastKbps: t.leastKbps });
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Sends RED or plain Opus, at no less than a rate: the same answer once more, written otherwise. The gateway is not needed
   * for it. A sender's own choice of codec is taken by Chromium 156 and has no effect on audio. What knows no RED knows no
   * least rate either. */
  async #prefer(how: Use): Promise<void> {
    const was = this.#how;
    if (!hasRed(this.#answer) || this.pc.signalingState !== "stable" || (how.red === was.red && how.leastKbps === was.leastKbps)) return;
    await this.pc.setLocalDescription(await this.pc.createOffer());
    await this.pc.setRemoteDescription({ type: "answer", sdp: used(this.#answer, how) });
    this.#how = how;
  }

  /** How loud the voice of a slot is, 0..1; undefined where none arrives. */
  async level(slot: number): Promise<number | undefined> {
    const track = this.remotes.find((r) => r.kind === "audio" && r.slot === slot)?.track;
    const stats = await this.pc.getReceivers().find((r) => r.track === track)?.getStats();
    return stats && loudness(table(stats));
  }

  /** How long ago the newest packet of a voice came in, in ms; undefined where none did. */
  async age(): Promise<number | undefined> {
    const stats = table(await this.pc.getStats());
    const packets = voicePackets(stats);
    const more = packets > this.#packets;
    this.#packets = packets;
    return ageOfVoice(stats, performance.timeOrigin + performance.now()) ?? (more ? 0 : undefined);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#ended.abort();
    this.channel.onmessage = null;
    this.pc.onconnectionstatechange = this.pc.onicecandidate = this.pc.ontrack = null;
    this.pc.close();
  }
}
