import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Action, may, table } from "./may";

/** The gateway's table: action → roles, in their own unit or everywhere. */
function gateway(): Map<string, string[]> {
  const source = readFileSync(new URL("../../internal/access/access.go", import.meta.url), "utf8");
  const names = new Map([...source.matchAll(/^\t(\w+)\s+(?:Action|Role)\s+= "(\w+)"/gm)].map((m) => [m[1] ?? "", m[2] ?? ""]));
  return new Map([...source.matchAll(/^\t(\w+):\s+\{(.*Role\{.*)\},$/gm)].map((m) => {
    const roles = [...(m[2] ?? "").matchAll(/Role\{([^}]*)\}/g)].flatMap((r) => (r[1] ?? "").split(", "));
    return [names.get(m[1] ?? "") ?? "", roles.map((r) => names.get(r) ?? "?")];
  }));
}

test("who is shown what is who may do it", () => {
  const truth = gateway();
  expect(truth.size).toBeGreaterThan(20);
  for (const [action, roles] of Object.entries(table)) expect([...roles].sort(), action).toEqual(truth.get(action)?.sort());
});

test("one of several roles is enough, and nobody may nothing", () => {
  const staff = (...roles: string[]) => ({ staff: "s", name: "", roles });
  expect(may(staff("camera", "supervisor"), "listen")).toBe(true);
  expect(may(staff("camera"), "take_calls")).toBe(false);
  for (const action of Object.keys(table) as Action[]) expect(may(undefined, action)).toBe(false);
});
