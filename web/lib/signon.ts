/** Signing in by the organization's identity provider, as every page of staff offers it. */
import type { Lang } from "./i18n";

/** The words of the button; "" where no provider is configured, or nobody can say. */
export async function signOnButton(lang: Lang): Promise<string> {
  try {
    const c = (await (await fetch("/api/v1/config")).json()) as { signOn?: Record<Lang, string> };
    return c.signOn?.[lang] ?? "";
  } catch {
    return "";
  }
}

/** Where the button leads; the provider sends people back to the page. */
export const signOnAt = (page: string) => `/api/v1/staff/oidc?back=/${page}`;

/** The code that a refusal left in the address; "" where there is none. */
export function refusedBy(hash: string): string {
  return /^#refused=([a-z_]{1,40})$/.exec(hash)?.[1] ?? "";
}
