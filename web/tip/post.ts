/** Speaks to the gateway, and seals and opens here what it must not know. */
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import type { Lang } from "../lib/i18n";
import { base64url, identityOf, mailboxKey, mailboxOf } from "./code";
import { type Part, pack, readReply } from "./letter";
import { bits, letterId, stamp } from "./stamp";

export interface Unit {
  key: string;
  names: Record<Lang, string>;
  recipients: string[];
}

export interface Start {
  units: Unit[];
  classes: number[];
  challenge: string;
  stampBits: number;
  keep: string;
  onion: string;
}

export interface Reply {
  letter: string;
  day: string;
  text: string | null; // null: it does not open
}

/** A refusal in words; code is empty where the gateway was not reached. */
export class Refused extends Error {
  constructor(readonly code: string, readonly words: Record<Lang, string> | null) {
    super(code);
  }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let res: Response;
  try {
    res = await fetch(`/api/v1/tips${path}`, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", ...init });
  } catch {
    throw new Refused("", null);
  }
  if (res.ok) return res;
  const body = (await res.json().catch(() => null)) as { error?: { code: string; words: Record<Lang, string> } } | null;
  throw new Refused(body?.error?.code ?? String(res.status), body?.error?.words ?? null);
}

export async function begin(): Promise<Start> {
  return (await (await ask("")).json()) as Start;
}

export type Step = "sealing" | "working" | "sending";

export interface Tip {
  unit: Unit;
  code: Uint8Array;
  text: string;
  lang: Lang;
  files: Part[];
}

/** Seals a tip, does its work and sends it. Keys are those that the page has shown, not those of a later answer. */
export async function send(tip: Tip, onStep: (s: Step) => void, signal: AbortSignal): Promise<void> {
  onStep("sealing");
  await new Promise((r) => setTimeout(r, 20)); // let the word be seen
  const start = await begin();
  const reply = await identityToRecipient(identityOf(tip.code));
  const packed = pack({ kind: "tip", text: tip.text, lang: tip.lang, reply, files: tip.files }, start.classes);
  if (!packed) throw new Refused("too_large", null);
  const e = new Encrypter();
  for (const r of tip.unit.recipients) e.addRecipient(r);
  const sealed = await e.encrypt(packed);
  onStep("working");
  const key = mailboxKey(tip.code);
  const id = letterId(sealed);
  const work = await stamp(start.challenge, bits(start.stampBits, packed.length, start.classes), mailboxOf(key), id.raw, signal);
  onStep("sending");
  await ask(`/units/${encodeURIComponent(tip.unit.key)}/letters`, {
    method: "POST", body: sealed as BufferSource, signal, headers: { "Tip-Mailbox": base64url(key), "Tip-Letter": id.text, "Tip-Stamp": work },
  });
}

/** What lies in the mailbox of a code, opened. */
export async function replies(code: Uint8Array): Promise<{ unit: string; list: Reply[] }> {
  const headers = { "Tip-Mailbox": base64url(mailboxKey(code)) };
  const box = (await (await ask("/mailbox", { headers })).json()) as { unit: string; replies: { letter: string; day: string }[] };
  const d = new Decrypter();
  d.addIdentity(identityOf(code));
  const list: Reply[] = [];
  for (const r of box.replies) {
    const sealed = new Uint8Array(await (await ask(`/mailbox/${r.letter}`, { headers })).arrayBuffer());
    let text: string | null = null;
    try {
      text = readReply(await d.decrypt(sealed));
    } catch {
      // Sealed to somebody else, or damaged: it is shown as such.
    }
    list.push({ letter: r.letter, day: r.day, text });
  }
  return { unit: box.unit, list };
}

export async function drop(code: Uint8Array, letter: string): Promise<void> {
  await ask(`/mailbox/${letter}`, { method: "DELETE", headers: { "Tip-Mailbox": base64url(mailboxKey(code)) } });
}
