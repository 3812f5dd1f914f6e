/** What waits on this phone: words not told yet and files not sent yet. In IndexedDB, so that neither a
 * closed tab nor a flat battery loses them; without it, as long as the tab lives. */
import type { Said } from "./words";

/** A photo or video for a case. */
export interface Shot {
  id: string; // as the gateway knows it
  who: string;
  case: string;
  number: string;
  name: string;
  mime: string;
  bytes: number;
  sha256: string; // empty: not read yet
  capturedMs: number;
  lat?: number;
  lon?: number;
  accuracyM?: number;
  recording: string; // empty: not declared yet
  state: "waits" | "sent" | "refused";
  code: string; // why it was refused
}

const name = "jedel.patrol";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const req = indexedDB.open(name, 1);
    req.onupgradeneeded = () => {
      req.result.createObjectStore("said", { autoIncrement: true });
      req.result.createObjectStore("shots", { keyPath: "id" });
      req.result.createObjectStore("blobs");
    };
    req.onsuccess = () => resolve(req.result);
    req.onerror = () => reject(req.error ?? new Error("no storage"));
  });
}

/** Does work in one transaction and resolves once it is on the disk. */
async function within<T>(stores: string[], mode: IDBTransactionMode, work: (t: IDBTransaction) => IDBRequest<T> | undefined): Promise<T | undefined> {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const t = db.transaction(stores, mode, { durability: "strict" });
      const req = work(t);
      t.oncomplete = () => resolve(req?.result);
      t.onerror = () => reject(t.error ?? new Error("storage failed"));
      t.onabort = () => reject(t.error ?? new Error("storage is full"));
    });
  } finally {
    db.close();
  }
}

/** The shelf of this phone. */
export class Shelf {
  #memory = new Map<string, Blob>();

  /** Keeps the line as it is now. False: it lives as long as the tab. */
  async keepSaid(line: readonly Said[]): Promise<boolean> {
    try {
      await within(["said"], "readwrite", (t) => {
        const store = t.objectStore("said");
        store.clear();
        for (const s of line) store.add(s);
        return undefined;
      });
      return true;
    } catch {
      return false;
    }
  }

  async said(): Promise<Said[]> {
    try {
      return (await within<Said[]>(["said"], "readonly", (t) => t.objectStore("said").getAll() as IDBRequest<Said[]>)) ?? [];
    } catch {
      return [];
    }
  }

  /** Keeps what is known of a file, and with blob the file itself. */
  async keepShot(s: Shot, blob?: Blob): Promise<void> {
    try {
      await within(["shots", "blobs"], "readwrite", (t) => {
        if (blob) t.objectStore("blobs").put(blob, s.id);
        return t.objectStore("shots").put(s);
      });
    } catch {
      if (blob) this.#memory.set(s.id, blob);
    }
  }

  async shots(): Promise<Shot[]> {
    try {
      return (await within<Shot[]>(["shots"], "readonly", (t) => t.objectStore("shots").getAll() as IDBRequest<Shot[]>)) ?? [];
    } catch {
      return [];
    }
  }

  async blob(id: string): Promise<Blob | undefined> {
    const held = this.#memory.get(id);
    if (held) return held;
    try {
      return await within<Blob>(["blobs"], "readonly", (t) => t.objectStore("blobs").get(id) as IDBRequest<Blob>);
    } catch {
      return undefined;
    }
  }

  /** Forgets a file that has arrived or never will: the phone keeps no pictures of a case. */
  async drop(id: string): Promise<void> {
    this.#memory.delete(id);
    try {
      await within(["shots", "blobs"], "readwrite", (t) => {
        t.objectStore("blobs").delete(id);
        t.objectStore("shots").delete(id);
        return undefined;
      });
    } catch {
      // It was in memory only.
    }
  }
}
