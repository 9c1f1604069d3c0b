/** The sort by what separates two rows, as text that can stand in a URL. */

import { joinList, splitList } from "./hash";

const PREFIX = "compare:";

export const compareKey = (first: string, second: string): string => PREFIX + joinList([first, second]);

/** Keys of the two rows; null for another sort. */
export function comparedKeys(sort: string): readonly [string, string] | null {
  if (!sort.startsWith(PREFIX)) return null;
  const [first, second, ...others] = splitList(sort.slice(PREFIX.length));
  return first && second && others.length === 0 ? [first, second] : null;
}

/** The sort after a row got another key. */
export function renamedInSort(sort: string, from: string, to: string): string {
  const keys = comparedKeys(sort);
  if (!keys) return sort === from ? to : sort;
  const [first, second] = keys.map((key) => (key === from ? to : key));
  return compareKey(first ?? "", second ?? "");
}
