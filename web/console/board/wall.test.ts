import { expect, test } from "vitest";
import { onPage, pagesOf } from "./wall";

test("each camera is on one page of the wall", () => {
  for (const size of [2, 3]) {
    for (let n = 0; n < 30; n++) {
      const list = Array.from({ length: n }, (_, i) => i);
      const pages = Array.from({ length: pagesOf(n, size) }, (_, i) => onPage(list, size, i));
      expect(pages.flat()).toEqual(list);
      expect(pages.every((p) => p.length <= size * size)).toBe(true);
      expect(pages.slice(1).every((p) => p.length > 0)).toBe(true);
    }
  }
});
