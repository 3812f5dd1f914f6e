import { expect, test } from "vitest";
import { addLocale, t } from "./i18n";

test("two parts of a page that load at once both have their texts", async () => {
  await Promise.all([addLocale("cases", "ru"), addLocale("board", "ru"), addLocale("evidence", "ru")]);
  for (const key of ["cases.title", "board.cases", "title"]) expect(t(key), key).not.toBe(key);
});
