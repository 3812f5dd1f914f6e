import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addLocale, t } from "../lib/i18n";
import { phaseOf } from "./CallStrip";
import { useOffered } from "./cases/useOffered";
import { useConsole } from "./context";
import type { Room } from "./rooms";
import { Key, useShortcut } from "./Small";
import { useWhere } from "./useRoom";

/** The narrow way from room to room. Somebody with one room sees none. */
export function RoomNav() {
  const { rooms } = useWhere();
  const offered = useOffered();
  if (rooms.length < 2) return null;
  return (
    <nav class="rooms" aria-label={t("rooms")}>
      {rooms.map((r) => <RoomButton key={r.id} room={r} offered={r.id === "cases" ? offered.length : 0} />)}
      <span class="unseen" role="status">{offered.length > 0 && t("room.offered", { n: offered.length })}</span>
    </nav>
  );
}

function RoomButton({ room, offered }: { room: Room; offered: number }) {
  const { view } = useConsole();
  const { room: here, go } = useWhere();
  const shortcut = useShortcut(room.id);
  const card = room.id === "desk" && here !== "desk" ? view.card : undefined;
  return (
    <button
      type="button" class={card || offered > 0 ? "room-to busy" : "room-to"} aria-current={here === room.id ? "page" : undefined} aria-keyshortcuts={shortcut}
      data-room-to={room.id} onClick={() => go(room.id)}
    >
      <span>{t(`room.${room.id}`)}</span>
      {card && <b>{phaseOf(card)}</b>}
      {offered > 0 && <b data-offered={offered}>{t("room.offered", { n: offered })}</b>}
      <Key act={room.id} />
    </button>
  );
}

/**
 * The rooms. The desk stays where it is while somebody looks elsewhere: its call, its typing and its
 * picture go on unseen. Another room is there while somebody is in it.
 */
export function RoomFloor({ desk }: { desk: ComponentChildren }) {
  const { room, rooms } = useWhere();
  const there = rooms.find((r) => r.id === room && r.load);
  return (
    <>
      <div class="room" data-room="desk" hidden={there !== undefined}>{desk}</div>
      {there && <div class="room" data-room={there.id} key={there.id}><Lazy room={there} /></div>}
    </>
  );
}

/** A room and its texts, loaded when somebody comes in; a lost connection leaves a way to try again. */
function Lazy({ room }: { room: Room }) {
  const { lang } = useConsole();
  const [page, setPage] = useState<{ lang: string; Page: ComponentType }>();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    let gone = false;
    setFailed(false);
    Promise.all([room.load?.(), room.locale ? addLocale(room.locale, lang) : undefined]).then(
      ([m]) => !gone && m && setPage({ lang, Page: m.default }),
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [room, lang, tries]);
  if (page) return <page.Page key={page.lang} />;
  return (
    <main ref={box} class="replaced">
      {failed
        ? <div role="alert"><p>{t("room.failed")}</p><button type="button" class="go" onClick={() => setTries(tries + 1)}>{t("room.again")}</button></div>
        : <p role="status">{t("room.loading")}</p>}
    </main>
  );
}
