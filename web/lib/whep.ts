/** Looks at one camera by WHEP: one connection, made anew when it is lost, ended by close. */

export type LookState = "connecting" | "live" | "lost" | "refused" | "closed";

/** A refusal of the gateway, by its code. */
export class LookRefusal extends Error {}

const gatherMs = 1000; // host candidates are there at once; a slow machine goes on with what it has
const againMs = [1000, 2000, 5000, 10000];
const patienceMs = 20000; // longer than the gateway's own

interface Events {
  state: (s: LookState, code?: string) => void;
  stream: (s: MediaStream) => void;
}

export class Look {
  readonly #url: string;
  readonly #on: Events;
  #pc: RTCPeerConnection | undefined;
  #viewer: string | undefined; // its address, for the end
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #state: LookState = "connecting";

  constructor(camera: string, on: Events) {
    this.#url = `/api/v1/cameras/${encodeURIComponent(camera)}/whep`;
    this.#on = on;
    void this.#open();
  }

  /** Ends it. It may be called twice. */
  close(): void {
    if (this.#state === "closed") return;
    this.#enter("closed");
    this.#end();
  }

  #enter(s: LookState, code?: string): void {
    this.#state = s;
    this.#on.state(s, code);
  }

  get #closed(): boolean {
    return this.#state === "closed";
  }

  async #open(): Promise<void> {
    const pc = new RTCPeerConnection();
    this.#pc = pc;
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.ontrack = (e) => this.#on.stream(e.streams[0] ?? new MediaStream([e.track]));
    pc.onconnectionstatechange = () => this.#changed(pc);
    this.#timer = setTimeout(() => this.#lost(pc), patienceMs);
    try {
      await pc.setLocalDescription(await pc.createOffer());
      await gathered(pc);
      const answer = await this.#post(pc.localDescription?.sdp ?? "");
      if (this.#closed || this.#pc !== pc) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (err) {
      if (this.#closed || this.#pc !== pc) return;
      if (err instanceof LookRefusal) {
        this.#enter("refused", err.message);
        this.#end();
      } else this.#lost(pc);
    }
  }

  async #post(sdp: string): Promise<string> {
    const r = await fetch(this.#url, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/sdp" }, body: sdp, signal: AbortSignal.timeout(10_000),
    });
    if (r.status !== 201) {
      const code = (await r.json().catch(() => undefined))?.error?.code;
      if (r.status < 500) throw new LookRefusal(code ?? `http_${r.status}`);
      throw new Error(code ?? "unreachable");
    }
    const viewer = r.headers.get("Location") ?? undefined;
    if (this.#closed && viewer) leave(viewer);
    this.#viewer = viewer;
    return r.text();
  }

  #changed(pc: RTCPeerConnection): void {
    if (this.#pc !== pc || this.#closed) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.#timer);
      this.#tries = 0;
      this.#enter("live");
    } else if (pc.connectionState === "disconnected" || pc.connectionState === "failed") this.#lost(pc);
  }

  /** Begins anew after a while. */
  #lost(pc: RTCPeerConnection): void {
    if (this.#pc !== pc || this.#closed) return;
    this.#end();
    this.#enter("lost");
    this.#timer = setTimeout(() => void this.#open(), againMs[Math.min(this.#tries++, againMs.length - 1)]);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#pc?.close();
    this.#pc = undefined;
    if (this.#viewer) leave(this.#viewer);
    this.#viewer = undefined;
  }
}

function leave(viewer: string): void {
  fetch(viewer, { method: "DELETE", credentials: "same-origin", keepalive: true }).catch(() => undefined); // the gateway finds out by itself
}

/** Resolves when all candidates are in the description, or after a moment. */
function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, gatherMs);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
