/** What may be reported: asked of the gateway, kept for when there is no network. */
import type { Lang } from "../../lib/i18n";

export interface Kind {
  code: string;
  name: Record<Lang, string>;
  plate: boolean;
  report: boolean;
}

/** What files may be, as the gateway takes them. */
export interface Limits {
  photoBytes: number;
  videoBytes: number;
  files: number;
}

const kept = "jedel.kinds";
const keptLimitsKey = "jedel.limits";
const usual: Limits = { photoBytes: 25 << 20, videoBytes: 500 << 20, files: 20 };

export function keptLimits(): Limits {
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(keptLimitsKey) ?? "{}") as Partial<Limits>) };
  } catch {
    return usual;
  }
}

export function keptKinds(): Kind[] {
  try {
    return JSON.parse(localStorage.getItem(kept) ?? "[]") as Kind[];
  } catch {
    return [];
  }
}

export async function askKinds(): Promise<Kind[]> {
  const res = await fetch("/api/v1/cases/choices");
  if (!res.ok) throw new Error(String(res.status));
  const said = (await res.json()) as { kinds: Kind[]; limits: Limits };
  const kinds = said.kinds.filter((k) => k.report);
  try {
    localStorage.setItem(keptLimitsKey, JSON.stringify(said.limits));
    localStorage.setItem(kept, JSON.stringify(kinds));
  } catch {
    // They are asked for again.
  }
  return kinds;
}
