/** Words for what the verifier and the recorder say in codes. */
import { t } from "../lib/i18n";
import type { Interval, Note } from "./rest";

/** Pure: what a note says, by the words of one language; unknown codes keep the text they came with. */
export function phrase(n: Note, say: typeof t): string {
  const key = `proof.${n.code}`;
  if (say(key) === key) return n.text;
  const vars = Object.fromEntries(Object.entries(n.args ?? {}).map(([name, v]) => [name, value(name, v, say)]));
  return say(key, vars);
}

function value(name: string, v: unknown, say: typeof t): string {
  if (name === "cause") return known(`proof.${String(v)}`, String(v), say);
  if (name === "stream" || name === "streams") return (Array.isArray(v) ? v : [v]).map((s) => streamName(String(s), say)).join(", ");
  if (typeof v === "number" && !Number.isInteger(v)) return v.toFixed(3);
  return Array.isArray(v) ? v.join(", ") : String(v ?? "");
}

function known(key: string, otherwise: string, say: typeof t): string {
  const words = say(key);
  return words === key ? otherwise : words;
}

/** "caller audio" in the page's language: a stream is named by words that each have theirs. */
export function streamName(name: string, say: typeof t): string {
  return name.split(" ").map((w) => known(`stream.${w}`, w, say)).join(" · ");
}

/** What an event is called; one of a newer gateway has a name too. Of a guest of the call it tells who
 * could hear them from then on: a whisper that is played here was heard by the operator alone. */
export function eventName(kind: string, details?: unknown): string {
  const name = known(`ev.${kind}`, t("ev.other"), t);
  const body = (details as { body?: { heard?: unknown; name?: unknown } } | undefined)?.body;
  if (typeof body?.heard !== "string") return name;
  const who = typeof body.name === "string" ? `${body.name} ` : "";
  return `${name}: ${who}${known(`heard.${body.heard}`, body.heard, t)}`;
}

/** What of the call is missing or damaged in a stretch, why, and for how long. */
export function why(i: Interval): string {
  const reason = known(`why.${i.cause}`, i.cause, t);
  const parts = [i.kind ? `${streamName(i.kind, t)}: ${reason}` : reason];
  if (i.toMs > i.fromMs) parts.push(t("lasting", { s: seconds(i.toMs - i.fromMs) }));
  if (i.missingMs) parts.push(t("missing.within", { s: seconds(i.missingMs) }));
  if (i.packets) parts.push(t("lost.packets", { n: i.packets }));
  return parts.join(" · ");
}

/** Pure: milliseconds as seconds, as exact as they are. */
export function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 2 : 1);
}

/** Pure: "1:02:03", "2:03" or "123" in milliseconds; nothing is the beginning, and anything else undefined. */
export function clockMs(text: string): number | undefined {
  const parts = text.trim() === "" ? ["0"] : text.trim().split(":");
  if (parts.length > 3 || !parts.every((p) => /^\d{1,6}([.,]\d{1,3})?$/.test(p))) return undefined;
  return Math.round(parts.reduce((sum, p) => sum * 60 + Number(p.replace(",", ".")), 0) * 1000);
}

/** Pure: a size for people. */
export function megabytes(bytes: number, language: string): string {
  return `${(bytes / 1e6).toLocaleString(language, { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;
}
