/** What somebody has typed about a case and not sent. It outlives a reload, a crash and a refusal. */
export interface CaseDraft {
  note?: string;
  plate?: string;
  name?: string;
  role?: string;
  phone?: string;
  place?: string;
  outcome?: string;
  reply?: string;
}

const prefix = "jedel.console.case.";
const keep = 20;

/** The drafts of one person in this browser; old ones make room. Nobody else who signs in here sees them. */
export class CaseDrafts {
  readonly #storage: Storage;
  readonly #prefix: string;

  constructor(storage: Storage, staff: string) {
    this.#storage = storage;
    this.#prefix = `${prefix}${staff}.`;
  }

  read(id: string): CaseDraft {
    try {
      const kept: unknown = JSON.parse(this.#storage.getItem(this.#prefix + id) ?? "{}");
      if (typeof kept !== "object" || kept === null) return {};
      return Object.fromEntries(Object.entries(kept).filter(([k, v]) => k !== "at" && typeof v === "string"));
    } catch {
      return {};
    }
  }

  /** Merges; an empty member forgets it. */
  write(id: string, change: CaseDraft, nowMs: number): CaseDraft {
    const draft = Object.fromEntries(Object.entries({ ...this.read(id), ...change }).filter(([, v]) => v));
    try {
      if (Object.keys(draft).length === 0) this.#storage.removeItem(this.#prefix + id);
      else this.#storage.setItem(this.#prefix + id, JSON.stringify({ ...draft, at: nowMs }));
      this.#prune();
    } catch {
      // Storage is full or forbidden: the text is still in the field.
    }
    return draft;
  }

  #prune(): void {
    const keys = Object.keys(this.#storage).filter((k) => k.startsWith(prefix));
    if (keys.length <= keep) return;
    const at = (k: string): number => {
      try {
        return Number((JSON.parse(this.#storage.getItem(k) ?? "{}") as { at?: number }).at ?? 0);
      } catch {
        return 0;
      }
    };
    for (const k of keys.toSorted((a, b) => at(b) - at(a)).slice(keep)) this.#storage.removeItem(k);
  }
}

/**
 * Pure: the reply to show. What somebody wrote stays, whatever outcome they choose afterwards; what is still
 * the usual reply of some outcome follows the outcome.
 */
export function replyOf(written: string | undefined, outcome: string, usual: { code: string; reply: string }[]): string {
  const of = usual.find((o) => o.code === outcome)?.reply ?? "";
  if (written === undefined || written === "" || usual.some((o) => o.reply === written)) return of;
  return written;
}
