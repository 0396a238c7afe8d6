/** Binary search. */

/**
 * Index of the first item that `isIn` holds for, from `from` on; the list's length where it holds for
 * none. Once it holds for an item it has to hold for all that follow. Items before `from` aren't looked at,
 * and may be left out (undefined).
 */
export function firstIndex<Item>(
  list: readonly (Item | undefined)[],
  isIn: (item: Item) => boolean,
  from = 0,
): number {
  let low = from;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isIn(list[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
