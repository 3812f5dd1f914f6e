import type { StaffSelf } from "../lib/wire.gen";

/**
 * Which role may see what, as internal/access says it. It decides what is shown: what is done, the
 * gateway decides, also by unit. may.test.ts holds the two together.
 */
export const table = {
  take_calls: ["operator", "dispatcher"],
  listen: ["supervisor"],
  read_cases: ["operator", "dispatcher", "camera", "navigation", "supervisor", "investigator", "patrol"],
  edit_cases: ["operator", "supervisor", "dispatcher", "navigation"],
  dispatch: ["supervisor", "dispatcher"],
  see_cameras: ["operator", "dispatcher", "camera", "supervisor"],
  see_stats: ["supervisor", "administrator"],
  see_shifts: ["operator", "dispatcher", "camera", "navigation", "supervisor", "administrator", "patrol"],
  manage_shifts: ["supervisor"],
  play: ["supervisor", "investigator"],
} as const;
export type Action = keyof typeof table;

/** May this person do it, be it in their own unit only? */
export function may(staff: StaffSelf | undefined, action: Action): boolean {
  return staff?.roles.some((r) => (table[action] as readonly string[]).includes(r)) ?? false;
}
