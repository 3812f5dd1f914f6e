/** Sends the reports that wait on this phone: at once, when a network comes, and again after a while. */
import { fileId, final, send, UploadRefused } from "../../lib/upload";
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
      // A full disk may refuse even a note of what was sent: it is sent again, and the gateway has it already.
      for (const w of this.state.waiting) if (!w.failed) await this.#one(w).catch(() => undefined);
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
      try {
        await this.#send(w, f, key);
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

  /** Sends one file. What was damaged on its way is sent once more; what comes after its time is announced anew. */
  async #send(w: Waiting, f: Waiting["files"][number], key: string): Promise<void> {
    const blob = await file(f.id);
    if (!blob) throw new UploadRefused("no_such_file");
    for (let tries = 2; ; tries--) {
      try {
        await send(blob, { report: w.report, file: f.as ?? f.id, key }, (part) => {
          this.state.part.set(f.id, part);
          this.#tell();
        });
        return;
      } catch (err) {
        const code = err instanceof UploadRefused ? err.code : "";
        if (tries === 1 || (code !== "wrong_hash" && code !== "too_late")) throw err;
        if (code === "too_late") await this.#announce(w, f, key);
      }
    }
  }

  /** Adds a file to its report that nobody waits for any more. */
  async #announce(w: Waiting, f: Waiting["files"][number], key: string): Promise<void> {
    const declared = ((JSON.parse(w.body) as { files?: { file: string }[] }).files ?? []).find((d) => d.file === f.id);
    const as = fileId();
    const res = await fetch(`/api/v1/reports/${w.report}/amends`, {
      method: "POST", headers: { "X-Report-Key": key }, body: JSON.stringify({ id: as, files: [{ ...declared, file: as }] }),
    });
    if (!res.ok) throw new UploadRefused(res.status < 500 && res.status !== 429 ? "too_late" : "");
    f.as = as;
    await put(w);
  }

  /** Tries a refused file again. */
  async again(w: Waiting, id: string): Promise<void> {
    for (const f of w.files) if (f.id === id) f.refused = "";
    await put(w);
    this.wake();
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

let one: Sender | undefined;

/** The sender of this page. */
export function sender(): Sender {
  one ??= new Sender();
  return one;
}
