/** What a snapshot says about all of its instances. */

import { sum } from "d3-array";
import type { SnapshotEntry } from "../contract/activis";

/** How many instances there are, and which share of them was predicted right; NaN of none. */
export function accuracyOf(snapshot: SnapshotEntry | null): { count: number; share: number } {
  const classes = snapshot?.subsets.filter((subset) => subset.kind === "class") ?? [];
  const count = sum(classes, (subset) => subset.count);
  return { count, share: sum(classes, (subset) => subset.correct) / count };
}
