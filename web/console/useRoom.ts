import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { StaffSelf } from "../lib/wire.gen";
import { hashOf, placeOf, type Room, type RoomID, roomsOf, startOf } from "./rooms";

/** Where somebody is in the console, and how they go elsewhere. */
export interface Where {
  room: RoomID;
  rooms: Room[];
  /** What is looked at in the room, as the address says it. */
  query: URLSearchParams;
  /** Goes into a room; with replace the way back does not lead here. */
  go: (room: RoomID, query?: URLSearchParams, replace?: boolean) => void;
}

export const RoomContext = createContext<Where | undefined>(undefined);

export function useWhere(): Where {
  const w = useContext(RoomContext);
  if (!w) throw new Error("bug: used outside the rooms");
  return w;
}

/** The room that the address says, or the one where this person begins. */
export function useRooms(staff: StaffSelf | undefined): Where {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const moved = () => setHash(location.hash);
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  const own = roomsOf(staff);
  const at = placeOf(hash);
  const asked = own.find((r) => r.id === at.room)?.id;
  return {
    room: asked ?? startOf(staff, own),
    rooms: own,
    query: asked ? at.query : new URLSearchParams(),
    go: (room, query, replace) => {
      const next = hashOf(room, query);
      if (replace) history.replaceState(null, "", next);
      else if (next !== location.hash) history.pushState(null, "", next);
      setHash(next); // pushState tells nobody
    },
  };
}
