/** Calls and words as single datagrams, by every way that a page has: the data channel, and HTTP beside a socket that is not
 * up or does not answer. The first to arrive counts; whatever comes twice is one. */
import type { Session } from "../lib/socket";
import type { CallKind, Fix } from "../lib/wire.gen";
import { bitsOf, frame, hex, maxFrame, maxText, type Message, type Receipt, receipt, sealOf, type Sender, unhex } from "./sos";
import { read, write } from "./store";

const channelAt = [0, 500, 1500, 3500, 7000]; // a datagram that is lost is lost for good
const httpFirst = 2500; // beside a socket that is open
const httpEvery = 4000;
const httpPatience = 12000;
const pollEvery = 5000;
const countKey = "jedel.n";

export interface Ways {
  session: Session;
  /** Sends bytes by the data channel; false where it is not open. */
  datagram: (b: Uint8Array<ArrayBuffer>) => boolean;
  /** What to make of a receipt. */
  told: (r: Receipt) => void;
}

/** One message on its way. */
interface Errand {
  n: number;
  bytes: Uint8Array<ArrayBuffer>;
  sender: Sender;
  timers: ReturnType<typeof setTimeout>[];
  posts: number;
}

export class Single {
  readonly #ways: Ways;
  readonly #errands = new Map<number, Errand>();
  #ref: Uint8Array<ArrayBuffer> | null = null;
  #kind: CallKind = "voice";
  #lang = "kk";
  #battery: number | null = null;
  #poll: ReturnType<typeof setInterval> | undefined;
  #have = 0;
  #part = 0;
  #line = "";
  #sender: { of: string; it: Sender } | null = null;

  constructor(ways: Ways) {
    this.#ways = ways;
    const phone = navigator as { getBattery?: () => Promise<{ level: number }> };
    void phone.getBattery?.().then((b) => (this.#battery = Math.round(100 * b.level)), () => undefined);
  }

  /** The tap. ref is a UUID, the same as call.create's. */
  begin(ref: string, kind: CallKind, lang: string, fix: Fix | null): void {
    this.stop();
    this.#ref = unhex(ref);
    this.#kind = kind;
    this.#lang = lang;
    this.#have = this.#part = 0;
    write(countKey, "0");
    void this.#go(0, fix, "");
  }

  /** The page was loaded anew in a call that stands. */
  resume(ref: string | undefined, kind: CallKind, lang: string): void {
    if (!ref || ref.length !== 36 || this.#ref) return;
    this.#ref = unhex(ref);
    this.#kind = kind;
    this.#lang = lang;
  }

  /** What may go out as one datagram beside the socket, and the name that it has there: the same by both is one. */
  name(text: string): { n: number; id: string } | null {
    if (!this.#ref || new TextEncoder().encode(text).length > maxText) return null;
    const n = Number(read(countKey) ?? 0) + 1;
    write(countKey, String(n));
    return { n, id: `sos-${hex(this.#ref.slice(0, 4))}-${n}` };
  }

  say(n: number, text: string, fix: Fix | null): void {
    void this.#go(n, fix, text);
  }

  /** It has arrived by another way. */
  done(n: number): void {
    for (const timer of this.#errands.get(n)?.timers ?? []) clearTimeout(timer);
    this.#errands.delete(n);
  }

  /** Asks for the operator's words as long as there is no socket that would bring them. */
  listen(on: boolean): void {
    if (on === (this.#poll !== undefined)) return;
    clearInterval(this.#poll);
    this.#poll = on && this.#ref ? setInterval(() => void this.#ask(), pollEvery) : undefined;
  }

  /** The newest line that came by the socket need not come again. */
  heard(line: number): void {
    if (line > this.#have) [this.#have, this.#part, this.#line] = [line, 0, ""];
  }

  stop(): void {
    for (const n of [...this.#errands.keys()]) this.done(n);
    this.listen(false);
    this.#ref = null;
  }

  /** A receipt that came by the data channel. */
  async take(b: Uint8Array<ArrayBuffer>): Promise<void> {
    const s = await this.#who();
    const r = s && (await receipt(s, b));
    if (r) this.#told(r);
  }

  async #who(): Promise<Sender | null> {
    const known = this.#ways.session.credentials();
    const of = known?.key ?? "";
    if (this.#sender?.of === of) return this.#sender.it;
    if (!known) {
      this.#sender = { of, it: { from: unhex(this.#ways.session.claim), key: null } };
      return this.#sender.it;
    }
    const key = await sealOf(known.key);
    if (!key) return null; // in the open it would be another client
    this.#sender = { of, it: { from: bitsOf(known.client), key } };
    return this.#sender.it;
  }

  async #make(s: Sender, n: number, more: Partial<Message>): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!this.#ref) return null;
    const m: Message = { ref: this.#ref, n, sentMs: Date.now(), kind: this.#kind, lang: this.#lang, battery: this.#battery, fix: null, text: "", have: this.#have, part: this.#part, ...more };
    return frame(s, m, maxFrame);
  }

  async #go(n: number, fix: Fix | null, text: string): Promise<void> {
    const sender = await this.#who();
    const bytes = sender && (await this.#make(sender, n, { fix, text }));
    if (!sender || !bytes) return;
    const e: Errand = { n, bytes, sender, timers: [], posts: 0 };
    this.#errands.set(n, e);
    for (const at of channelAt) e.timers.push(setTimeout(() => this.#ways.datagram(e.bytes), at));
    e.timers.push(setTimeout(() => this.#post(e), this.#ways.session.link === "open" ? httpFirst : 0));
  }

  #post(e: Errand): void {
    if (!this.#errands.has(e.n)) return;
    e.timers.push(setTimeout(() => this.#post(e), httpEvery * Math.min(4, ++e.posts)));
    void this.#send(e.bytes, e.sender);
  }

  async #send(bytes: Uint8Array<ArrayBuffer>, s: Sender): Promise<void> {
    try {
      const r = await fetch("/api/v1/sos", { method: "POST", body: bytes, keepalive: true, headers: { "Content-Type": "application/octet-stream" }, signal: AbortSignal.timeout(httpPatience) });
      const got = r.ok ? await receipt(s, new Uint8Array(await r.arrayBuffer())) : null;
      if (got) this.#told(got);
    } catch {
      // The next attempt is on its way already.
    }
  }

  async #ask(): Promise<void> {
    const s = await this.#who();
    const bytes = s && (await this.#make(s, 0, { poll: true }));
    if (s && bytes) await this.#send(bytes, s);
  }

  #told(r: Receipt): void {
    if (r.status === "registered" || r.status === "over") this.done(r.n);
    if (r.line > this.#have && r.part === this.#part) {
      this.#line += r.text;
      this.#part++;
      if (r.last) {
        const text = this.#line;
        this.heard(r.line);
        this.#ways.told({ ...r, text });
        if (r.more) void this.#ask();
        return;
      }
      void this.#ask();
    }
    this.#ways.told({ ...r, text: "" });
  }
}
