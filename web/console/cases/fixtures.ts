import { moment } from "../fixtures";
import type { CaseItem } from "./model";

/** A case for tests. */
export function caseItem(change: Partial<CaseItem> = {}): CaseItem {
  return {
    case: "c", number: "26-000001", version: 1, lane: "report", kind: "noise", priority: 3, unit: "", status: "registered", owner: "", ownerName: "", handing: "", handingName: "",
    outcome: "", into: "", openedMs: moment, sinceMs: moment, sentMs: 0, arrivedMs: 0, closedMs: 0, repliedMs: 0, name: "", place: "", text: "", plate: "", files: 0, patrols: [],
    late: false, why: [], alike: [], ...change,
  };
}
