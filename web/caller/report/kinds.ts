/** What may be reported: asked of the gateway, kept for when there is no network. */
import type { Lang } from "../../lib/i18n";

export interface Kind {
  code: string;
  name: Record<Lang, string>;
  plate: boolean;
  report: boolean;
}

const kept = "jedel.kinds";

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
  const kinds = ((await res.json()) as { kinds: Kind[] }).kinds.filter((k) => k.report);
  try {
    localStorage.setItem(kept, JSON.stringify(kinds));
  } catch {
    // They are asked for again.
  }
  return kinds;
}
