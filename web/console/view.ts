import type {
  Bodies, CallCard, CallRecording, Centre, ChatItem, ChatPosted, Choice, ConsoleState, Fix, OfferMade, OfferWithdrawn, PositionMoved,
  QualityChanged, StaffSelf, Welcome,
} from "../lib/wire.gen";
import { may } from "./may";

/** What the console shows of the world outside, as the gateway told it. */
export interface View {
  /** The first welcome has come: before it nothing is known. */
  known: boolean;
  /** This tab was replaced by a newer one and stays silent. */
  replaced: boolean;
  /** The gateway's clock minus ours, milliseconds. */
  skewMs: number;
  staff?: StaffSelf;
  centre?: Centre;
  categories: Choice[];
  outcomes: Choice[];
  pauses: Choice[];
  state?: ConsoleState;
  /** The offer that rings here. */
  offer?: OfferMade;
  /** Our answer to the offer is on its way: it no longer rings. */
  answering: boolean;
  /** What became of the last offer, until the next one or until it is read. */
  gone?: Gone;
  /** The call this operator owns, wrap-up included. */
  card?: CallCard;
  /** Chat items that came while the chat was not looked at. */
  unread: number;
}

/** An offer that rings no longer. */
export interface Gone {
  number: string;
  why: string; // taken, expired, ended, link_lost
  by?: string;
}

/** News and answers that change the view, with the time they came at for the clock's skew. */
export type Event =
  | { [T in keyof Bodies]: { type: T; body: Bodies[T] } }["welcome" | News]
  | { type: "local.answering"; epoch: number; on: boolean }
  | { type: "local.read" }
  | { type: "local.seen" };

/** The news a console listens to. */
export const news = [
  "console.state", "offer.made", "offer.withdrawn", "call.card", "position.moved", "chat.posted", "quality.changed", "call.recording", "session.replaced",
] as const;
export type News = (typeof news)[number];

/** Limits of the protocol on what a card carries. */
const maxTrack = 200;
const maxChat = 200;

export const nothing: View = {
  known: false, replaced: false, skewMs: 0, categories: [], outcomes: [], pauses: [], answering: false, unread: 0,
};

/** Pure: no clock, socket or DOM. `nowMs` is this machine's clock when the event came. */
export function next(view: View, e: Event, nowMs: number): View {
  switch (e.type) {
    case "welcome": return welcomed(view, e.body, nowMs);
    case "console.state": return listed(view, e.body);
    case "offer.made": return offered(view, e.body);
    case "offer.withdrawn": return withdrawn(view, e.body);
    case "call.card": return dealt(view, e.body.card);
    case "position.moved": return onCard(view, e.body.call, (c) => moved(c, e.body));
    case "chat.posted": return posted(view, e.body);
    case "quality.changed": return onCard(view, e.body.call, (c) => quality(c, e.body));
    case "call.recording": return onCard(view, e.body.call, (c) => recorded(c, e.body));
    case "session.replaced": return { ...view, replaced: true, offer: undefined, answering: false };
    case "local.answering": return view.offer?.epoch === e.epoch ? { ...view, answering: e.on } : view;
    case "local.read": return { ...view, gone: undefined };
    case "local.seen": return view.unread === 0 ? view : { ...view, unread: 0 };
  }
}

/** State travels whole: a welcome forgets everything that was known before. */
function welcomed(view: View, w: Welcome, nowMs: number): View {
  const c = w.console;
  const card = c?.card && open(c.card) ? sorted(c.card) : undefined;
  return {
    known: true,
    replaced: false,
    skewMs: w.nowMs - nowMs,
    staff: w.staff,
    centre: w.centre,
    categories: c?.categories ?? [],
    outcomes: c?.outcomes ?? [],
    pauses: c?.pauses ?? [],
    state: c?.state,
    offer: card ? undefined : c?.offer,
    answering: view.answering && view.offer !== undefined && view.offer.epoch === c?.offer?.epoch,
    gone: view.gone,
    card,
    unread: card?.call === view.card?.call ? view.unread : 0,
  };
}

function listed(view: View, state: ConsoleState): View {
  if (view.state && state.rev < view.state.rev) return view;
  const idle = ["off", "ready", "busy", "pause", "not_responding"].includes(state.me.state);
  // The gateway says that we are at nothing since after the card's last change: the call went to
  // another operator, or its end was told while our socket was away.
  const left = view.card !== undefined && idle && state.me.sinceMs >= view.card.sinceMs;
  return { ...view, state, card: left ? undefined : view.card };
}

function offered(view: View, offer: OfferMade): View {
  if (view.offer && view.offer.epoch > offer.epoch && view.offer.call === offer.call) return view;
  return { ...view, offer, answering: false, gone: undefined };
}

function withdrawn(view: View, w: OfferWithdrawn): View {
  const o = view.offer;
  if (!o || o.call !== w.call || o.epoch !== w.epoch) return view;
  const mine = w.why === "taken" && (view.answering || w.by === view.staff?.name);
  return { ...view, offer: undefined, answering: false, ...(mine ? {} : { gone: { number: o.number, why: w.why, by: w.by } }) };
}

/** A card replaces what is known of its call, unless it is older. The card of another call wins. */
function dealt(view: View, card: CallCard): View {
  const mine = view.card;
  if (mine?.call === card.call && card.rev < mine.rev) return view;
  const offer = view.offer?.call === card.call ? undefined : view.offer;
  if (!open(card)) {
    return mine && mine.call !== card.call ? view : { ...view, card: undefined, offer, unread: 0 };
  }
  return {
    ...view, offer, answering: offer ? view.answering : false, card: sorted(card), unread: mine?.call === card.call ? view.unread : 0,
  };
}

function open(card: CallCard): boolean {
  return card.phase !== "ended";
}

function sorted(card: CallCard): CallCard {
  return { ...card, chat: card.chat.toSorted((a, b) => a.chatSeq - b.chatSeq) };
}

function onCard(view: View, call: string, change: (card: CallCard) => CallCard): View {
  return view.card?.call === call ? { ...view, card: change(view.card) } : view;
}

function moved(card: CallCard, m: PositionMoved): CallCard {
  const last = card.track.at(-1);
  if (last && last.serverMs > m.fix.serverMs) return card;
  return { ...card, track: [...card.track, m.fix].slice(-maxTrack) };
}

function posted(view: View, p: ChatPosted): View {
  if (view.card?.call !== p.call || view.card.chat.some((i) => i.id === p.item.id)) return view;
  const fresh = p.item.from === "caller" ? 1 : 0;
  return { ...onCard(view, p.call, (c) => ({ ...c, chat: inserted(c.chat, p.item) })), unread: view.unread + fresh };
}

function inserted(chat: ChatItem[], item: ChatItem): ChatItem[] {
  return [...chat, item].toSorted((a, b) => a.chatSeq - b.chatSeq).slice(-maxChat);
}

function quality(card: CallCard, q: QualityChanged): CallCard {
  return q.quality.atMs < card.quality.atMs ? card : { ...card, quality: q.quality };
}

function recorded(card: CallCard, r: CallRecording): CallCard {
  return { ...card, recording: r.recording };
}

/** The present position: the last one, or undefined. */
export function present(card: CallCard): Fix | undefined {
  return card.track.at(-1);
}

/** True while the caller can be talked to, which wrap-up is not. */
export function live(card: CallCard | undefined): boolean {
  return card !== undefined && card.phase !== "wrapup" && card.phase !== "ended";
}

/** Grace after an offer's end before the page hides it by itself, milliseconds. */
const afterExpiryMs = 1500;

/** The offer to show: the gateway withdraws it, and the clock hides it if that news is lost. */
export function ringing(view: View, nowMs: number): OfferMade | undefined {
  const o = view.offer;
  return o && !view.replaced && serverNow(view, nowMs) < o.expiresMs + afterExpiryMs ? o : undefined;
}

/** May this person take calls, or only look on? */
export function answers(staff: StaffSelf | undefined): boolean {
  return may(staff, "take_calls");
}

/** Milliseconds of the gateway's clock. */
export function serverNow(view: View, nowMs: number): number {
  return nowMs + view.skewMs;
}
