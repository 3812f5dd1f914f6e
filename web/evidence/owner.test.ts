import { expect, test } from "vitest";
import { operatorName } from "./owner";

const event = (kind: string, body: object) => ({ ms: 0, kind, details: { kind, body } });
const detail = (...events: ReturnType<typeof event>[]) => ({ row: { operator: "S." }, timeline: { events } });

test("of several operators only the last has the name of the row", () => {
  const d = detail(event("accepted", { operator: "a" }), event("held", { on: true }), event("taken_over", { by: "s", from: "a" }));
  expect(operatorName({ participant: "operator-s" }, d)).toBe("S.");
  expect(operatorName({ participant: "operator-a" }, d)).toBe("");
  expect(operatorName({ participant: "operator-a" }, detail(event("accepted", { operator: "a" })))).toBe("S.");
  expect(operatorName({ participant: "operator-a" }, detail())).toBe("S.");
});
