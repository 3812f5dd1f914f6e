import type { GuestMode, OperatorRow, StaffSelf } from "../lib/wire.gen";
import type { View } from "./view";

/** The modes in the order of their buttons. */
export const guestModes: readonly GuestMode[] = ["listen", "whisper", "speak"];

/** May this person listen to the calls of others? */
export function mayListen(staff: StaffSelf | undefined): boolean {
  return staff?.roles.includes("supervisor") ?? false;
}

/** The call that a key means: the one this person is a guest in, else the longest under way. */
export function keyed(view: View, here: string | undefined): string | undefined {
  if (!mayListen(view.staff) || view.card) return undefined;
  if (here) return here;
  const others = (view.state?.operators ?? []).filter((r: OperatorRow) => r.call && r.staff !== view.staff?.staff);
  return others.toSorted((a, b) => a.sinceMs - b.sinceMs)[0]?.call;
}
