/** One client's socket: connects, says hello, resumes, comes back by itself. Knows no DOM. */
import type { Bodies, ICEServer, Role, Text, Welcome } from "./wire.gen";
import { importance, urgent } from "./order";
import { version } from "./wire.gen";

export type Link = "connecting" | "open" | "lost" | "closed";
type Key = keyof Bodies;

/** A refusal of the gateway: programs read the code, people the words. */
export class Refusal extends Error {
  readonly code: string;
  readonly words: Text | null;
  constructor(code: string, words: Text | null = null) {
    super(code);
    this.name = "Refusal";
    this.code = code;
    this.words = words;
  }
}

export interface SessionOptions {
  role: Role;
  lang: string;
  storage: Pick<Storage, "getItem" | "setItem">;
  agent?: string;
  token?: () => string | undefined;
  url?: string;
}

export interface RequestOptions {
  timeoutMs?: number;
  /** Ask again after a reconnect: for requests that are idempotent by their id. */
  again?: boolean;
  /** Goes out right behind the hello of a client who is known, without the round trip of the welcome. */
  early?: boolean;
  /** Nobody waits for the answer any more. */
  signal?: AbortSignal;
}

interface Pending {
  type: Key;
  body: unknown;
  again: boolean;
  early: boolean;
  sentMs: number;
  done: (body: unknown) => void;
  fail: (err: Error) => void;
}

const claimKey = "jedel.claim";
const beat = 500;
const pingEvery = 5000;
const pingInCall = 1000;
const silence = 8000;
// While a call is open the line is felt each second: quiet is told, and given up sooner.
const quietAfter = 2000;
const silenceInCall = 5000;
const openPatience = 5000; // of a socket that is being opened; each attempt that fails gives the next one more
const longestPatience = 20000;
// A thin line loses words for seconds and brings them all the same: giving it up costs three round trips and more.
const thinRtt = 700;
const thinQuiet = 12000;
const thinSilence = 20000;
const rttMemory = 0.7; // of a slower word; a quicker one is believed sooner: it cannot be chance
const wakePatience = 2500; // for a word on a socket that may have died with the old network
const firstPause = 250;
const firstSpare = 1000; // before a second socket is tried beside the first; each further one waits twice as long
const spares = 4; // at a time, and of one silence: on a thin line each costs the others their room
const longestPause = 5000;

export class Session {
  readonly #opts: SessionOptions;
  readonly #on = new Map<string, Set<(body: never) => void>>();
  readonly #onLink = new Set<(link: Link) => void>();
  readonly #waiting: Pending[] = [];
  readonly #pending = new Map<number, Pending>();
  #ws: WebSocket | null = null;
  #link: Link = "closed";
  #seq = 0;
  #pause = firstPause;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #begun = 0;
  #heard = 0;
  #due = 0; // when a socket that has said nothing more is given up
  #scope: AbortController | null = null;
  #wakeups = 0;
  #quiet = false;
  readonly #spare = new Set<WebSocket>();
  #tried = 0; // spares since something was heard
  #spareTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #onQuiet = new Set<(quiet: boolean) => void>();
  /** A call is open: somebody waits for every word. */
  attentive = false;
  /** Chance by which the gateway knows a caller who has sent an SOS before there was a socket. */
  readonly claim: string;
  #rtt = 0;
  #helloMs = 0;
  #missed = 0; // sockets in a row that did not open
  #hailed = false; // a client who is known has said hello, and waits for the welcome
  /** A welcome has come: who this is and which relays there are is known, whatever has become of the socket. */
  greeted = false;
  /** Relays for new connections, with credentials that the gateway renews before they expire. */
  iceServers: ICEServer[] = [];

  constructor(opts: SessionOptions) {
    this.#opts = opts;
    this.claim = opts.storage.getItem(claimKey) ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    opts.storage.setItem(claimKey, this.claim); // a page that is loaded anew before the first welcome finds its call
  }

  get link(): Link {
    return this.#link;
  }

  /** How long words take to the gateway and back, milliseconds; 0: not known yet. */
  get rttMs(): number {
    const waits = [...this.#pending.values()].filter((p) => p.type === "ping").map((p) => Date.now() - p.sentMs);
    return Math.max(this.#rtt, ...waits.slice(0, 1));
  }

  /** How old the present socket is, milliseconds, from when it was begun. */
  get ageMs(): number {
    return Date.now() - this.#begun;
  }

  /** How long one word takes now. */
  async feel(): Promise<number> {
    const sentMs = Date.now();
    await this.request("ping", {}, { timeoutMs: 8000 }).catch(() => undefined);
    const ms = Date.now() - sentMs;
    this.#measured(ms);
    return ms;
  }

  /** Whether words of a person are on their way. */
  get busy(): boolean {
    return [...this.#pending.values(), ...this.#waiting].some((p) => urgent(p.type) || p.type === "voice.piece");
  }

  get thin(): boolean {
    return this.#rtt >= thinRtt;
  }

  /** The client and key of this tab, for requests beside the socket. */
  credentials(): { client: string; key: string } | null {
    const raw = this.#opts.storage.getItem(this.#place());
    if (!raw) return null;
    try {
      const c = JSON.parse(raw) as { client?: string; key?: string };
      return c.client && c.key ? { client: c.client, key: c.key } : null;
    } catch {
      return null;
    }
  }

  start(): void {
    if (this.#scope) return;
    this.#scope = new AbortController();
    const signal = this.#scope.signal;
    const wake = () => this.#wake();
    globalThis.addEventListener?.("online", wake, { signal });
    (globalThis.navigator as Partial<{ connection: EventTarget }> | undefined)?.connection?.addEventListener("change", wake, { signal });
    globalThis.document?.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), { signal });
    this.#watch = setInterval(() => this.#beat(), beat);
    this.#connect();
  }

  close(): void {
    this.#scope?.abort();
    this.#scope = null;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#calm();
    this.#ws?.close(1000);
    this.#ws = null;
    this.#set("closed");
    for (const p of [...this.#pending.values(), ...this.#waiting.splice(0)]) p.fail(new Refusal("unavailable"));
    this.#pending.clear();
  }

  /** Connects anew, as somebody else or in another language. */
  renew(change: Partial<SessionOptions>): void {
    Object.assign(this.#opts, change);
    this.#ws?.close(1000);
  }

  on<T extends Key>(type: T, fn: (body: Bodies[T]) => void): () => void {
    const set = this.#on.get(type) ?? new Set();
    this.#on.set(type, set);
    set.add(fn as (body: never) => void);
    return () => set.delete(fn as (body: never) => void);
  }

  onLink(fn: (link: Link) => void): () => void {
    this.#onLink.add(fn);
    return () => this.#onLink.delete(fn);
  }

  /** Tells when nothing has been heard for a moment, and when something is heard again. */
  onQuiet(fn: (quiet: boolean) => void): () => void {
    this.#onQuiet.add(fn);
    return () => this.#onQuiet.delete(fn);
  }

  #tellQuiet(quiet: boolean): void {
    if (this.#quiet === quiet) return;
    this.#quiet = quiet;
    for (const fn of this.#onQuiet) fn(quiet);
  }

  /** Sends a request and resolves with the body of its answer, or rejects with a Refusal. */
  request<T extends Key>(type: T, body: Bodies[T], options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs = 10000, again = false, early = false, signal } = options;
    return new Promise((resolve, reject) => {
      const p: Pending = { type, body, again, early, sentMs: 0, done: finish(resolve), fail: finish(reject) };
      const give = () => {
        this.#forget(p);
        p.fail(new Refusal("unavailable"));
      };
      const timer = setTimeout(give, timeoutMs);
      signal?.addEventListener("abort", give, { once: true });
      function finish<V>(then: (v: V) => void): (v: V) => void {
        return (v) => {
          clearTimeout(timer);
          then(v);
        };
      }
      if ((this.#link === "open" || (early && this.#hailed)) && !this.#holds(type)) this.#send(p);
      else if (this.#link === "closed") p.fail(new Refusal("unavailable"));
      else this.#waiting.push(p);
    });
  }

  #place(): string {
    return `jedel.client.${this.#opts.role}`;
  }

  /** On a thin line what is no word of a person waits until those have arrived. */
  #holds(type: string): boolean {
    return this.thin && !urgent(type) && type !== "voice.piece" && [...this.#pending.values()].some((p) => urgent(p.type));
  }

  /** Sends what waits, the most important first. */
  #release(): void {
    if (this.#link !== "open") return;
    const held = this.#waiting.splice(0).sort((a, b) => importance(a.type) - importance(b.type));
    for (const p of held) {
      if (this.#holds(p.type)) this.#waiting.push(p);
      else this.#send(p);
    }
  }

  /** Sends what need not wait for the welcome. */
  #ahead(): void {
    for (const p of this.#waiting.filter((p) => p.early)) {
      this.#waiting.splice(this.#waiting.indexOf(p), 1);
      this.#send(p);
    }
  }

  #measured(ms: number): void {
    const old = ms < this.#rtt ? rttMemory / 2 : rttMemory;
    this.#rtt = this.#rtt === 0 ? ms : old * this.#rtt + (1 - old) * ms;
  }

  #forget(p: Pending): void {
    for (const [seq, q] of this.#pending) if (q === p) this.#pending.delete(seq);
    const i = this.#waiting.indexOf(p);
    if (i >= 0) this.#waiting.splice(i, 1);
  }

  #set(link: Link): void {
    if (this.#link === link) return;
    this.#link = link;
    for (const fn of this.#onLink) fn(link);
  }

  #url(): string {
    return this.#opts.url ?? `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
  }

  #connect(): void {
    if (!this.#scope) return;
    clearTimeout(this.#timer);
    if (this.#link !== "lost") this.#set("connecting");
    let ws: WebSocket;
    try {
      ws = new WebSocket(this.#url());
    } catch {
      this.#again();
      return;
    }
    this.#ws = ws;
    this.#begun = Date.now();
    this.#due = this.#begun + Math.min(longestPatience, openPatience * (1 + this.#missed++));
    ws.onopen = () => this.#hello(ws);
    ws.onmessage = (e) => this.#take(ws, String(e.data));
    ws.onclose = (e) => this.#lost(ws, e.code);
    if (this.attentive) this.#spareLater();
  }

  #hello(ws: WebSocket): void {
    if (ws !== this.#ws) return;
    this.#calm();
    this.#seq = 0;
    this.#helloMs = Date.now();
    this.#due = this.#helloMs + Math.min(longestPatience, openPatience * (1 + this.#missed)); // it has come that far
    const kept = this.credentials();
    const token = this.#opts.token?.();
    this.#raw("hello", {
      version,
      role: this.#opts.role,
      lang: this.#opts.lang,
      agent: this.#opts.agent ?? "jedel-web",
      ...(token ? { token } : {}),
      ...(kept ? { resume: kept } : this.#opts.role === "caller" ? { claim: this.claim } : {}),
    });
    this.#hailed = kept !== null;
    if (kept) this.#ahead();
  }

  /** Somebody knows that nothing comes through: another socket is tried beside the present one at once,
   * and others later. The first that opens takes over, unless the present one speaks before. TCP by
   * itself waits longer and longer between its attempts, and a new address needs a new connection anyway. */
  hurry(): void {
    if (this.#scope && this.#spare.size === 0) this.#openSpare();
  }

  #spareLater(): void {
    clearTimeout(this.#spareTimer);
    if (this.thin) return; // each would cost the others their room
    this.#spareTimer = setTimeout(() => this.#openSpare(), firstSpare * 2 ** Math.max(0, this.#tried - 1));
  }

  #openSpare(): void {
    clearTimeout(this.#spareTimer);
    if (!this.#scope || ++this.#tried > spares) return;
    let ws: WebSocket;
    try {
      ws = new WebSocket(this.#url());
    } catch {
      return;
    }
    this.#spare.add(ws);
    ws.onopen = () => this.#switch(ws);
    ws.onclose = () => this.#spare.delete(ws);
    this.#spareLater();
  }

  /** A socket that was tried beside the present one takes its place. */
  #switch(ws: WebSocket): void {
    this.#spare.delete(ws);
    this.#abandon();
    clearTimeout(this.#timer);
    this.#ws = ws;
    this.#begun = Date.now();
    this.#due = this.#begun + openPatience;
    ws.onmessage = (e) => this.#take(ws, String(e.data));
    ws.onclose = (e) => this.#lost(ws, e.code);
    this.#drop();
    if (this.#link === "open") this.#set("lost");
    this.#hello(ws);
  }

  /** The present socket speaks: no other is needed. */
  #calm(): void {
    clearTimeout(this.#spareTimer);
    this.#tried = 0;
    for (const ws of this.#spare) {
      ws.onopen = ws.onclose = null;
      ws.close();
    }
    this.#spare.clear();
  }

  #raw(type: string, body: unknown): number {
    const seq = ++this.#seq;
    this.#ws?.send(JSON.stringify({ type, seq, body }));
    return seq;
  }

  #send(p: Pending): void {
    p.sentMs = Date.now();
    this.#pending.set(this.#raw(p.type, p.body), p);
  }

  #take(ws: WebSocket, data: string): void {
    if (ws !== this.#ws) return;
    this.#heard = Date.now();
    this.#due = this.#heard + (this.thin ? thinSilence : this.attentive ? silenceInCall : silence);
    this.#tellQuiet(false);
    this.#calm();
    const m = JSON.parse(data) as { type: string; re?: number; body: unknown };
    if (m.type === "welcome" || m.type === "relay.renewed") this.iceServers = (m.body as Bodies["relay.renewed"]).iceServers;
    if (m.type === "welcome") this.#welcome(m.body as Welcome);
    const p = m.re ? this.#pending.get(m.re) : undefined;
    if (m.re && p) {
      this.#pending.delete(m.re);
      if (m.type === "error") {
        const e = m.body as Bodies["error"];
        p.fail(new Refusal(e.code, e.words));
      } else p.done(m.body);
      if (this.#waiting.length > 0) this.#release();
      return;
    }
    for (const fn of this.#on.get(m.type) ?? []) (fn as (b: unknown) => void)(m.body);
  }

  #welcome(w: Welcome): void {
    try {
      this.#opts.storage.setItem(this.#place(), JSON.stringify({ client: w.client, key: w.key }));
    } catch {
      // Without storage a reload begins anew; the call is found again by its registration.
    }
    this.#pause = firstPause;
    this.#missed = 0;
    this.#rtt = Date.now() - this.#helloMs;
    this.greeted = true;
    this.#set("open");
    this.#release();
  }

  /** Socket closed: some closings are for good, from others we come back. */
  #lost(ws: WebSocket, code: number): void {
    if (ws !== this.#ws) return;
    this.#ws = null;
    this.#drop();
    if (!this.#scope) return;
    if (code === 4001 || (code === 4002 && this.#opts.role === "console") || code === 4003) {
      this.close();
      return;
    }
    const inCall = this.attentive && this.#link === "open";
    this.#set("lost");
    if (inCall) this.#connect(); // at once: somebody is speaking
    else this.#again();
  }

  /** What was asked over a socket that is gone waits for the next one, or fails. */
  #drop(): void {
    this.#hailed = false;
    for (const p of this.#pending.values()) {
      if (p.again) this.#waiting.push(p);
      else p.fail(new Refusal("unavailable"));
    }
    this.#pending.clear();
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(2 * this.#pause, longestPause);
  }

  /** The network or the person is back: do not wait for the timer, nor for a socket that was opened
   * into the dead network, nor for long on one that was open in the old one. */
  #wake(): void {
    if (this.#link === "open") {
      this.#ping();
      this.#due = Math.min(this.#due, Date.now() + Math.max(wakePatience, 6 * this.#rtt));
    } else if ((this.#link === "lost" || this.#link === "connecting") && Date.now() - this.#begun > 500) {
      this.#abandon();
      this.#pause = firstPause;
      this.#connect();
    }
  }

  /** Lets go of a socket without waiting for its end. */
  #abandon(): WebSocket | null {
    const dead = this.#ws;
    if (!dead) return null;
    dead.onopen = dead.onmessage = dead.onclose = null;
    dead.close();
    return dead;
  }

  #ping(): void {
    if (this.#ws?.readyState !== 1) return;
    const sentMs = Date.now();
    this.#pending.set(this.#raw("ping", {}), { type: "ping", body: {}, again: false, early: false, sentMs, done: () => this.#measured(Date.now() - sentMs), fail: () => {} });
  }

  #beat(): void {
    if (this.attentive && this.#ws) this.#tellQuiet(Date.now() - this.#heard > (this.thin ? thinQuiet : quietAfter));
    if (this.#ws && Date.now() > this.#due) {
      const dead = this.#abandon();
      if (dead) this.#lost(dead, 1006);
    } else if (this.#link === "open" && ++this.#wakeups % ((this.attentive && !this.thin ? pingInCall : pingEvery) / beat) === 0) this.#ping();
  }
}
