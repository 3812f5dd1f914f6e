/** A report while it is written, and what becomes of it. Pure. */
import type { Fix } from "../../lib/wire.gen";
import type { Limits } from "./kinds";

export interface Attached {
  id: string;
  blob: Blob;
  name: string;
  mime: string;
  sha256: string; // empty while it is read
  capturedMs: number;
  fix: Fix | null; // where the phone was when it was taken
}

export interface Draft {
  kind: string;
  text: string;
  plate: string;
  where: string;
  pin: Fix | null;
  phone: string;
  files: Attached[];
}

export const blank: Draft = { kind: "", text: "", plate: "", where: "", pin: null, phone: "", files: [] };

/** Why a file cannot go along; empty where it can. */
export function unfit(f: { size: number; type: string }, have: number, l: Limits): "" | "empty" | "large" | "many" | "kind" {
  if (have >= l.files) return "many";
  if (f.size === 0) return "empty";
  const type = f.type.split("/")[0];
  if (type !== "image" && type !== "video" && type !== "audio") return "kind";
  if (f.type === "image/svg+xml") return "kind";
  return f.size > (type === "video" ? l.videoBytes : l.photoBytes) ? "large" : "";
}

/** Why a report cannot be sent yet; empty where it can. */
export function lacking(d: Draft): "" | "empty" | "reading" {
  if (d.files.some((f) => f.sha256 === "")) return "reading";
  return d.text.trim() === "" && d.files.length === 0 ? "empty" : "";
}

/** What people cannot see and the gateway does not take: control characters, marks that turn the direction
 * of what follows. A pasted text must not make a report impossible to send. */
export function clean(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd\u{e0000}-\u{e007f}]/gu, "")
    .trim();
}

/** The request, written once: these bytes are what is hashed, kept and sent. */
export function sealed(d: Draft, ref: string, lang: string, madeMs: number, fix: Fix | null): string {
  const body: Record<string, unknown> = { ref, lang, madeMs };
  const put = (key: string, value: string) => {
    const plain = clean(key === "text" || key === "where" ? value : value.replace(/\s+/g, " "));
    if (plain) body[key] = plain;
  };
  put("kind", d.kind);
  put("text", d.text);
  put("plate", d.plate.toUpperCase());
  put("where", d.where);
  put("phone", d.phone);
  if (fix) body["fix"] = fix;
  if (d.pin) body["pin"] = d.pin;
  if (d.files.length > 0) {
    body["files"] = d.files.map((f) => ({
      file: f.id,
      bytes: f.blob.size,
      sha256: f.sha256,
      name: clean(f.name.replace(/\s+/g, " ")).slice(0, 60),
      mime: f.mime.slice(0, 100),
      capturedMs: f.capturedMs,
      ...(f.fix ? { lat: f.fix.lat, lon: f.fix.lon, accuracyM: f.fix.accuracyM } : {}),
    }));
  }
  return JSON.stringify(body);
}
