/** Reports on this phone: what waits to be sent, and the key by which they are this phone's. Kept in
 * IndexedDB with their files, so that neither a closed tab nor a flat battery loses them. */
export interface Waiting {
  ref: string;
  body: string; // the request, byte by byte as it was sealed when it was made
  sha256: string; // of body
  madeMs: number;
  report: string; // the gateway's name for it; empty: not registered yet
  number: string;
  files: { id: string; name: string; sent: boolean; refused: string; as?: string }[]; // as: announced anew under this name
  failed: string; // why the gateway does not take it; empty: it was not asked or will be again
}

export interface Kept {
  id: string;
  ref: string;
  blob: Blob;
}

const name = "jedel.reports";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const req = indexedDB.open(name, 1);
    req.onupgradeneeded = () => {
      req.result.createObjectStore("waiting", { keyPath: "ref" });
      req.result.createObjectStore("files", { keyPath: "id" });
      req.result.createObjectStore("key");
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

function base64url(raw: Uint8Array): string {
  return btoa(String.fromCharCode(...raw)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

let memory: { key: string; waiting: Map<string, Waiting>; files: Map<string, Kept> } | undefined;

/** A private window may have no storage: then reports live as long as the tab. */
function without(): NonNullable<typeof memory> {
  memory ??= { key: base64url(crypto.getRandomValues(new Uint8Array(16))), waiting: new Map(), files: new Map() };
  return memory;
}

/** The key of this phone's reports; made at the first. */
export async function reportKey(): Promise<string> {
  try {
    const have = await within<unknown>(["key"], "readonly", (t) => t.objectStore("key").get("key") as IDBRequest<unknown>);
    if (typeof have === "string") return have;
    const fresh = base64url(crypto.getRandomValues(new Uint8Array(16)));
    // Asked for twice at once, the second adds nothing: one key is this phone's.
    await within(["key"], "readwrite", (t) => t.objectStore("key").add(fresh, "key")).catch(() => undefined);
    const now = await within<unknown>(["key"], "readonly", (t) => t.objectStore("key").get("key") as IDBRequest<unknown>);
    return typeof now === "string" ? now : without().key;
  } catch {
    return without().key;
  }
}

/** Whether this phone has ever made a report. */
export async function hasKey(): Promise<boolean> {
  if (memory) return true;
  try {
    return typeof (await within<unknown>(["key"], "readonly", (t) => t.objectStore("key").get("key") as IDBRequest<unknown>)) === "string";
  } catch {
    return false;
  }
}

export async function put(w: Waiting, files: Kept[] = []): Promise<void> {
  try {
    await within(["waiting", "files"], "readwrite", (t) => {
      for (const f of files) t.objectStore("files").put(f);
      return t.objectStore("waiting").put(w);
    });
  } catch (err) {
    if (err instanceof DOMException && err.name === "QuotaExceededError") throw err;
    without().waiting.set(w.ref, w);
    for (const f of files) without().files.set(f.id, f);
  }
}

export async function all(): Promise<Waiting[]> {
  let kept: Waiting[] = [];
  try {
    kept = (await within<Waiting[]>(["waiting"], "readonly", (t) => t.objectStore("waiting").getAll() as IDBRequest<Waiting[]>)) ?? [];
  } catch {
    // See without.
  }
  return [...kept, ...(memory?.waiting.values() ?? [])].sort((a, b) => a.madeMs - b.madeMs);
}

export async function file(id: string): Promise<Blob | undefined> {
  const held = memory?.files.get(id);
  if (held) return held.blob;
  try {
    return (await within<Kept>(["files"], "readonly", (t) => t.objectStore("files").get(id) as IDBRequest<Kept>))?.blob;
  } catch {
    return undefined;
  }
}

/** Forgets a report that has arrived, or that its maker took back before it was sent. */
export async function drop(w: Waiting): Promise<void> {
  memory?.waiting.delete(w.ref);
  for (const f of w.files) memory?.files.delete(f.id);
  try {
    await within(["waiting", "files"], "readwrite", (t) => {
      for (const f of w.files) t.objectStore("files").delete(f.id);
      t.objectStore("waiting").delete(w.ref);
      return undefined;
    });
  } catch {
    // It was in memory only.
  }
}

export async function dropFile(id: string): Promise<void> {
  memory?.files.delete(id);
  try {
    await within(["files"], "readwrite", (t) => {
      t.objectStore("files").delete(id);
      return undefined;
    });
  } catch {
    // See drop.
  }
}
