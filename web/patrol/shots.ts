/** Photos and videos on their way into the case: hashed, declared, sent, each going on where it stopped. */
import { final, send, sha256, UploadRefused } from "../lib/upload";
import type { Fix } from "../lib/wire.gen";
import { ask, Refused } from "./rest";
import type { Shelf, Shot } from "./shelf";
import { fate } from "./words";

const soonest = 3000;
const latest = 60000;

export class Shots {
  list: Shot[] = [];
  part = new Map<string, number>(); // of a file on its way, 0 to 1
  readonly #shelf: Shelf;
  readonly #changed: () => void;
  #who = "";
  #busy = false;
  #again = false;
  #pause = soonest;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(shelf: Shelf, changed: () => void) {
    this.#shelf = shelf;
    this.#changed = changed;
  }

  async start(who: string): Promise<void> {
    this.#who = who;
    const have = new Set(this.list.map((s) => s.id));
    this.list = [...(await this.#shelf.shots()).filter((s) => !have.has(s.id) && s.who === who), ...this.list];
    this.#changed();
    this.wake();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#who = "";
  }

  /** Takes a file for a case. It is on the phone before it is sent. */
  async add(file: File, id: string, of: { case: string; number: string }, fix: Fix | undefined): Promise<void> {
    const s: Shot = {
      id, who: this.#who, case: of.case, number: of.number, name: file.name.slice(0, 60) || "photo", mime: file.type.slice(0, 100), bytes: file.size, sha256: "",
      capturedMs: Math.min(file.lastModified || Date.now(), Date.now()), recording: "", state: "waits", code: "",
      ...(fix ? { lat: fix.lat, lon: fix.lon, accuracyM: fix.accuracyM } : {}),
    };
    this.list = [...this.list, s];
    this.#changed();
    await this.#shelf.keepShot(s, file);
    this.wake();
  }

  wake(): void {
    this.#pause = soonest;
    void this.#run();
  }

  /** Forgets a file that was refused, once somebody has read why. */
  async read(id: string): Promise<void> {
    this.list = this.list.filter((s) => s.id !== id);
    this.#changed();
    await this.#shelf.drop(id);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    do {
      this.#again = false;
      for (const s of this.list.filter((x) => x.state === "waits")) if (!(await this.#one(s))) break;
    } while (this.#again);
    this.#busy = false;
    this.#changed();
    if (this.#who === "" || !this.list.some((s) => s.state === "waits")) return;
    this.#timer = setTimeout(() => void this.#run(), this.#pause);
    this.#pause = Math.min(latest, this.#pause * 2);
  }

  /** Brings one file further. False: there is no network for it now. */
  async #one(s: Shot): Promise<boolean> {
    const blob = await this.#shelf.blob(s.id);
    if (!blob) return this.#end(s, "refused", "no_such_file");
    try {
      if (!s.sha256) s.sha256 = await sha256(blob);
      if (!s.recording) {
        s.recording = await declare(s);
        await this.#shelf.keepShot(s);
      }
      await send(blob, { report: s.recording, file: s.id }, (part) => {
        this.part.set(s.id, part);
        this.#changed();
      });
      return this.#end(s, "sent", "");
    } catch (err) {
      if (err instanceof Refused && fate(err.status) === "refused") return this.#end(s, "refused", err.code);
      if (err instanceof UploadRefused && final.has(err.code) && err.code !== "not_signed_in") return this.#end(s, "refused", err.code);
      // A browser may have thrown the content away; the files behind it wait for nothing.
      if (err instanceof DOMException && (err.name === "NotReadableError" || err.name === "NotFoundError")) return this.#end(s, "refused", "no_such_file");
      return false;
    }
  }

  async #end(s: Shot, state: "sent" | "refused", code: string): Promise<boolean> {
    s.state = state;
    s.code = code;
    this.part.delete(s.id);
    if (state === "sent") await this.#shelf.drop(s.id);
    else await this.#shelf.keepShot(s);
    this.#changed();
    return true;
  }
}

/** Registers a file as a recording of its case and returns that. Declared again it is the same one. */
async function declare(s: Shot): Promise<string> {
  const file: Record<string, unknown> = { file: s.id, bytes: s.bytes, sha256: s.sha256, name: s.name, mime: s.mime, capturedMs: s.capturedMs };
  if (s.lat !== undefined) Object.assign(file, { lat: s.lat, lon: s.lon, accuracyM: s.accuracyM });
  return (await ask<{ call: string }>("POST", `/cases/${encodeURIComponent(s.case)}/files`, { ref: s.id, files: [file] })).call;
}
