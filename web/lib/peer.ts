/** One RTCPeerConnection of this page, kept alive: it is warmed before it is needed, restarted when
 * the network changes, replaced when it is lost. The page keeps the tracks; this keeps the way. */
import type { Session } from "./socket";
import { Refusal } from "./socket";
import type { Bodies, MediaAnswer, QualityReport } from "./wire.gen";

export type PeerState = "new" | "connecting" | "connected" | "lost" | "closed";

export interface Remote {
  kind: string;
  slot: number;
  track: MediaStreamTrack;
  stream: MediaStream;
}

const rebuildAfter = 4000; // an ICE restart that has not helped by then
const restartAfter = 1500; // of a disconnected transport
const reportEvery = 2000;
const settle = 200; // of a changing network
const listenEvery = 250;
const quietAfter = 900; // of a voice that flowed
const channelPatience = 2000;

interface Counters {
  lost: number;
  received: number;
  concealed: number;
  samples: number;
}

export class Peer {
  readonly #session: Session;
  readonly #shape: "caller" | "console";
  readonly #remote = new Set<(r: Remote) => void>();
  readonly #states = new Set<(s: PeerState) => void>();
  readonly #answers = new Map<number, (m: { type: string; body: unknown }) => void>();
  readonly #off: (() => void)[] = [];
  #pc: RTCPeerConnection | null = null;
  #id = "";
  #channel: RTCDataChannel | null = null;
  #mic: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  #state: PeerState = "new";
  #repair: ReturnType<typeof setTimeout> | undefined;
  #report: ReturnType<typeof setInterval> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #agreeing: RTCPeerConnection | null = null; // whose offer is on its way: one at a time
  #listen: ReturnType<typeof setInterval> | undefined;
  #stamp = 0;
  #stampAt = 0;
  #quiet = false;
  readonly #quiets = new Set<(quiet: boolean) => void>();
  #seq = 0;
  #seen: Counters = { lost: 0, received: 0, concealed: 0, samples: 0 };
  #making = false;
  /** Whether the link is reported although nothing is heard yet: a caller who waits. */
  active = false;
  /** The newest report, for the page's own words. */
  latest: QualityReport | null = null;

  constructor(session: Session, shape: "caller" | "console") {
    this.#session = session;
    this.#shape = shape;
    this.#off.push(
      session.on("media.lost", (b) => b.pc === this.#id && void this.#rebuild()),
      session.on("welcome", (w) => {
        if (this.#pc && w.pc !== this.#id) void this.#rebuild();
        else if (this.#state === "lost") this.#restart();
      }),
    );
    // One change of the network is told by several events; going offline is none to act on.
    const changed = () => {
      clearTimeout(this.#soon);
      if (globalThis.navigator?.onLine !== false) this.#soon = setTimeout(() => this.#restart(), settle);
    };
    const network = (globalThis.navigator as Partial<{ connection: EventTarget }> | undefined)?.connection;
    globalThis.addEventListener?.("online", changed);
    network?.addEventListener("change", changed);
    this.#off.push(
      () => globalThis.removeEventListener?.("online", changed),
      () => network?.removeEventListener("change", changed),
    );
    this.#listen = setInterval(() => this.#listenTo(), listenEvery);
    this.#report = setInterval(() => void this.#measure(), reportEvery);
  }

  get state(): PeerState {
    return this.#state;
  }

  onState(fn: (s: PeerState) => void): () => void {
    this.#states.add(fn);
    return () => this.#states.delete(fn);
  }

  /** Told when a voice that flowed has stopped, long before the browser calls the way lost. Silence is
   * sent too: only a cut, a hold or a microphone that was turned off stops it. */
  onQuiet(fn: (quiet: boolean) => void): () => void {
    this.#quiets.add(fn);
    return () => this.#quiets.delete(fn);
  }

  #listenTo(): void {
    let stamp = 0;
    for (const r of this.#pc?.getReceivers() ?? []) {
      if (r.track.kind !== "audio") continue;
      for (const s of r.getSynchronizationSources()) stamp += s.rtpTimestamp; // of several voices any that flows changes the sum
    }
    const now = Date.now();
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#stampAt = now;
    }
    const quiet = this.#stampAt > 0 && now - this.#stampAt > quietAfter;
    if (quiet === this.#quiet) return;
    this.#quiet = quiet;
    for (const fn of this.#quiets) fn(quiet);
  }

  onRemote(fn: (r: Remote) => void): () => void {
    this.#remote.add(fn);
    return () => this.#remote.delete(fn);
  }

  /** Connects the transport before it is needed. Resolves when the offer is answered. */
  async warm(): Promise<void> {
    if (!this.#pc) await this.#make();
  }

  async setMic(track: MediaStreamTrack | null): Promise<void> {
    this.#mic = track;
    await this.#sender("audio")?.replaceTrack(track);
  }

  async setCamera(track: MediaStreamTrack | null): Promise<void> {
    this.#camera = track;
    await this.#sender("video")?.replaceTrack(track);
  }

  close(): void {
    for (const off of this.#off.splice(0)) off();
    clearTimeout(this.#repair);
    clearInterval(this.#report);
    clearInterval(this.#listen);
    clearTimeout(this.#soon);
    this.#drop();
    this.#set("closed");
  }

  /** Sends a request over the data channel, or over the socket where it is shut or silent. */
  async request<T extends keyof Bodies>(type: T, body: Bodies[T], options: { timeoutMs?: number; again?: boolean } = {}): Promise<unknown> {
    const dc = this.#channel;
    if (dc?.readyState === "open" && dc.bufferedAmount < 65536) {
      const answer = await this.#ask(dc, type, body);
      if (answer?.type === "error") {
        const e = answer.body as Bodies["error"];
        throw new Refusal(e.code, e.words);
      }
      if (answer) return answer.body;
    }
    return this.#session.request(type, body, options);
  }

  #ask(dc: RTCDataChannel, type: string, body: unknown): Promise<{ type: string; body: unknown } | null> {
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answers.delete(seq);
        resolve(null);
      }, channelPatience);
      this.#answers.set(seq, (m) => {
        clearTimeout(timer);
        resolve(m);
      });
      dc.send(JSON.stringify({ type, seq, body }));
    });
  }

  #set(s: PeerState): void {
    if (this.#state === s) return;
    this.#state = s;
    for (const fn of this.#states) fn(s);
  }

  #sender(kind: string): RTCRtpSender | undefined {
    return this.#pc?.getTransceivers().find((t) => t.receiver.track.kind === kind && t.direction !== "recvonly")?.sender;
  }

  /** The sections of the offer. Ours first, then the slots we receive in. */
  #sections(pc: RTCPeerConnection): void {
    const slots = this.#shape === "console" ? { audio: 4, video: 2 } : { audio: 2, video: 0 };
    for (const kind of ["audio", "video"] as const) {
      const own = pc.addTransceiver(kind, { direction: "sendrecv" });
      void own.sender.replaceTrack(kind === "audio" ? this.#mic : this.#camera);
      for (let i = 0; i < slots[kind]; i++) pc.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  async #make(): Promise<void> {
    if (this.#making || this.#state === "closed") return;
    this.#making = true;
    try {
      this.#drop();
      const pc = new RTCPeerConnection(this.#configuration());
      this.#pc = pc;
      this.#id = Math.random().toString(36).slice(2, 12);
      this.#seen = { lost: 0, received: 0, concealed: 0, samples: 0 };
      this.#sections(pc);
      this.#open(pc.createDataChannel("jedel", { ordered: true }));
      pc.ontrack = (e) => this.#arrived(pc, e);
      pc.onicecandidate = (e) => {
        if (e.candidate) void this.#trickle(e.candidate);
      };
      pc.onconnectionstatechange = () => this.#changed(pc);
      this.#set("connecting");
      await this.#negotiate(pc, false);
    } finally {
      this.#making = false;
    }
  }

  /** With the relays of this moment: their credentials live ten minutes. */
  #configuration(): RTCConfiguration {
    return { bundlePolicy: "max-bundle", iceServers: this.#session.iceServers };
  }

  #held: RTCIceCandidate[] | null = null;

  async #negotiate(pc: RTCPeerConnection, iceRestart: boolean): Promise<void> {
    this.#agreeing = pc;
    this.#held = []; // candidates wait until the gateway knows the offer
    try {
      if (iceRestart) pc.setConfiguration(this.#configuration());
      await pc.setLocalDescription(await pc.createOffer({ iceRestart }));
      const answer = (await this.#session.request("media.offer", { pc: this.#id, sdp: pc.localDescription?.sdp ?? "" }, { timeoutMs: 15000, again: true })) as MediaAnswer;
      if (pc !== this.#pc) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      if (pc.connectionState !== "connected") this.#later(rebuildAfter);
    } catch {
      if (pc === this.#pc) this.#later(rebuildAfter);
      return;
    } finally {
      if (this.#agreeing === pc) this.#agreeing = null;
      const held = this.#held ?? [];
      this.#held = null;
      if (pc === this.#pc && pc.remoteDescription) for (const c of held) void this.#trickle(c);
    }
  }

  async #trickle(c: RTCIceCandidate): Promise<void> {
    if (this.#held) {
      this.#held.push(c);
      return;
    }
    try {
      await this.#session.request("media.candidate", { pc: this.#id, candidate: c.candidate, mid: c.sdpMid ?? "0" });
    } catch {
      // A refused address is not used; the others do the work.
    }
  }

  #arrived(pc: RTCPeerConnection, e: RTCTrackEvent): void {
    const same = pc.getTransceivers().filter((t) => t.receiver.track.kind === e.track.kind && (this.#shape === "caller" || t.direction === "recvonly"));
    const slot = same.indexOf(e.transceiver);
    if (slot < 0) return;
    const stream = e.streams[0] ?? new MediaStream([e.track]);
    for (const fn of this.#remote) fn({ kind: e.track.kind, slot, track: e.track, stream });
  }

  #open(dc: RTCDataChannel): void {
    this.#channel = dc;
    dc.onmessage = (e) => {
      const m = JSON.parse(String(e.data)) as { type: string; re?: number; body: unknown };
      const answer = m.re ? this.#answers.get(m.re) : undefined;
      if (m.re && answer) {
        this.#answers.delete(m.re);
        answer(m);
      }
    };
  }

  #changed(pc: RTCPeerConnection): void {
    if (pc !== this.#pc) return;
    switch (pc.connectionState) {
      case "connected":
        this.#stampAt = 0; // a voice has to flow here before it can stop
        clearTimeout(this.#repair);
        this.#repair = undefined;
        this.#set("connected");
        break;
      case "disconnected":
        this.#set("lost");
        clearTimeout(this.#repair);
        this.#repair = setTimeout(() => this.#restart(), restartAfter);
        break;
      case "failed":
        this.#set("lost");
        void this.#rebuild();
        break;
    }
  }

  /** An ICE restart; a new connection where that does not help in time. */
  #restart(): void {
    const pc = this.#pc;
    if (!pc || this.#making || this.#agreeing === pc) return;
    this.#later(rebuildAfter);
    void this.#negotiate(pc, true);
  }

  #later(ms: number): void {
    clearTimeout(this.#repair);
    this.#repair = setTimeout(() => {
      if (this.#pc?.connectionState === "connected") return;
      // Without a socket nothing can be agreed on; the old way may still heal by itself.
      if (this.#session.link !== "open" || (this.#pc && this.#agreeing === this.#pc)) this.#later(ms);
      else void this.#rebuild();
    }, ms);
  }

  async #rebuild(): Promise<void> {
    this.#set("lost");
    this.#later(2 * rebuildAfter);
    await this.#make();
  }

  #drop(): void {
    const pc = this.#pc;
    this.#pc = null;
    this.#channel = null;
    this.#answers.clear();
    if (!pc) return;
    pc.onconnectionstatechange = null;
    pc.onicecandidate = null;
    pc.ontrack = null;
    pc.close();
  }

  /** Tells the gateway every two seconds how this end hears. */
  async #measure(): Promise<void> {
    const pc = this.#pc;
    if (!pc || pc.connectionState !== "connected") return;
    const now: Counters = { lost: 0, received: 0, concealed: 0, samples: 0 };
    const report: QualityReport = { rttMs: 0, lossDown: 0, concealed: 0, jitterMs: 0, fps: 0, transport: "none" };
    const stats = await pc.getStats();
    const byId = new Map<string, Record<string, unknown>>();
    stats.forEach((s: Record<string, unknown>) => void byId.set(String(s.id), s));
    for (const s of byId.values()) {
      if (s.type === "inbound-rtp" && s.kind === "audio") {
        now.lost += Number(s.packetsLost ?? 0);
        now.received += Number(s.packetsReceived ?? 0);
        now.concealed += Number(s.concealedSamples ?? 0);
        now.samples += Number(s.totalSamplesReceived ?? 0);
        report.jitterMs = Math.max(report.jitterMs, 1000 * Number(s.jitter ?? 0));
      }
      if (s.type === "inbound-rtp" && s.kind === "video") report.fps = Math.max(report.fps, Number(s.framesPerSecond ?? 0));
      if (s.type === "candidate-pair" && s.nominated && s.state === "succeeded") {
        report.rttMs = 1000 * Number(s.currentRoundTripTime ?? 0);
        const local = byId.get(String(s.localCandidateId));
        report.transport = local?.candidateType === "relay" ? "relay" : local?.protocol === "tcp" ? "tcp" : "udp";
      }
    }
    const was = this.#seen;
    this.#seen = now;
    const got = now.received - was.received;
    const lost = Math.max(0, now.lost - was.lost);
    if (got + lost > 0) report.lossDown = lost / (got + lost);
    if (now.samples > was.samples && got > 0) report.concealed = Math.min(1, Math.max(0, now.concealed - was.concealed) / (now.samples - was.samples));
    const network = (navigator as { connection?: { effectiveType?: string } }).connection?.effectiveType;
    if (network) report.network = network;
    this.latest = report;
    if (!this.active && got === 0) return;
    try {
      await this.request("quality.report", report);
    } catch {
      // The next one comes in two seconds.
    }
  }
}
