import { statuses } from "./model";

/** What is looked for; the address says it, so that it can be sent to a colleague. */
export interface Filters {
  text: string;
  show: "open" | "closed" | "all";
  mine: boolean;
  unowned: boolean;
  unanswered: boolean;
  patrol: boolean;
  lane: string;
  kind: string;
  status: string;
  unit: string;
  from: string; // yyyy-mm-dd
  to: string;
  near: string; // lat,lon,metres
  cursor: string;
}

export const nothing: Filters = {
  text: "", show: "open", mine: false, unowned: false, unanswered: false, patrol: false, lane: "", kind: "", status: "", unit: "", from: "", to: "", near: "", cursor: "",
};

const flags = ["mine", "unowned", "unanswered", "patrol"] as const;
const words = ["text", "lane", "kind", "status", "unit", "from", "to", "near", "cursor"] as const;
const longest = 200;

/** Pure: the address in, filters out. What it says amiss counts as not said. */
export function readFilters(q: URLSearchParams): Filters {
  const f: Filters = { ...nothing };
  for (const k of flags) f[k] = q.get(k) === "1";
  for (const k of words) f[k] = (q.get(k) ?? "").slice(0, longest);
  const show = q.get("show");
  f.show = show === "closed" || show === "all" ? show : "open";
  if (!(statuses as readonly string[]).includes(f.status)) f.status = "";
  if (f.lane !== "call" && f.lane !== "report") f.lane = "";
  if (!nearOf(f.near)) f.near = "";
  for (const k of ["from", "to"] as const) if (!Number.isFinite(dayStart(f[k]))) f[k] = "";
  return f;
}

/** Pure: filters as an address, without what is usual. */
export function writeFilters(f: Filters, more: Record<string, string> = {}): URLSearchParams {
  const q = new URLSearchParams();
  for (const k of flags) if (f[k]) q.set(k, "1");
  for (const k of words) if (f[k]) q.set(k, f[k]);
  if (f.show !== "open") q.set("show", f.show);
  for (const [k, v] of Object.entries(more)) if (v) q.set(k, v);
  return q;
}

/** How many things restrict the list, besides the text. */
export function restricted(f: Filters): number {
  return flags.filter((k) => f[k]).length + (["lane", "kind", "status", "unit", "from", "to", "near"] as const).filter((k) => f[k]).length + (f.show === "open" ? 0 : 1);
}

/** The midnight that a day begins with here; NaN for what is no day. */
export function dayStart(day: string): number {
  const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  return m ? new Date(Number(m[1]), Number(m[2]) - 1, Number(m[3])).getTime() : Number.NaN;
}

const dayMs = 86_400_000;

/** "54.87, 69.16, 500" or "54.87 69.16": a place and how far around it, metres. */
export function nearOf(text: string): { lat: number; lon: number; metres: number } | undefined {
  const [lat, lon, metres] = text.trim().split(/[\s,;]+/).map(Number);
  if (lat === undefined || lon === undefined || !(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) return undefined;
  const m = metres ?? 500;
  return m > 0 && m <= 100_000 ? { lat, lon, metres: m } : undefined;
}

/** Pure: what the gateway is asked. What is open comes in the order of work, everything else the newest first. */
export function asked(f: Filters, me: string): URLSearchParams {
  const q = new URLSearchParams({ order: f.show === "open" && !f.status ? "urgent" : "newest" });
  for (const k of ["text", "lane", "kind", "unit", "cursor"] as const) if (f[k]) q.set(k, f[k]);
  const status = f.status ? [f.status] : f.patrol ? ["patrol_sent", "on_scene"] : f.show === "closed" ? ["closed"] : [];
  for (const s of status) q.append("status", s);
  if (f.show === "open" && f.status !== "closed") q.set("open", "1");
  if (f.mine) q.set("owner", me);
  if (f.unowned) q.set("unowned", "1");
  if (f.unanswered) q.set("unanswered", "1");
  const [from, to, near] = [dayStart(f.from), dayStart(f.to), nearOf(f.near)];
  if (Number.isFinite(from)) q.set("from", String(from));
  if (Number.isFinite(to)) q.set("to", String(to + dayMs));
  if (near) q.set("near", [near.lat, near.lon, near.metres].join(","));
  return q;
}
