import type { ComponentType } from "preact";
import type { StaffSelf } from "../lib/wire.gen";
import { type Action, may } from "./may";

/** The rooms of the console, in the order of the navigation and of their keys. */
export const roomIDs = ["desk", "cases", "board", "cameras", "wall", "stats", "shifts"] as const;
export type RoomID = (typeof roomIDs)[number];

/** One room. The desk is always there; the others are loaded when somebody goes in. */
export interface Room {
  id: RoomID;
  /** Any of these opens it. */
  needs: Action[];
  /** Its page, whose default export is drawn in it. Not there: the desk, which is in the shell. */
  load?: () => Promise<{ default: ComponentType }>;
  /** The folder of its texts under locales/. Their keys begin with the room's or folder's name. */
  locale?: string;
}

/** The rooms there are. A part of the console adds itself by one line. */
export const rooms: Room[] = [
  { id: "desk", needs: ["take_calls", "listen"] },
  { id: "cases", needs: ["read_cases"], load: () => import("./cases/Cases"), locale: "cases" },
  { id: "board", needs: ["read_cases"], load: () => import("./board/Board"), locale: "board" },
  { id: "cameras", needs: ["see_cameras"], load: () => import("./board/CameraRoom"), locale: "board" },
  { id: "wall", needs: ["see_stats"], load: () => import("./office/Wall"), locale: "office" },
  { id: "stats", needs: ["see_stats"], load: () => import("./office/Stats"), locale: "office" },
  { id: "shifts", needs: ["see_shifts"], load: () => import("./office/Shifts"), locale: "office" },
];

/** The rooms of a person, in order. Somebody with none of them has the desk, to look on. */
export function roomsOf(staff: StaffSelf | undefined, all: Room[] = rooms): Room[] {
  const own = roomIDs.flatMap((id) => all.filter((r) => r.id === id && r.needs.some((a) => may(staff, a))));
  return own.length > 0 ? own : all.filter((r) => r.id === "desk");
}

/** Where each role begins: the first that is there. */
const first: [role: string, order: RoomID[]][] = [
  ["operator", ["desk"]],
  ["supervisor", ["wall", "desk"]],
  ["dispatcher", ["board", "cases"]],
  ["navigation", ["board", "cases"]],
  ["camera", ["cameras", "cases"]],
];

/** The room in which somebody begins who asked for none. */
export function startOf(staff: StaffSelf | undefined, own: Room[]): RoomID {
  const order = first.find(([role]) => staff?.roles.includes(role))?.[1] ?? [];
  return order.find((id) => own.some((r) => r.id === id)) ?? own[0]?.id ?? "desk";
}

/** What the address says behind its #: a room and what is looked at in it. */
export interface Place {
  room: string;
  query: URLSearchParams;
}

/** Pure: "#cases?text=noise" is the room cases with a query. */
export function placeOf(hash: string): Place {
  const [room = "", query = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  return { room, query: new URLSearchParams(query) };
}

export function hashOf(room: RoomID, query?: URLSearchParams): string {
  const text = query?.toString() ?? "";
  return text ? `#${room}?${text}` : `#${room}`;
}
