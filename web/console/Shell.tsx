import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Alarms } from "./Alarms";
import { Banners, Replaced, ToastLine } from "./Banners";
import { Bar } from "./Bar";
import { Call } from "./Call";
import { CallBacks } from "./CallBacks";
import { CallStrip } from "./CallStrip";
import { Cheat } from "./Cheat";
import { useConsole } from "./context";
import { GuestBar, OtherVoices } from "./GuestBar";
import { Idle } from "./Idle";
import { Queue, Team } from "./Lists";
import { OfferBar } from "./OfferBar";
import { ShiftBar } from "./office/ShiftBar";
import { RoomFloor, RoomNav } from "./Rooms";
import type { RoomID } from "./rooms";
import { Voice } from "./Screen";
import { useKeys } from "./useKeys";
import { RoomContext, useRooms } from "./useRoom";
import { useAlarms, useRinging } from "./useRinging";

const blurKey = "jedel.console.blur";

/** The console: the line on top, the call in hand, the rooms beside one another, and what rings at the bottom. */
export function Shell() {
  const { desk, view, seat, keys } = useConsole();
  const [cheat, setCheat] = useState(false);
  const [list, setList] = useState(false);
  const [blurred, setBlurred] = useState(() => localStorage.getItem(blurKey) === "1");
  const blur = () => {
    localStorage.setItem(blurKey, blurred ? "0" : "1");
    setBlurred(!blurred);
  };
  const [drawer, setDrawer] = useState(false);
  const where = useRooms(view.staff);
  const inRoom = (id: RoomID) => {
    if (id !== where.room && where.rooms.some((r) => r.id === id)) where.go(id);
  };
  const lists = (focus: "queue" | "callback") => {
    if (view.card === undefined) inRoom("desk");
    setDrawer(view.card !== undefined);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-focus="${focus}"]`)?.focus());
  };
  useEffect(() => setDrawer(false), [view.card?.call]);
  useDeskBack(view.known, view.card?.call, () => inRoom("desk"));
  useKeys(desk, keys, { help: () => setCheat(!cheat), blur, list: () => setList(!list), lists, room: inRoom });
  useRinging(desk, view);
  useAlarms(desk, view, seat);
  useFocusKept(view.card?.call);
  if (view.replaced) return <Replaced />;
  if (!view.known) return <main class="replaced"><p role="status">{t(`link.${seat.link}`)}</p></main>;
  return (
    <RoomContext.Provider value={where}>
      <Alarms />
      <div class="shell">
        <Bar onHelp={() => setCheat(true)} onLists={() => lists("queue")} />
        <Banners />
        <ShiftBar />
        <GuestBar />
        <CallStrip />
        <div class="floor">
          <RoomNav />
          <RoomFloor
            desk={view.card
              ? <Call key={view.card.call} card={view.card} blurred={blurred} onBlur={blur} list={list} onList={() => setList(!list)} />
              : <Idle />}
          />
        </div>
        {drawer && view.card && <Drawer onClose={() => setDrawer(false)} />}
        <OfferBar />
        <ToastLine />
        <Voice />
        <OtherVoices />
        {cheat && <Cheat onClose={() => setCheat(false)} />}
      </div>
    </RoomContext.Provider>
  );
}

/** Who waits, who works and who is owed a call, beside a call in hand. Escape closes. */
function Drawer({ onClose }: { onClose: () => void }) {
  return (
    <aside class="drawer" aria-label={t("queue")} onKeyDown={(e) => e.code === "Escape" && onClose()}>
      <button type="button" class="small" onClick={onClose}>{t("close")} <kbd>Esc</kbd></button>
      <Queue />
      <CallBacks />
      <Team />
    </aside>
  );
}

/** A call that comes into hand brings the desk back; one that was there at the first look, after a reload, does not. */
function useDeskBack(known: boolean, call: string | undefined, back: () => void): void {
  const before = useRef<{ call: string | undefined }>(undefined);
  useEffect(() => {
    if (!known) return;
    if (before.current && call && before.current.call !== call) back();
    before.current = { call };
  }, [known, call]);
}

/** When the screen changes under the focus, the focus goes to the new screen and not to nowhere. */
function useFocusKept(call: string | undefined): void {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    if (document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(call ? '[data-focus="note"]' : '[data-focus="queue"]')?.focus({ preventScroll: true });
  }, [call]);
}
