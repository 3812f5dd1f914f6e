import { useEffect, useRef } from "preact/hooks";
import type { GuestMode } from "../lib/wire.gen";
import type { Desk } from "./desk";
import { endEvent } from "./EndButton";
import { type Act, actOf, isRoom, type KeyMap } from "./keys";
import { keyed } from "./guest";
import { startDuty } from "./OnDuty";
import type { RoomID } from "./rooms";
import { answers, live, ringing } from "./view";

/** Asks the room that somebody is in; one that does the act itself says so by preventDefault. */
export const actEvent = "jedel-act";

/** What the keys do besides the desk's own acts: they belong to the page. */
export interface PageActs {
  help: () => void;
  blur: () => void;
  list: () => void;
  /** Brings the lists to the eye, also during a call, and the focus to one of them. */
  lists: (focus: "queue" | "callback") => void;
  /** Goes into a room, where this person has it. */
  room: (id: RoomID) => void;
}

/** Listens for the keys from anywhere on the page, also while somebody types. */
export function useKeys(desk: Desk, keys: KeyMap, page: PageActs): void {
  const latest = useRef({ keys, page });
  latest.current = { keys, page };
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      if (document.querySelector("[data-capturing]")) return;
      const act = actOf(latest.current.keys, e);
      if (!act) return;
      e.preventDefault(); // F1, F3, F6, F10 and Alt are the browser's otherwise
      if (e.repeat) return;
      if (!window.dispatchEvent(new CustomEvent(actEvent, { detail: act, cancelable: true }))) return;
      if (act === "end") window.dispatchEvent(new CustomEvent(endEvent, { detail: "down" }));
      else perform(act, desk, latest.current.page);
    };
    const up = (e: KeyboardEvent) => {
      // Shift may be let go first: the key itself counts.
      if (e.code === latest.current.keys.end.split("+").at(-1)) window.dispatchEvent(new CustomEvent(endEvent, { detail: "up" }));
    };
    window.addEventListener("keydown", down, true);
    window.addEventListener("keyup", up, true);
    return () => {
      window.removeEventListener("keydown", down, true);
      window.removeEventListener("keyup", up, true);
    };
  }, [desk]);
}

/** One act. What is not possible now does nothing. */
export function perform(act: Act, desk: Desk, page: PageActs): void {
  if (isRoom(act)) return page.room(act);
  (always(desk, page)[act] ?? inCall(desk)[act] ?? ofOthers(desk)[act])?.();
}

/** The element in the room that somebody is in, or on the line that all rooms have. */
function seen(selector: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>(selector)].find((e) => !e.closest("[hidden]"));
}

/** Lets something be done to an element; where it is on the desk, the desk comes back first. */
function reach(page: PageActs, selector: string, what: (e: HTMLElement) => void): void {
  const here = seen(selector);
  if (here) return what(here);
  if (!document.querySelector(selector)) return;
  page.room("desk");
  requestAnimationFrame(() => {
    const there = seen(selector);
    if (there) what(there);
  });
}

type Acts = Partial<Record<Act, () => void>>;

/** What the keys do with or without a call. */
function always(desk: Desk, page: PageActs): Acts {
  const offer = ringing(desk.view, desk.now);
  const focus = (name: string) => reach(page, `[data-focus="${name}"]`, (e) => e.focus());
  const click = (name: string) => reach(page, `[data-act="${name}"]`, (e) => e.click());
  return {
    help: page.help,
    blur: page.blur,
    list: page.list,
    queue: () => page.lists("queue"),
    callback: () => page.lists("callback"),
    map: () => focus("map"),
    chat: () => focus("chat"),
    note: () => focus("note"),
    person: () => focus("person"),
    state: () => click("state"),
    transfer: () => click("transfer"),
    wrapup: () => reach(page, "form[data-finish]", (e) => (e as HTMLFormElement).requestSubmit()),
    answer: () => (offer ? answerIt(desk, page) : comeBack(desk)),
    pass: () => offer && !desk.view.answering && void desk.ask("offer.reject", { call: offer.call, epoch: offer.epoch }),
    mute: () => desk.seat.mic === "on" && desk.mute(),
  };
}

/** What the keys do while a caller can be talked to. */
function inCall(desk: Desk): Acts {
  const card = desk.view.card;
  if (!card || !live(card)) return {};
  const call = card.call;
  return {
    hold: () => void desk.ask("call.hold", { call, on: card.phase !== "hold" }),
    camera: () => void desk.camera(),
    ask: () => asked(desk, desk.ask("camera.request", { call }), "video.asked"),
    position: () => asked(desk, desk.ask("position.request", { call }), "where.asked"),
  };
}

/** What the keys do with the call of another operator. */
function ofOthers(desk: Desk): Acts {
  const call = keyed(desk.view, desk.guest.view?.call);
  if (!call) return {};
  const be = (mode: GuestMode) => () => void desk.beGuest(call, mode);
  const listens = desk.guest.view?.mode === "listen";
  return { listen: listens ? () => void desk.leaveGuest() : be("listen"), whisper: be("whisper"), speak: be("speak") };
}

function asked(desk: Desk, answer: Promise<unknown>, words: string): void {
  void answer.then((ok) => ok !== undefined && desk.say(words));
}

/** Answers, and brings the desk back from whichever room. */
function answerIt(desk: Desk, page: PageActs): void {
  page.room("desk");
  void desk.accept();
}

/** The answer key without an offer is the way back to ready. */
function comeBack(desk: Desk): void {
  const { view } = desk;
  if (!answers(view.staff) || view.card || !view.state) return;
  if (!desk.seat.onDuty) void startDuty(desk);
  else if (view.state.me.state !== "ready") void desk.setDuty({ state: "ready" });
}
