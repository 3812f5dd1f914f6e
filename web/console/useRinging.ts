import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Desk, Seat } from "./desk";
import { soundOf } from "./sounds";
import { ringing, type View } from "./view";

/** The bell, the title, the icon and the system's notice while an offer rings. */
export function useRinging(desk: Desk, view: View): void {
  const offer = ringing(view, desk.now);
  const id = offer && !view.answering ? `${offer.call}/${offer.epoch}` : undefined;
  useEffect(() => {
    if (!id || !offer) return;
    desk.ringer.ring(soundOf(offer));
    const title = document.title;
    let on = false;
    const blink = () => {
      on = !on;
      document.title = on ? `● ${t("offer.name")}: ${t(`kind.${offer.kind}`)}` : title;
    };
    blink();
    const timer = setInterval(blink, 1000); // once a second: nothing flashes faster
    const icon = ringIcon();
    const notice = notify(t("offer.name"), t(`kind.${offer.kind}`), id);
    const expiry = setTimeout(() => desk.ringer.ring(undefined), Math.max(0, offer.expiresMs - view.skewMs - desk.now + 1500));
    return () => {
      desk.ringer.ring(undefined);
      clearInterval(timer);
      clearTimeout(expiry);
      document.title = title;
      icon();
      notice?.close();
    };
  }, [id]);
}

/** A red disc in place of the page's icon; the returned function takes it back. */
function ringIcon(): () => void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!link) return () => undefined;
  const before = link.href;
  let made = "";
  let gone = false;
  const canvas = new OffscreenCanvas(32, 32);
  const g = canvas.getContext("2d");
  if (g) {
    g.fillStyle = "#e5484d";
    g.arc(16, 16, 14, 0, 2 * Math.PI);
    g.fill();
    void canvas.convertToBlob().then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(blob);
      link.href = made;
    });
  }
  return () => {
    gone = true;
    link.href = before;
    if (made) URL.revokeObjectURL(made);
  };
}

/** Neutral words: a notice may be seen by anyone who passes the screen. */
function notify(title: string, body: string, tag: string): Notification | undefined {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.visibilityState === "visible") return undefined;
  const n = new Notification(title, { body, tag, silent: true });
  n.onclick = () => window.focus();
  return n;
}

/** Sounds of what needs an act: the caller dropped, the recorder stopped, our own link lost. */
export function useAlarms(desk: Desk, view: View, seat: Seat): void {
  const was = useRef({ dropped: false, stopped: false, lost: false });
  useEffect(() => {
    const is = {
      dropped: view.card?.phase === "reconnecting",
      stopped: view.card?.recording.state === "stopped",
      lost: seat.link === "lost" && seat.onDuty,
    };
    const begun = (Object.keys(is) as (keyof typeof is)[]).some((k) => is[k] && !was.current[k]);
    was.current = is;
    if (begun) desk.ringer.play("alarm");
  }, [view.card?.phase, view.card?.recording.state, seat.link]);
}
