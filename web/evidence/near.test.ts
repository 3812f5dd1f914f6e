import { expect, test } from "vitest";
import { near, placeOf } from "./near";

test("a place is read as it is written", () => {
  expect(placeOf("54.87,69.16,500")).toEqual({ lat: 54.87, lon: 69.16, metres: 500 });
  expect(["54.87530, 69.16280", "54.8753 69.1628", "54.8753;69.1628"].map((s) => near(s, 100))).toEqual(Array(3).fill("54.8753,69.1628,100"));
  for (const bad of ["", "54", "x,y,1", "91,0,1", "0,181,1", "0,0,0", "0,0,1e9", "1,2,3,4", ",,"]) expect(placeOf(bad), bad).toBeUndefined();
  expect(near("Абай 24", 100)).toBeUndefined();
});
