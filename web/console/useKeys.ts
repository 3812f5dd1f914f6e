import { useEffect, useRef } from "preact/hooks";
import type { Desk } from "./desk";
import { endEvent } from "./EndButton";
import { type Act, actOf, type KeyMap } from "./keys";
import { startDuty } from "./OnDuty";
import { answers, live, ringing } from "./view";

/** What the keys do besides the desk's own acts: they belong to the page. */
export interface PageActs {
  help: () => void;
  blur: () => void;
  list: () => void;
  /** Brings the lists to the eye, also during a call, and the focus to one of them. */
  lists: (focus: "queue" | "callback") => void;
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
  const { view } = desk;
  const call = live(view.card) ? view.card?.call : undefined;
  const offer = ringing(view, desk.now);
  switch (act) {
    case "help": return page.help();
    case "blur": return page.blur();
    case "list": return page.list();
    case "answer": return offer ? void desk.accept() : comeBack(desk);
    case "pass": return offer && !view.answering ? void desk.ask("offer.reject", { call: offer.call, epoch: offer.epoch }) : undefined;
    case "mute": return desk.seat.mic === "on" ? desk.mute() : undefined;
    case "state": case "transfer": return document.querySelector<HTMLElement>(`[data-act="${act}"]`)?.click();
    case "wrapup": return document.querySelector<HTMLFormElement>("form[data-finish]")?.requestSubmit();
    case "queue": case "callback": return page.lists(act);
    case "map": case "chat": case "note": case "person":
      return document.querySelector<HTMLElement>(`[data-focus="${act}"]`)?.focus();
  }
  if (!call) return;
  switch (act) {
    case "hold": return void desk.ask("call.hold", { call, on: view.card?.phase !== "hold" });
    case "camera": return void desk.camera();
    case "ask": return asked(desk, desk.ask("camera.request", { call }), "video.asked");
    case "position": return asked(desk, desk.ask("position.request", { call }), "where.asked");
  }
}

function asked(desk: Desk, answer: Promise<unknown>, words: string): void {
  void answer.then((ok) => ok !== undefined && desk.say(words));
}

/** The answer key without an offer is the way back to ready. */
function comeBack(desk: Desk): void {
  const { view } = desk;
  if (!answers(view.staff) || view.card || !view.state) return;
  if (!desk.seat.onDuty) void startDuty(desk);
  else if (view.state.me.state !== "ready") void desk.setDuty({ state: "ready" });
}
