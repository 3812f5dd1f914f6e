/** Looks at one camera by WHEP. There is one connection that brings the picture; when it does not come up or the picture stops, another
 * is made beside it and takes its place when it is better. Nothing here waits for the states of ICE, which come after five to fifteen
 * seconds. Ended by close. */
import { Sight } from "./sight";

export type LookState = "connecting" | "live" | "lost" | "refused" | "closed";

/** A refusal of the gateway, by its code. */
export class LookRefusal extends Error {}

const look = 200;
const firstPicture = 1000; // that a connection which is up may take
const patience = 12_000; // for a connection beside the present one
const relaysGood = 9 * 60_000; // the gateway's credentials live a minute longer

interface Events {
  state: (s: LookState, code?: string) => void;
  stream: (s: MediaStream) => void;
}

/** One connection that receives a picture. */
class Eye {
  readonly made = performance.now();
  readonly pc: RTCPeerConnection;
  stream: MediaStream | undefined;
  relays: RTCIceServer[] = []; // for the connection after this
  up = 0; // since when
  packets = 0;
  broken = false;
  refusal = "";
  #viewer: string | undefined; // its address, for the end
  #closed = false;

  constructor(url: string, relays: RTCIceServer[]) {
    const pc = new RTCPeerConnection({ iceServers: relays });
    this.pc = pc;
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.ontrack = (e) => {
      this.stream = e.streams[0] ?? new MediaStream([e.track]);
    };
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === "connected") this.up ||= performance.now();
      this.broken = pc.connectionState === "disconnected" || pc.connectionState === "failed";
    };
    void this.#open(url).catch((err: unknown) => {
      this.broken = true;
      if (err instanceof LookRefusal) this.refusal = err.message;
    });
  }

  get state(): "coming" | "up" | "broken" {
    return this.broken ? "broken" : this.up > 0 ? "up" : "coming";
  }

  /** The offer goes out without waiting for candidates: the gateway answers whoever checks, from wherever. */
  async #open(url: string): Promise<void> {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const r = await fetch(url, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/sdp" }, body: this.pc.localDescription?.sdp ?? "", signal: AbortSignal.timeout(10_000),
    });
    if (r.status !== 201) {
      const code = (await r.json().catch(() => undefined))?.error?.code;
      if (r.status < 500) throw new LookRefusal(code ?? `http_${r.status}`);
      throw new Error(code ?? "unreachable");
    }
    this.#viewer = r.headers.get("Location") ?? undefined;
    this.relays = relaysOf(r.headers.get("Link") ?? "");
    if (this.#closed) return this.#leave();
    await this.pc.setRemoteDescription({ type: "answer", sdp: await r.text() });
  }

  /** Counts the packets of pictures so far. */
  async look(): Promise<void> {
    (await this.pc.getStats()).forEach((s) => {
      if (s.type === "inbound-rtp" && s.kind === "video") this.packets = Math.max(this.packets, Number(s.packetsReceived ?? 0));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.pc.ontrack = this.pc.onconnectionstatechange = null;
    this.pc.close();
    this.#leave();
  }

  #leave(): void {
    if (this.#viewer) fetch(this.#viewer, { method: "DELETE", credentials: "same-origin", keepalive: true }).catch(() => undefined); // the gateway finds out by itself
    this.#viewer = undefined;
  }
}

export class Look {
  readonly #url: string;
  readonly #on: Events;
  readonly #sight = new Sight();
  readonly #timer: ReturnType<typeof setInterval>;
  #eye: Eye;
  #next: Eye | undefined;
  #relays: { at: number; servers: RTCIceServer[] } = { at: 0, servers: [] };
  #shown: MediaStream | undefined;
  #state: LookState = "connecting";

  constructor(camera: string, on: Events) {
    this.#url = `/api/v1/cameras/${encodeURIComponent(camera)}/whep`;
    this.#on = on;
    this.#eye = this.#made();
    this.#sight.began(this.#eye.made);
    this.#timer = setInterval(() => void this.#look(), look);
  }

  /** Ends it. It may be called twice. */
  close(): void {
    if (this.#state !== "closed") this.#end("closed");
  }

  #enter(s: LookState, code?: string): void {
    if (this.#state === s) return;
    this.#state = s;
    this.#on.state(s, code);
  }

  #end(s: LookState, code?: string): void {
    clearInterval(this.#timer);
    this.#eye.close();
    this.#next?.close();
    this.#enter(s, code);
  }

  /** The first connection has no relays, and most need none; its answer lends some to the next. */
  #made(): Eye {
    const { at, servers } = this.#relays;
    return new Eye(this.#url, performance.now() - at < relaysGood ? servers : []);
  }

  async #look(): Promise<void> {
    const eye = this.#eye;
    await Promise.all([eye, this.#next].map((e) => e?.look().catch(() => undefined)));
    if (this.#state === "closed" || this.#state === "refused" || eye !== this.#eye) return;
    const now = performance.now();
    this.#borrow(now);
    if (eye.refusal && eye.up === 0 && !this.#next) return this.#end("refused", eye.refusal);
    if (eye.stream && eye.stream !== this.#shown) {
      this.#shown = eye.stream;
      this.#on.stream(eye.stream);
    }
    this.#sight.packets(now, eye.packets);
    if (this.#next) this.#judge(this.#next, now);
    else if (this.#sight.due(now, eye.state)) {
      if (eye.state !== "coming") this.#enter("lost");
      this.#next = this.#made();
    }
    if (this.#eye.state === "up" && !this.#sight.stopped(now)) this.#enter("live");
  }

  #borrow(now: number): void {
    for (const e of [this.#eye, this.#next]) {
      if (!e || e.relays.length === 0) continue;
      this.#relays = { at: now, servers: e.relays };
      e.relays = [];
    }
  }

  /** The other connection takes over with its first picture, or without one where the present is not up. One that is up and brings no
   * picture tells that the camera is silent. */
  #judge(next: Eye, now: number): void {
    const better = next.up > 0 && !next.broken && (next.packets > 0 || this.#eye.state !== "up");
    if (better) {
      this.#eye.close();
      this.#eye = next;
      this.#next = undefined;
      this.#sight.began(now);
    } else if (next.broken || now - next.made > patience || (next.up > 0 && now - next.up > firstPicture) || (this.#eye.state === "up" && !this.#sight.stopped(now))) {
      next.close();
      this.#next = undefined;
    }
  }
}

/** The relays of a Link header (RFC 9725, section 4.6). */
export function relaysOf(header: string): RTCIceServer[] {
  const out: RTCIceServer[] = [];
  for (const [, urls, rest] of header.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="[^"]*")*)/g)) {
    const of = Object.fromEntries([...(rest ?? "").matchAll(/([\w-]+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    if (of.rel === "ice-server" && urls) out.push({ urls, ...(of.username ? { username: of.username, credential: of.credential ?? "" } : {}) });
  }
  return out;
}
