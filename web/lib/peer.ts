/** The media of this page, kept alive. There is one connection that carries it; when it falls silent a
 * new one is made beside it at once and takes its place when it is up. The page keeps the tracks; this
 * keeps the way. Nothing here waits for the states of ICE, which come after five to fifteen seconds. */
import { Channel } from "./peer/channel";
import { report, table, zero } from "./peer/measure";
import { Pace } from "./peer/pace";
import { gapMs, type Line, Silence } from "./peer/silence";
import { type Gate, type Remote, type Shape, Way } from "./peer/way";
import type { Session } from "./socket";
import type { Bodies, MediaAnswer, MediaChecked, MediaTune, QualityReport } from "./wire.gen";

export type { Line } from "./peer/silence";
export type { Remote } from "./peer/way";
export type PeerState = "new" | "connecting" | "connected" | "lost" | "closed";

const look = 50;
const lookEvery = 90; // at the statistics, of a voice that flows
const lookSoon = 20;
const lookCloser = 140; // of silence, before it is looked at more often
const reportEvery = 2000;
const settle = 200; // of a changing network
const stuckLook = 1000;
const quietAfter = 900; // is told to people
const handover = 500; // that the old connection is kept beside the new one
const firstVoice = 300; // that a new connection may take to carry one
const patience = 2500; // for a new connection, at least
const longestPatience = 10_000;
const offerGood = 2500; // of a network that may have changed
const voiceIsExpected = 30_000; // after the last one
const sendsAfter = 700; // of a microphone being open

export class Peer {
  readonly #session: Session;
  readonly #shape: Shape;
  readonly #remote = new Set<(r: Remote) => void>();
  readonly #states = new Set<(s: PeerState) => void>();
  readonly #quiets = new Set<(quiet: boolean) => void>();
  readonly #lines = new Set<(line: Line) => void>();
  readonly #tunes = new Set<(t: MediaTune | null) => void>();
  readonly #off: (() => void)[] = [];
  #silence = new Silence();
  readonly #pace = new Pace();
  readonly #channel: Channel;
  #own: { mic: MediaStreamTrack | null; camera: MediaStreamTrack | null } = { mic: null, camera: null };
  #way: Way | null = null;
  #next: Way | null = null;
  #state: PeerState = "new";
  #line: Line = "none";
  #quiet = false;
  #micSince = 0;
  #failed = 0; // attempts in a row
  #retry: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #looked = 0;
  #looking: { way: Way; at: number } | null = null;
  #seen = zero;
  /** Whether the link is reported, and a voice waited for, although none was heard yet: a caller who waits. */
  active = false;
  /** Told the receipts of datagrams. */
  onReceipt: (b: Uint8Array<ArrayBuffer>) => void = () => undefined;
  /** The newest report, for the page's own words. */
  latest: QualityReport | null = null;

  constructor(session: Session, shape: Shape) {
    this.#session = session;
    this.#shape = shape;
    this.#channel = new Channel(session, (t) => this.#obey(t), (b) => this.onReceipt(b));
    this.#off.push(
      session.on("media.lost", (b) => this.#lost(b)),
      session.on("media.tune", (t) => this.#obey(t)),
      session.on("welcome", (w) => this.#welcomed(w.pc)),
      session.onLink((link) => link === "lost" && void this.#whether()),
    );
    this.#listenToNetwork();
    const looks = setInterval(() => void this.#look(), look);
    const reports = setInterval(() => void this.#measure(), reportEvery);
    this.#off.push(() => clearInterval(looks), () => clearInterval(reports));
  }

  get state(): PeerState {
    return this.#state;
  }

  /** Whose silence it is. */
  get line(): Line {
    return this.#line;
  }

  /** How the gateway wants this connection used; null: as usual. */
  get tune(): MediaTune | null {
    return this.#way?.tune ?? null;
  }

  /** How loud a received voice is at the moment, 0..1; undefined where none arrives. */
  async level(slot: number): Promise<number | undefined> {
    return this.#way?.level(slot);
  }

  onState(fn: (s: PeerState) => void): () => void {
    return subscribe(this.#states, fn);
  }

  /** Told when a voice that flowed has stopped for long enough to be told to people. Silence is
   * sent too: only a cut, a hold or a microphone that was turned off stops it. */
  onQuiet(fn: (quiet: boolean) => void): () => void {
    return subscribe(this.#quiets, fn);
  }

  onLine(fn: (line: Line) => void): () => void {
    return subscribe(this.#lines, fn);
  }

  onTune(fn: (t: MediaTune | null) => void): () => void {
    return subscribe(this.#tunes, fn);
  }

  onRemote(fn: (r: Remote) => void): () => void {
    return subscribe(this.#remote, fn);
  }

  /** Connects the transport before it is needed. Resolves when the offer is answered or refused. */
  async warm(): Promise<void> {
    if (this.#way || this.#state === "closed") return;
    this.#set("connecting");
    const way = this.#made();
    this.#way = way;
    await this.#agree(way);
  }

  /** Lets the connection go: nothing of it is on the line until warm is asked for again. */
  rest(): void {
    clearTimeout(this.#retry);
    this.#way?.close();
    this.#next?.close();
    this.#way = this.#next = null;
    this.#silence = new Silence();
    this.#failed = 0;
    this.#set("new");
  }

  /** Sends bytes as they are by the data channel; false where it is not open. */
  datagram(b: Uint8Array<ArrayBuffer>): boolean {
    if (this.#way?.channel.readyState !== "open") return false;
    this.#way.channel.send(b);
    return true;
  }

  async setMic(track: MediaStreamTrack | null): Promise<void> {
    this.#own.mic = track;
    this.#micSince = performance.now();
    await this.#send("audio", track);
  }

  async setCamera(track: MediaStreamTrack | null): Promise<void> {
    if (track) track.contentHint = "motion"; // hands that sign
    this.#own.camera = track;
    await this.#send("video", track);
  }

  async #send(kind: string, track: MediaStreamTrack | null): Promise<void> {
    await Promise.all([this.#way, this.#next].map((w) => w?.sender(kind)?.replaceTrack(track)));
  }

  close(): void {
    for (const off of this.#off.splice(0)) off();
    clearTimeout(this.#retry);
    clearTimeout(this.#soon);
    this.#way?.close();
    this.#next?.close();
    this.#way = this.#next = null;
    if (this.#shape === "console") this.#session.attentive = false;
    this.#set("closed");
  }

  /** Sends a request over the data channel, or over the socket where it is shut or silent. */
  request<T extends keyof Bodies>(type: T, body: Bodies[T], options: { timeoutMs?: number; again?: boolean } = {}): Promise<unknown> {
    const dc = this.#line === "own" ? undefined : this.#way?.channel;
    return this.#channel.request(dc, type, body, options);
  }

  #set(s: PeerState): void {
    if (this.#state === s) return;
    this.#state = s;
    for (const fn of this.#states) fn(s);
  }

  // A way is made, and takes the place of the one before.

  #made(): Way {
    const session = this.#session;
    const gate: Gate = {
      ready: () => this.#welcome(),
      offer: async (pc, sdp, signal) => ((await session.request("media.offer", { pc, sdp }, { timeoutMs: 15_000, again: true, early: true, signal })) as MediaAnswer).sdp,
      candidate: (pc, candidate, mid) => session.request("media.candidate", { pc, candidate, mid }),
    };
    return new Way(this.#shape, this.#own, gate, {
      state: (w) => this.#changed(w),
      remote: (w, r) => w === this.#way && this.#tell(r),
      message: (_, data) => this.#channel.take(data),
    }, performance.now());
  }

  /** Resolves when the gateway has said welcome. Whoever was greeted before makes an offer while the next socket is on its way. */
  #welcome(): Promise<RTCIceServer[]> {
    if (this.#session.link === "open" || this.#session.greeted) return Promise.resolve(this.#session.iceServers);
    return new Promise((resolve) => {
      const off = this.#session.on("welcome", (w) => {
        off();
        resolve(w.iceServers);
      });
    });
  }

  async #agree(way: Way): Promise<void> {
    try {
      await way.open();
      if (!way.closed && way.state !== "connected") this.#later(this.#patience());
    } catch {
      this.#gaveUp(way);
    }
  }

  #patience(): number {
    return Math.min(longestPatience, Math.max(patience, 8 * this.#silence.rttMs) * 1.5 ** this.#failed);
  }

  /** Makes a new connection beside the present one. sure: something new is known, such as another network. */
  #replace(sure = false): void {
    if (this.#state === "closed" || !this.#way) return;
    const now = performance.now();
    if (this.#next && !sure && now - this.#next.made < this.#patience()) return;
    // Without a socket there is one at most: its offer goes out behind the next hello. The welcome brings us here again.
    if (this.#session.link !== "open" && (!this.#session.greeted || (this.#next && !sure))) return;
    if (!this.#pace.take(now, sure)) return this.#later(this.#pace.next(now, sure) - now);
    this.#next?.close();
    this.#next = this.#made();
    void this.#agree(this.#next);
  }

  /** Looks again after a while whether there is a way, and makes one where there is none. */
  #later(ms: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#next && !this.#next.agreed && this.#session.link !== "open") this.#later(ms); // its offer has not been heard yet
      else if (this.#next && this.#next.state !== "connected") this.#gaveUp(this.#next);
      else if (!this.#whole()) this.#replace();
    }, ms);
  }

  /** A new connection did not come up, or was refused. */
  #gaveUp(way: Way): void {
    if (way.closed) return;
    this.#failed = Math.min(this.#failed + 1, 4);
    if (way === this.#next) {
      way.close();
      this.#next = null;
    }
    if (!this.#whole()) this.#replace();
  }

  /** Whether the present connection does its work. */
  #whole(): boolean {
    const s = this.#way?.state;
    return (s === "connected" || (s === "disconnected" && this.#flows())) && this.#silence.line !== "own";
  }

  /** A voice is heard. Where many packets are lost the checks of ICE are, too; a voice says more than they do. */
  #flows(): boolean {
    return this.#line === "flows" && this.#silence.quiet(performance.now()) < gapMs;
  }

  #changed(way: Way): void {
    const s = way.state;
    if (way === this.#next) {
      if (s === "connected") void this.#promote(way);
      else if (s === "failed" || s === "closed") this.#gaveUp(way);
      return;
    }
    if (way !== this.#way) return;
    if (s === "connected") this.#began();
    else if (s === "disconnected" && this.#flows()) return;
    else if (s === "disconnected" || s === "failed" || s === "closed") {
      if (!this.#next) this.#set("lost");
      this.#replace();
    }
  }

  #began(): void {
    clearTimeout(this.#retry);
    this.#failed = 0;
    this.#silence.began(performance.now());
    this.#set("connected");
  }

  /** The new connection is up: it takes over with its first voice, or without one after a moment. */
  async #promote(way: Way): Promise<void> {
    for (const end = performance.now() + firstVoice; this.#way?.state === "connected" && performance.now() < end; ) {
      if ((await way.age()) !== undefined) break;
      await new Promise((r) => setTimeout(r, 20));
    }
    if (way !== this.#next || way.closed) return;
    const old = this.#way;
    this.#way = way;
    this.#next = null;
    this.#seen = zero;
    for (const r of way.remotes) this.#tell(r);
    this.#began();
    this.#tellTune();
    setTimeout(() => old?.close(), handover);
  }

  #tell(r: Remote): void {
    for (const fn of this.#remote) fn(r);
  }

  // What makes a new way necessary.

  #welcomed(pc: string | undefined): void {
    const way = this.#next ?? this.#way;
    if (!way?.asked) return; // its offer waits for this welcome
    // Made a moment ago, it is of the network that this socket has come by; its offer is on its way, or answered.
    const now = performance.now();
    if (now - way.made < offerGood && (!way.agreed || (way === this.#next && pc === way.id))) return;
    const known = pc === this.#way?.id || pc === this.#next?.id;
    if (!way.agreed || !known || !this.#whole()) this.#replace(true);
    else if (this.#way?.state === "disconnected") void this.#ask(true); // we hear; whether we are heard a fresh socket tells
    else void this.#whether();
  }

  /** The socket has ended, or another has come: whether the voice has stopped, too. It is looked at anew, because this page may have
   * stood still since the last look. */
  async #whether(): Promise<void> {
    const way = this.#way;
    const age = await way?.age();
    const now = performance.now();
    if (age !== undefined) this.#silence.heard(now - age);
    if (way === this.#way && this.#silence.cut(now)) this.#replace();
  }

  /** The gateway has lost the connection, or hears nothing by it. */
  #lost(b: Bodies["media.lost"]): void {
    if (b.pc !== this.#way?.id) return;
    // Where much is lost this word is late, too, and what it says may be over.
    if (b.reason === "silence" && this.#silence.poor) return void this.#ask(true);
    if (b.reason !== "silence" || this.#sending()) this.#replace(b.reason !== "silence");
  }

  /** One change of the network is told by several events. Whether the browser calls it online says little:
   * it is late with that, and wrong behind some tunnels. */
  #listenToNetwork(): void {
    const changed = () => {
      clearTimeout(this.#soon);
      this.#soon = setTimeout(() => {
        const quiet = this.#silence.quiet(performance.now()) > lookCloser;
        if (quiet) this.#session.hurry();
        if (quiet || this.#line !== "flows") this.#replace(true);
      }, settle);
    };
    const network = (globalThis.navigator as Partial<{ connection: EventTarget }> | undefined)?.connection;
    globalThis.addEventListener?.("online", changed);
    network?.addEventListener("change", changed);
    this.#off.push(
      () => globalThis.removeEventListener?.("online", changed),
      () => network?.removeEventListener("change", changed),
    );
  }

  /** Our own voice has been on its way for a while. */
  #sending(): boolean {
    return this.#own.mic?.readyState === "live" && performance.now() - this.#micSince > sendsAfter;
  }

  /** Looks whether a voice arrives. What is played says nothing: it has waited in the buffer, up to 300 ms on a lossy line. */
  async #look(): Promise<void> {
    const way = this.#way;
    const now = performance.now();
    if (!way || way.closed) return;
    // A connection that is closed meanwhile never answers.
    if (this.#looking?.way === way && now - this.#looking.at < stuckLook) return;
    if (now - this.#looked < lookEvery && this.#silence.quiet(now) < lookCloser) return;
    this.#looked = now;
    const looking = { way, at: now };
    this.#looking = looking;
    try {
      const age = await way.age();
      if (age !== undefined) this.#silence.heard(performance.now() - age);
    } finally {
      if (this.#looking === looking) this.#looking = null;
    }
    if (way !== this.#way) return;
    this.#judge(performance.now());
    // A line that may be dying is looked at more closely: each tick of the wait is heard.
    if (this.#silence.line === "flows" && this.#silence.quiet(performance.now()) > lookCloser) setTimeout(() => void this.#look(), lookSoon);
  }

  #judge(now: number): void {
    const quiet = this.#silence.quiet(now);
    const expected = this.active || (quiet > 0 && quiet < voiceIsExpected);
    if (this.#shape === "console") this.#session.attentive = this.#silence.line !== "none" && quiet < voiceIsExpected;
    if (this.#way?.agreed && this.#way.state !== "new" && this.#way.state !== "connecting") {
      const act = this.#silence.tick(now, expected);
      if (act === "ask") void this.#ask();
      else if (act) {
        if (act === "renew" && this.#session.ageMs > quiet) this.#session.hurry(); // one that has come since the voice stopped is good
        this.#replace();
      }
    }
    this.#tellQuiet(quiet > quietAfter);
    if (this.#line === this.#silence.line) return;
    this.#line = this.#silence.line;
    for (const fn of this.#lines) fn(this.#line);
  }

  #tellQuiet(quiet: boolean): void {
    if (quiet === this.#quiet) return;
    this.#quiet = quiet;
    for (const fn of this.#quiets) fn(quiet);
  }

  async #ask(told = false): Promise<void> {
    const pc = this.#way?.id ?? "";
    try {
      const a = (await this.#session.request("media.check", { pc }, { timeoutMs: 3000, early: true })) as MediaChecked;
      if (a.pc !== this.#way?.id && a.pc !== this.#next?.id) this.#replace(); // it has another, or none
      else if (pc === this.#way?.id) this.#silence.answered(performance.now(), a, this.#sending(), told);
    } catch {
      // No answer is one too: the silence goes on.
    }
  }

  // How the way is used.

  #obey(t: MediaTune): void {
    if (this.#next?.obey(t)) return;
    if (this.#way?.obey(t)) this.#tellTune();
  }

  #tellTune(): void {
    this.#silence.waitMs = this.tune?.jitterMs ?? 0; // the gateway says so where words come late by repetition
    for (const fn of this.#tunes) fn(this.tune);
  }

  /** Tells the gateway every two seconds how this end hears. */
  async #measure(): Promise<void> {
    const way = this.#way;
    if (way?.state !== "connected") return;
    const got = report(table(await way.pc.getStats()), this.#seen);
    const voices = got.now.received - this.#seen.received;
    this.#seen = got.now;
    const network = (navigator as { connection?: { effectiveType?: string } }).connection?.effectiveType;
    if (network) got.report.network = network;
    this.latest = got.report;
    if (!this.active && voices === 0) return;
    try {
      await this.request("quality.report", got.report);
    } catch {
      // The next one comes in two seconds.
    }
  }
}

function subscribe<F>(set: Set<F>, fn: F): () => void {
  set.add(fn);
  return () => set.delete(fn);
}
