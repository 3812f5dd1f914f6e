/** Notices of this browser (RFC 8030): whether there are any, and how they are turned on and off. A
 * subscription stands at the gateway under everything that this phone is known by: its registration, the
 * key of its reports, the calls it made. */
import { keptCalls, read, tokenKey } from "../store";
import { hasKey, reportKey } from "./shelf";

/** unsupported: this browser has none; none: this site sends none; nobody: nothing was sent from here yet. */
export type Notices = "unsupported" | "none" | "nobody" | "denied" | "off" | "on";

/** Why turning on failed: a code of the gateway, or one of ours. */
export class NoticeError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

type Header = Record<string, string>;

/** Everything that this phone is known by. */
async function names(): Promise<Header[]> {
  const out: Header[] = [];
  const token = read(tokenKey);
  if (token) out.push({ Authorization: `Bearer ${token}` });
  if (await hasKey()) out.push({ "X-Report-Key": await reportKey() });
  const seen = new Set<string>();
  for (const c of keptCalls()) {
    if (seen.has(c.client)) continue;
    seen.add(c.client);
    out.push({ "X-Client": c.client, "X-Client-Key": c.key });
  }
  return out;
}

async function key(): Promise<string> {
  const res = await fetch("/api/v1/push/key");
  if (!res.ok) throw new NoticeError("unreachable");
  return ((await res.json()) as { key: string }).key;
}

function supported(): boolean {
  return "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
}

const workerPatience = 5000;

/** The worker of this page; none comes where it could not be installed. */
async function worker(): Promise<ServiceWorkerRegistration> {
  const late = new Promise<never>((_, no) => setTimeout(() => no(new NoticeError("unsupported")), workerPatience));
  return Promise.race([navigator.serviceWorker.ready, late]);
}

/** How notices stand on this phone. */
export async function notices(): Promise<Notices> {
  if (!supported()) return "unsupported";
  if ((await names()).length === 0) return "nobody";
  if (!(await key())) return "none";
  if (Notification.permission === "denied") return "denied";
  const sub = Notification.permission === "granted" ? await (await worker()).pushManager.getSubscription() : null;
  return sub ? "on" : "off";
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const raw = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

async function tell(method: "POST" | "DELETE", body: unknown): Promise<void> {
  let taken = 0;
  let code = "not_signed_in";
  for (const headers of await names()) {
    const res = await fetch("/api/v1/push/subscriptions", { method, headers, body: JSON.stringify(body) });
    if (res.ok) taken++;
    else code = ((await res.json().catch(() => ({}))) as { error?: { code?: string } }).error?.code ?? code;
  }
  if (taken === 0) throw new NoticeError(code);
}

async function keep(sub: PushSubscription): Promise<void> {
  const j = sub.toJSON();
  await tell("POST", { endpoint: sub.endpoint, p256dh: j.keys?.["p256dh"] ?? "", auth: j.keys?.["auth"] ?? "" });
}

/** Turns notices on: the browser asks the person, its push service gives an address, the gateway keeps it. */
export async function turnOn(): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new NoticeError("denied");
  const push = (await worker()).pushManager;
  let sub: PushSubscription;
  try {
    sub = (await push.getSubscription()) ?? (await push.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(await key()) }));
  } catch (err) {
    throw err instanceof NoticeError ? err : new NoticeError("service");
  }
  try {
    await keep(sub);
  } catch (err) {
    await sub.unsubscribe().catch(() => false); // nobody would ever send to it
    throw err instanceof NoticeError ? err : new NoticeError("unreachable");
  }
}

/** Turns them off, here and at the gateway. */
export async function turnOff(): Promise<void> {
  const sub = await (await worker()).pushManager.getSubscription();
  if (!sub) return;
  await tell("DELETE", { endpoint: sub.endpoint }).catch((err) => {
    if (!(err instanceof NoticeError)) throw new NoticeError("unreachable");
  });
  await sub.unsubscribe();
}

/** Says the subscription again, under what this phone has been known by since: a new report, a new call. */
export async function renew(): Promise<void> {
  const sub = await (await worker()).pushManager.getSubscription();
  if (sub) await keep(sub);
}
