/** How many pages a wall of size × size pictures has; one at least. */
export function pagesOf(cameras: number, size: number): number {
  return Math.max(1, Math.ceil(cameras / (size * size)));
}

/** What is on one page of the wall. */
export function onPage<T>(list: T[], size: number, page: number): T[] {
  return list.slice(page * size * size, (page + 1) * size * size);
}
