/** Pure: what the page works out from the answers. */
import type { Account } from "./rest";

export const roles = ["operator", "dispatcher", "camera", "navigation", "supervisor", "investigator", "administrator", "patrol"] as const;
/** Roles that open evidence or give others: a second person approves them. */
export const sensitive: readonly string[] = ["supervisor", "investigator", "administrator"];

/** Where the page stands, from what follows the # in its address. */
export type Place = { page: "accounts" | "new" | "changes" | "me" } | { page: "account"; staff: string } | { page: "invited"; token: string };

export function place(hash: string): Place {
  const text = hash.replace(/^#/, "");
  if (text.startsWith("invite=")) return { page: "invited", token: text.slice(7) };
  if (text.startsWith("account/")) return { page: "account", staff: text.slice(8) };
  if (text === "new" || text === "changes" || text === "me") return { page: text };
  return { page: "accounts" };
}

/** Accounts that somebody looks for: every word in name, login, unit or a role's name. */
export function found(all: Account[], text: string, roleName: (role: string) => string): Account[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((a) => {
    const hay = [a.name, a.login, a.unit, ...a.roles.map(roleName), ...a.pending.map(roleName)].join(" ").toLocaleLowerCase();
    return words.every((w) => hay.includes(w));
  });
}

export type State = "disabled" | "invited" | "waiting" | "working";

/** One word for how an account stands. */
export function state(a: Account): State {
  if (a.disabled) return "disabled";
  if (!a.local && !a.linked) return "invited";
  return a.pending.length > 0 ? "waiting" : "working";
}

/** Whether other roles are ticked than the account has or waits for. */
export function differs(a: Account, ticked: string[]): boolean {
  return [...a.roles, ...a.pending].sort().join() !== [...ticked].sort().join();
}

/** The roles that will wait for a second person if these are asked for. */
export function willWait(a: Pick<Account, "roles">, ticked: string[]): string[] {
  return ticked.filter((r) => sensitive.includes(r) && !a.roles.includes(r));
}
