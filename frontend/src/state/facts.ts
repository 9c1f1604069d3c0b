/** What a snapshot says about all of its instances. */

import { sum } from "d3-array";
import type { SnapshotEntry } from "../contract/activis";

/** How many instances there are, and which share of them was predicted right; NaN of none, and without labels. */
export function accuracyOf(snapshot: SnapshotEntry | null): { count: number; share: number } {
  const classes = snapshot?.subsets.filter((subset) => subset.kind === "class") ?? [];
  const count = sum(classes, (subset) => subset.count);
  return { count, share: sum(classes, (subset) => subset.correct ?? Number.NaN) / count };
}

/** The share of a row's instances that were predicted right; null of none, and without labels. */
export function accuracyOfRow({ count, correct }: { count: number; correct?: number | undefined }): number | null {
  return correct === undefined || count === 0 ? null : correct / count;
}

/** How many of the first subsets every instance is in one of: the classes, or all instances where there are no labels. */
export const strataOf = (snapshot: SnapshotEntry | null): number =>
  snapshot?.unlabelled ? 1 : (snapshot?.classes.length ?? 0);
