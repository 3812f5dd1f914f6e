import { expect, test } from "vitest";
import { hashOf, placeOf, type Room, type RoomID, roomIDs, roomsOf, startOf } from "./rooms";

const staff = (...roles: string[]) => ({ staff: "s", name: "", roles });
const load = () => Promise.reject(new Error("not here"));
const all: Room[] = [
  { id: "shifts", needs: ["see_shifts"], load },
  { id: "wall", needs: ["see_stats"], load },
  { id: "cameras", needs: ["see_cameras"], load },
  { id: "board", needs: ["dispatch", "read_cases"], load },
  { id: "cases", needs: ["read_cases"], load },
  { id: "desk", needs: ["take_calls", "listen"] },
];
const ids = (...roles: string[]) => roomsOf(staff(...roles), all).map((r) => r.id);

test("a person sees the rooms of their roles, in one order", () => {
  expect(ids("operator")).toEqual(["desk", "cases", "board", "cameras", "shifts"]);
  expect(ids("camera")).toEqual(["cases", "board", "cameras", "shifts"]);
  expect(ids("navigation")).toEqual(["cases", "board", "shifts"]);
  expect(ids("camera", "supervisor")).toEqual(["desk", "cases", "board", "cameras", "wall", "shifts"]);
  expect(ids("nobody")).toEqual(["desk"]);
});

test("each role begins in its own room, or where it can while that is not there", () => {
  const start = (role: string, list = all) => startOf(staff(role), roomsOf(staff(role), list));
  const want: Record<string, RoomID> = { operator: "desk", dispatcher: "board", camera: "cameras", navigation: "board", supervisor: "wall" };
  for (const [role, room] of Object.entries(want)) expect(start(role)).toBe(room);
  const few = all.filter((r) => r.id === "desk" || r.id === "cases");
  expect(["operator", "dispatcher", "camera", "navigation", "supervisor"].map((r) => start(r, few))).toEqual(["desk", "cases", "cases", "cases", "desk"]);
  expect(start("nobody", few)).toBe("desk");
});

test("an address leads into its room with its query, and back", () => {
  const q = new URLSearchParams({ text: "шум & драка?", open: "1" });
  for (const id of roomIDs) {
    const at = placeOf(hashOf(id, q));
    expect([at.room, at.query.get("text"), at.query.get("open")]).toEqual([id, "шум & драка?", "1"]);
    expect(placeOf(hashOf(id)).room).toBe(id);
  }
  for (const bad of ["", "#", "#nowhere", "#?x=1", "%%%"]) expect(roomIDs as readonly string[]).not.toContain(placeOf(bad).room);
});
