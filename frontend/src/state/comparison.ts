/** Which two rows are compared. */

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { DEFAULT_SORT, type Durable } from "./durable";
import type { Pointing } from "./pointed";
import { isMany, type MatrixRow } from "./rows";
import { comparedKeys, compareKey } from "./sort_key";

export type ComparedRows = readonly [MatrixRow, MatrixRow];

export interface Comparison {
  /** The row that waits for another one. */
  marked: ReadonlySignal<MatrixRow | null>;
  /** The two rows whose difference sorts the neurons. */
  compared: ReadonlySignal<ComparedRows | null>;
  /** Marks a row, or compares it with the marked one; once more, the mark goes. */
  compare: (row: MatrixRow) => void;
  /** Takes back the mark, else ends the comparison; false where there is neither. */
  end: () => boolean;
}

export function openComparison(
  { sort }: Pick<Durable, "sort">,
  find: (key: string) => MatrixRow | null,
  { point }: Pick<Pointing, "point">,
): Comparison {
  const marked: Signal<MatrixRow | null> = signal(null);
  let before = DEFAULT_SORT;
  const compared = computed((): ComparedRows | null => {
    const [first, second] = comparedKeys(sort.value)?.map(find) ?? [];
    return first && second ? [first, second] : null;
  });
  return {
    marked,
    compared,
    compare: (row) => {
      const first = marked.peek();
      if (!first) marked.value = row;
      else if (first.key === row.key) marked.value = null;
      else if (!isMany(first) && !isMany(row)) {
        point("Two instances have no spread to measure their difference by; compare one with a class or subset.");
      } else
        batch(() => {
          if (!comparedKeys(sort.peek())) before = sort.peek();
          sort.value = compareKey(first.key, row.key);
          marked.value = null;
        });
    },
    end: () => {
      const wasMarked = marked.peek() !== null;
      marked.value = null;
      if (wasMarked) return true;
      if (!comparedKeys(sort.peek())) return false;
      sort.value = before;
      return true;
    },
  };
}
