/** Which square the arrow keys lead to: left and right in order, across sides and groups; up and down by lines. */

import type { Group } from "./grouping";
import type { PlacedGroup } from "./windowing";

export interface SquarePosition {
  label: number;
  side: keyof Group;
  position: number;
}

const SIDES = ["correct", "misclassified"] as const;

export function findSquare(groups: readonly Group[], row: number): SquarePosition | null {
  for (const [label, group] of groups.entries()) {
    for (const side of SIDES) {
      const position = group[side].indexOf(row);
      if (position >= 0) return { label, side, position };
    }
  }
  return null;
}

/** Returns the sampled row that `key` leads to from `row`; null where it leads nowhere. */
export function rowAfter(
  groups: readonly Group[],
  placed: readonly PlacedGroup[],
  row: number,
  key: string,
): number | null {
  const from = findSquare(groups, row);
  if (!from) return null;
  const line = groups[from.label]?.[from.side] ?? [];
  const perLine = placed[from.label]?.perLine[from.side] ?? 1;
  if (key === "ArrowDown") return line[from.position + perLine] ?? nextInColumn(groups, from, 1);
  if (key === "ArrowUp") return line[from.position - perLine] ?? nextInColumn(groups, from, -1);
  const order = groups.flatMap((group) => [...group.correct, ...group.misclassified]);
  const at = order.indexOf(row);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: order.length - 1 }[key];
  return to === undefined ? null : (order[to] ?? null);
}

/** The first square on the same side of the next group that has one; the last of the one before. */
function nextInColumn(groups: readonly Group[], { label, side }: SquarePosition, step: 1 | -1): number | null {
  for (let other = label + step; other >= 0 && other < groups.length; other += step) {
    const row = step > 0 ? groups[other]?.[side][0] : groups[other]?.[side].at(-1);
    if (row !== undefined) return row;
  }
  return null;
}
