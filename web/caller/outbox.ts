/** What a caller says otherwise than aloud: written lines, photos and voice notes, each until the gateway has it. */
import type { Peer } from "../lib/peer";
import type { Session } from "../lib/socket";
import type { FileRef } from "../lib/wire.gen";
import { canRecord, type Note, Recording } from "./notes";
import { marked, noted, type View, written } from "./view";

/** The name of a line that goes out as a single datagram too. */
export interface Name {
  n: number;
  id: string;
}

export interface Ways {
  session: Session;
  peer: Peer;
  view: () => View;
  set: (change: Partial<View>) => void;
  /** A name for the single datagram that goes beside a line; null where none does. */
  beside: (text: string) => Name | null;
  single: { say: (n: number, text: string, fix: null) => void; done: (n: number) => void };
  /** The microphone, asked for where it is not there; null: there is none. */
  mic: () => Promise<MediaStreamTrack | null>;
  random: () => string;
}

export class Outbox {
  readonly #ways: Ways;
  readonly #photos = new Map<string, File>();
  readonly #notes = new Map<string, Recording>();
  #recording: Recording | null = null;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  async write(text: string): Promise<void> {
    const w = this.#ways;
    const by = w.beside(text);
    const id = by?.id ?? w.random();
    w.set({ chat: written(w.view().chat, id, text, Date.now()) });
    if (by) w.single.say(by.n, text, null);
    await this.#deliver(id, text);
    if (by && w.view().chat.some((l) => l.id === id && l.seq > 0)) w.single.done(by.n);
  }

  /** What was written before the socket knew the call. */
  sendWaiting(): void {
    for (const l of this.#ways.view().chat) if (l.from === "caller" && l.seq === 0 && !l.note && l.state !== "failed" && !this.#photos.has(l.id)) void this.#deliver(l.id, l.text);
  }

  async retry(id: string): Promise<void> {
    const line = this.#ways.view().chat.find((l) => l.id === id);
    if (!line) return;
    this.#mark(id, "sending");
    const photo = this.#photos.get(id);
    const note = this.#notes.get(id);
    if (note) note.retry();
    else if (photo) await this.#upload(id, photo);
    else await this.#deliver(id, line.text);
  }

  #mark(id: string, state: "sending" | "failed"): void {
    this.#ways.set({ chat: marked(this.#ways.view().chat, id, state) });
  }

  async #deliver(id: string, text: string, file?: string): Promise<void> {
    const call = this.#ways.view().call;
    if (!call) return;
    try {
      await this.#ways.peer.request("chat.send", { call: call.call, id, text, ...(file ? { file } : {}) }, { again: true, timeoutMs: 120000 });
    } catch {
      this.#mark(id, "failed");
    }
  }

  /** Sends a photo as it is: it is evidence. */
  async photo(file: File): Promise<void> {
    const id = this.#ways.random();
    this.#photos.set(id, file);
    this.#ways.set({ chat: written(this.#ways.view().chat, id, file.name, Date.now()) });
    await this.#upload(id, file);
  }

  async #upload(id: string, file: File): Promise<void> {
    const call = this.#ways.view().call;
    const who = this.#ways.session.credentials();
    if (!call || !who) return;
    try {
      const r = await fetch(`/api/v1/calls/${call.call}/files`, {
        method: "POST", body: file,
        headers: { "Content-Type": file.type || "application/octet-stream", "X-File-Name": encodeURIComponent(file.name), "X-Client": who.client, "X-Client-Key": who.key },
      });
      if (!r.ok) {
        const refusal = (await r.json()) as { error?: { code?: string } };
        this.#ways.set({ error: refusal.error?.code ?? "internal" });
        this.#mark(id, "failed");
        return;
      }
      const ref = (await r.json()) as FileRef;
      this.#photos.delete(id);
      await this.#deliver(id, "", ref.file);
    } catch {
      this.#mark(id, "failed");
    }
  }

  /** Begins a voice note. */
  async speak(): Promise<void> {
    const w = this.#ways;
    if (this.#recording || !canRecord()) return;
    w.set({ speaking: Date.now() });
    const mic = await w.mic();
    if (!mic || !w.view().speaking) {
      w.set({ speaking: 0 });
      return;
    }
    mic.enabled = true;
    const r = new Recording(mic, {
      request: (type, body, options) => w.session.request(type, body, options),
      call: () => w.view().call?.call ?? null,
      changed: (n) => this.#noteMoved(n),
    });
    this.#recording = r;
    this.#notes.set(r.note.id, r);
  }

  /** Ends it; what is recorded is sent. */
  spoken(): void {
    this.#ways.set({ speaking: 0 });
    this.#recording?.stop();
    this.#recording = null;
  }

  #noteMoved(n: Note): void {
    if (n.state === "sent") this.#notes.delete(n.id);
    if (n.state !== "recording" && this.#recording?.note.id === n.id) {
      this.#recording = null; // it was long enough
      this.#ways.set({ speaking: 0 });
    }
    const state = n.state === "failed" ? "failed" : n.state === "sent" ? "sent" : "sending";
    this.#ways.set({ chat: noted(this.#ways.view().chat, n.id, { ms: n.ms, part: n.part, url: n.url }, state, Date.now()) });
  }
}
