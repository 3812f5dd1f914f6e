/** Voice notes: recorded while somebody holds a button, sent in small pieces already while they speak. */
import { fileId } from "../lib/ids";
import type { RequestOptions } from "../lib/socket";
import type { Bodies, VoiceHave } from "../lib/wire.gen";

const bitsPerSecond = 8000; // Opus that is still understood
const pieceBytes = 1200; // with what is around it about one packet of the network
const window = 3; // pieces on their way
const longest = 60_000;
const pause = 1500;
const pieceTime = 20_000;

export interface Note {
  id: string;
  ms: number; // how long it is
  part: number; // 0 to 1 of what there is has arrived
  state: "recording" | "sending" | "sent" | "failed";
  url?: string; // to be heard by who spoke it, once it is whole; of this page alone
}

export interface NoteWays {
  request: (type: "voice.piece", body: Bodies["voice.piece"], options: RequestOptions) => Promise<unknown>;
  /** The call it belongs to; null: not yet. */
  call: () => string | null;
  changed: (n: Note) => void;
}

const types = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/** Whether this browser can record. */
export function canRecord(): boolean {
  return typeof MediaRecorder !== "undefined";
}

function base64(b: Uint8Array): string {
  let s = "";
  for (const x of b) s += String.fromCharCode(x);
  return btoa(s);
}

/** One note from the first sound to its last byte at the gateway. */
export class Recording {
  readonly note: Note = { id: fileId(), ms: 0, part: 0, state: "recording" };
  readonly #ways: NoteWays;
  readonly #recorder: MediaRecorder;
  readonly #began = performance.now();
  readonly #limit: ReturnType<typeof setTimeout>;
  #bytes = new Uint8Array(0);
  #reading: Promise<void> = Promise.resolve();
  #whole = false;
  #next = 0; // the first byte that has not been sent
  #have = 0; // bytes at the gateway
  #flying = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(track: MediaStreamTrack, ways: NoteWays) {
    this.#ways = ways;
    const mimeType = types.find((t) => MediaRecorder.isTypeSupported(t));
    this.#recorder = new MediaRecorder(new MediaStream([track]), { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: bitsPerSecond });
    this.#recorder.ondataavailable = (e) => this.#add(e.data, false);
    this.#recorder.onstop = () => this.#add(null, true);
    this.#recorder.start(1000);
    this.#limit = setTimeout(() => this.stop(), longest);
    this.#tell("recording");
  }

  stop(): void {
    clearTimeout(this.#limit);
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  /** Sends again what has not arrived. */
  retry(): void {
    this.#next = this.#have;
    this.#tell("sending");
    this.#pump();
  }

  #tell(state: Note["state"]): void {
    this.note.state = state;
    if (!this.#whole) this.note.ms = performance.now() - this.#began;
    this.note.part = this.#bytes.length > 0 ? this.#have / this.#bytes.length : 0;
    this.#ways.changed({ ...this.note });
  }

  #add(data: Blob | null, whole: boolean): void {
    this.#reading = this.#reading.then(async () => {
      if (data && data.size > 0) {
        const more = new Uint8Array(await data.arrayBuffer());
        const all = new Uint8Array(this.#bytes.length + more.length);
        all.set(this.#bytes, 0);
        all.set(more, this.#bytes.length);
        this.#bytes = all;
      }
      if (whole) {
        this.note.ms = performance.now() - this.#began;
        this.#whole = true;
        this.note.url = URL.createObjectURL(new Blob([this.#bytes], { type: this.#recorder.mimeType }));
      }
      this.#tell(whole ? "sending" : this.note.state);
      this.#pump();
    });
  }

  /** Keeps a few pieces on their way; while somebody speaks only whole ones. */
  #pump(): void {
    const call = this.#ways.call();
    if (!call) {
      this.#later();
      return;
    }
    while (this.#flying < window && this.note.state !== "sent" && this.note.state !== "failed") {
      const left = this.#bytes.length - this.#next;
      const end = this.#whole && left <= pieceBytes;
      if (!end && left < pieceBytes) return;
      if (end && this.#next > this.#have) return; // the last one when all before it have arrived
      const from = this.#next;
      const data = this.#bytes.slice(from, from + pieceBytes);
      this.#next += data.length;
      this.#flying++;
      void this.#send(call, from, data, end);
      if (end) return;
    }
  }

  async #send(call: string, from: number, data: Uint8Array, end: boolean): Promise<void> {
    let wait = 0;
    try {
      const got = (await this.#ways.request("voice.piece", { call, note: this.note.id, from, data: base64(data), ...(end ? { end } : {}) }, { again: true, timeoutMs: pieceTime })) as VoiceHave;
      this.#have = Math.max(this.#have, got.bytes);
      if (got.bytes < from + data.length) this.#next = Math.min(this.#next, got.bytes); // an earlier one was lost, or the gateway began anew
      if (got.done) return this.#tell("sent");
    } catch (err) {
      const code = (err as { code?: string }).code;
      if (code && code !== "unavailable" && code !== "rate_limited") return this.#tell("failed");
      this.#next = Math.min(this.#next, from);
      wait = pause;
    } finally {
      this.#flying--;
    }
    if (this.note.state === "sent" || this.note.state === "failed") return;
    this.#tell(this.note.state);
    if (wait) this.#later();
    else this.#pump();
  }

  #later(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#pump(), pause);
  }
}
