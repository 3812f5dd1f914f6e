import { expect, test } from "vitest";
import { addLocale, t } from "./i18n";

test("two parts of a page whose texts come at once both keep theirs", async () => {
  await Promise.all([addLocale("board", "ru"), addLocale("lane", "ru")]);
  expect(t("board.wall.map")).toBe("Карта");
  expect(t("lane.home")).not.toBe("lane.home");
});
