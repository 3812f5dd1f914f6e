/** What an operator has written or chosen about a call and the gateway does not have yet. */
export interface Draft {
  note?: string;
  chat?: string;
  category?: string;
  outcome?: string;
}

const prefix = "jedel.console.draft.";
const keep = 5;

/** Drafts outlive a reload and a crash; those of old calls make room for new ones. */
export class Drafts {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  read(call: string): Draft {
    try {
      const kept: unknown = JSON.parse(this.#storage.getItem(prefix + call) ?? "{}");
      if (typeof kept !== "object" || kept === null) return {};
      return Object.fromEntries(Object.entries(kept).filter(([, v]) => typeof v === "string"));
    } catch {
      return {};
    }
  }

  /** Merges; an undefined member forgets it. */
  write(call: string, change: Draft): void {
    const draft = { ...this.read(call), ...change, at: String(Date.now()) };
    try {
      this.#storage.setItem(prefix + call, JSON.stringify(draft));
      this.#prune(call);
    } catch {
      // Storage is full or forbidden: the text is still in the field.
    }
  }

  forget(call: string): void {
    this.#storage.removeItem(prefix + call);
  }

  /** The present call's draft stays, and the newest of the others. */
  #prune(call: string): void {
    const keys = Object.keys(this.#storage).filter((k) => k.startsWith(prefix) && k !== prefix + call);
    const age = (k: string) => Number((this.read(k.slice(prefix.length)) as { at?: string }).at ?? 0);
    for (const k of keys.toSorted((a, b) => age(b) - age(a)).slice(keep - 1)) this.#storage.removeItem(k);
  }
}
