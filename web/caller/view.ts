/** What the page shows, and how it follows from what happens. Pure: no clock, socket or DOM. */
import type { Line as Way } from "../lib/peer";
import type { CallKind, CallView, CallerSelf, ChatItem, DeviceState, Fix, MediaTune, Quality, Rung } from "../lib/wire.gen";

/** A line of the chat that may still be on its way. */
export interface Line {
  id: string;
  from: string;
  name?: string;
  text: string;
  file?: ChatItem["file"];
  atMs: number;
  seq: number;
  state: "sending" | "sent" | "failed";
  note?: { ms: number; part: number; url?: string | undefined }; // a voice note: how long it is, how much of it has arrived, where it can be heard
}

export type PlaceState = "none" | "asking" | "on" | "denied" | "slow" | "stopped" | "pinned";

export interface View {
  link: "connecting" | "open" | "lost" | "closed";
  unheard: boolean; // not a word from the gateway for a moment
  media: "new" | "connecting" | "connected" | "lost" | "closed";
  call: CallView | null;
  calling: boolean; // tapped, not yet registered
  tapped: CallKind | null; // what was tapped last
  chat: Line[];
  mic: DeviceState;
  camera: DeviceState;
  cameras: number; // one has nothing to flip to
  place: PlaceState;
  fix: Fix | null;
  pin: Fix | null; // the place the person has shown on the map
  cameraAsked: boolean;
  quality: Quality | null;
  tune: MediaTune | null; // how the gateway wants the media used
  line: Way; // whose silence it is
  offline: boolean; // the device itself says so
  quiet: boolean; // a voice that flowed has stopped
  self: CallerSelf | null;
  phone: string;
  centre: { lat: number; lon: number } | null; // where a map opens when nothing is known of the person
  street: boolean; // the site has street tiles
  demo: boolean;
  error: string;
  rung: Rung; // what the network carries
  registered: string; // number of a call that a single datagram has made, before the socket tells of it
  speaking: number; // since when a voice note is recorded, 0: none is
}

export const empty: View = {
  link: "connecting", unheard: false, media: "new", call: null, calling: false, tapped: null, chat: [], mic: "off", camera: "off", cameras: 0,
  place: "none", fix: null, pin: null, cameraAsked: false, quality: null, tune: null, line: "none", offline: false, quiet: false, self: null, phone: "102", centre: null, street: false, demo: false, error: "", rung: "video", registered: "", speaking: 0,
};

/** A newer view of the same call takes the place of an older one; an old one is ignored. */
export function withCall(v: View, call: CallView): View {
  if (v.call && v.call.call === call.call && call.rev < v.call.rev) return v;
  const chat = call.chat.reduce((lines, item) => posted(lines, item), v.call && v.call.call !== call.call ? [] : v.chat);
  return { ...v, call, calling: false, registered: "", chat, cameraAsked: v.cameraAsked && call.phase !== "ended" };
}

/** A line that became durable: it replaces the one that was on its way. */
export function posted(lines: Line[], item: ChatItem): Line[] {
  const line: Line = { id: item.id, from: item.from, text: item.text, atMs: item.atMs, seq: item.chatSeq, state: "sent" };
  if (item.name !== undefined) line.name = item.name;
  if (item.file !== undefined) line.file = item.file;
  const known = lines.find((l) => l.id === item.id && l.from === item.from);
  if (known?.note) line.note = { ...known.note, part: 1 };
  const rest = lines.filter((l) => l.from !== item.from || (l.id !== item.id && (l.seq === 0 || l.seq !== item.chatSeq)));
  return [...rest, line].sort((a, b) => (a.seq || 1e12) - (b.seq || 1e12));
}

/** A line that the person has just written. */
export function written(lines: Line[], id: string, text: string, atMs: number): Line[] {
  return [...lines, { id, from: "caller", text, atMs, seq: 0, state: "sending" }];
}

/** A voice note as far as it has come. */
export function noted(lines: Line[], id: string, note: NonNullable<Line["note"]>, state: Line["state"], atMs: number): Line[] {
  const there = lines.find((l) => l.id === id && l.from === "caller");
  if (!there) return [...lines, { id, from: "caller", text: "", atMs, seq: 0, state, note }];
  return lines.map((l) => (l === there ? { ...l, note, state: l.seq > 0 ? l.state : state } : l));
}

export function marked(lines: Line[], id: string, state: Line["state"]): Line[] {
  return lines.map((l) => (l.id === id && l.from === "caller" && l.seq === 0 ? { ...l, state } : l));
}

export type Stage = "home" | "calling" | "waiting" | "ringing" | "connecting" | "talking" | "hold" | "far" | "lost" | "ended";

/** Whether words do not get through, as far as this page knows. */
function unreached(v: View): boolean {
  return v.offline || v.link === "lost" || v.link === "connecting" || v.unheard;
}

/** Whether a voice arrives. It goes by UDP and needs no socket, and it is a better witness of the line than the device's own word. */
function voiced(v: View): boolean {
  return v.media === "connected" && v.line === "flows" && !v.quiet;
}

/** Whether the talk goes on while words do not get through: where packets are lost the socket, which is TCP, is away for seconds.
 * Who cannot speak has nothing but words. */
export function talksOn(v: View): boolean {
  return v.call !== null && v.call.kind !== "silent" && unreached(v) && voiced(v);
}

/** What the caller is told, in one word. Their own lost link comes before everything. */
export function stage(v: View): Stage {
  if (!v.call) return v.calling ? "calling" : "home";
  if (v.call.phase === "ended" || v.call.phase === "wrapup") return "ended";
  if (unreached(v) && !talksOn(v)) return "lost";
  switch (v.call.phase) {
    case "queued":
    case "created":
      return "waiting";
    case "offered":
      return "ringing";
    case "connecting":
      return "connecting";
    case "hold":
      return "hold";
    case "reconnecting":
      return talksOn(v) ? "talking" : "lost";
    default:
      if (!v.quiet || !v.call.opMic) return "talking";
      return v.line === "far" ? "far" : "lost"; // no voice although the operator's microphone is on: theirs, or ours
  }
}

/** The gateway's word on the line, where it is news: not while the line is away. */
export function rated(v: View): string | undefined {
  const word = v.quality?.word;
  return word === undefined || word === "unknown" || word === "lost" || unreached(v) || stage(v) === "lost" ? undefined : word;
}

/** What a weak line holds back of the pictures: the own one, the operator's. Words come before pictures. */
export function heldBack(v: View): { own: boolean; theirs: boolean } {
  return { own: v.camera === "on" && v.tune?.video === "off", theirs: v.call?.opCamera === true && v.tune?.shown === "off" };
}

/** mm:ss since a moment; never negative. */
export function clock(fromMs: number, nowMs: number): string {
  const s = Math.max(0, Math.floor((nowMs - fromMs) / 1000));
  return `${String(Math.floor(s / 60)).padStart(2, "0")}:${String(s % 60).padStart(2, "0")}`;
}

/** Metres between two fixes, near enough for deciding whether to send. */
export function metres(a: Fix, b: Fix): number {
  const rad = Math.PI / 180;
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  return 6371000 * Math.hypot(x, (b.lat - a.lat) * rad);
}

/** Whether a new fix says enough new to be sent: every 10 s, on 8 m of movement, on a third more accuracy. */
export function worthSending(last: Fix | null, next: Fix): boolean {
  if (!last) return true;
  return next.clientMs - last.clientMs >= 10000 || metres(last, next) > 8 || next.accuracyM < last.accuracyM * 0.67;
}
