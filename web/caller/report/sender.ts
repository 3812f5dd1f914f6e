/** Sends the reports that wait on this phone: at once, when a network comes, and again after a while. */
import { send, UploadRefused } from "../../lib/upload";
import { all, drop, dropFile, file, put, reportKey, type Waiting } from "./shelf";

export interface Receipt {
  report: string;
  number: string;
  atMs: number;
  sha256: string;
}

export interface Progress {
  waiting: Waiting[];
  part: Map<string, number>; // of a file that is on its way, 0 to 1
  receipts: Map<string, Receipt>; // by ref, of this visit
  busy: boolean;
}

const soonest = 5000;
const latest = 60000;

class Sender {
  state: Progress = { waiting: [], part: new Map(), receipts: new Map(), busy: false };
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = soonest;
  #again = false;

  constructor() {
    addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  subscribe(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  #tell(): void {
    for (const f of this.#listeners) f();
  }

  /** Looks at what waits now. */
  wake(): void {
    this.#pause = soonest;
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.state.busy) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.state.busy = true;
    do {
      this.#again = false;
      this.state.waiting = await all();
      this.#tell();
      for (const w of this.state.waiting) if (!w.failed) await this.#one(w);
      this.state.waiting = await all();
    } while (this.#again);
    this.state.busy = false;
    this.#tell();
    if (!this.state.waiting.some((w) => !w.failed)) return;
    this.#timer = setTimeout(() => void this.#run(), this.#pause);
    this.#pause = Math.min(latest, this.#pause * 2);
  }

  async #one(w: Waiting): Promise<void> {
    const key = await reportKey();
    if (!w.report && !(await this.#register(w, key))) return;
    for (const f of w.files) {
      if (f.sent || f.refused) continue;
      const blob = await file(f.id);
      try {
        if (!blob) throw new UploadRefused("no_such_file");
        await send(blob, { report: w.report, file: f.id, key }, (part) => {
          this.state.part.set(f.id, part);
          this.#tell();
        });
        f.sent = true;
      } catch (err) {
        const code = err instanceof UploadRefused ? err.code : "";
        if (!final.has(code)) return; // it waits for a better network
        f.refused = code;
      }
      await put(w);
      if (f.sent) await dropFile(f.id);
      this.state.part.delete(f.id);
    }
    if (w.files.every((f) => f.sent)) await drop(w);
  }

  /** Registers a report. False: it waits, or the gateway does not take it. */
  async #register(w: Waiting, key: string): Promise<boolean> {
    let res: Response;
    try {
      const token = localStorage.getItem("jedel.caller.token");
      res = await fetch("/api/v1/reports", {
        method: "POST", body: w.body, headers: { "X-Report-Key": key, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      });
    } catch {
      return false;
    }
    if (!res.ok) {
      if (res.status !== 429 && res.status < 500) {
        const v = (await res.json().catch(() => ({}))) as { error?: { code?: string } };
        w.failed = v.error?.code ?? "bad_message";
        await put(w);
      }
      return false;
    }
    const receipt = (await res.json()) as Receipt;
    if (receipt.sha256 !== w.sha256) {
      w.failed = "changed"; // what was registered is not what was sealed here
      await put(w);
      return false;
    }
    w.report = receipt.report;
    w.number = receipt.number;
    await put(w);
    this.state.receipts.set(w.ref, receipt);
    this.#tell();
    return true;
  }
}

/** Refusals of a file that another attempt does not change. */
const final = new Set(["bad_file", "too_large", "wrong_hash", "no_such_file", "no_such_case", "too_many", "not_signed_in", "forbidden"]);

let one: Sender | undefined;

/** The sender of this page. */
export function sender(): Sender {
  one ??= new Sender();
  return one;
}
