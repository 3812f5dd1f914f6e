import type { Detail, Media } from "./rest";

interface Body { operator?: unknown; by?: unknown }

/** Pure: the name of the operator whose medium it is, where it is known. A call that was handed or taken
 * over has several operators; its row names the last. */
export function operatorName(m: Pick<Media, "participant">, d: { row: Pick<Detail["row"], "operator">; timeline: Pick<Detail["timeline"], "events"> }): string {
  let last: string | undefined;
  for (const e of d.timeline.events) {
    const body = (e.details as { body?: Body } | null)?.body;
    const owner = e.kind === "accepted" ? body?.operator : e.kind === "taken_over" ? body?.by : undefined;
    if (typeof owner === "string") last = owner;
  }
  return last === undefined || m.participant === `operator-${last}` ? d.row.operator : "";
}
