/** Grouping of the instances in the paper's order. */

import { descending } from "d3-array";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { judgementOf } from "../../store/judgement";

export interface Group {
  /** Sampled rows whose prediction is right, by score, descending; without labels all. */
  correct: readonly number[];
  /** The others, by score, descending. */
  misclassified: readonly number[];
}

/**
 * Groups the sampled rows, without the test cases, by true label, those alone that `filtered` has as 1 where there is a
 * filter; (classes,). Without labels by predicted class, and last those that are predicted as nothing; (classes + 1,).
 */
export function groupInstances(
  instances: InstanceColumns,
  { classes, unlabelled }: Pick<SnapshotEntry, "classes" | "unlabelled">,
  filtered: Uint8Array | null = null,
): Group[] {
  const length = classes.length + Number(unlabelled);
  const groups = Array.from({ length }, () => ({ correct: [] as number[], misclassified: [] as number[] }));
  instances.label.forEach((label, row) => {
    if (instances.example[row] || (filtered && filtered[row] !== 1)) return;
    const judgement = judgementOf(instances, row);
    const group = groups[unlabelled ? placeOf(judgement.predicted, classes.length) : label];
    (unlabelled || judgement.kind === "right" ? group?.correct : group?.misclassified)?.push(row);
  });
  const byScore = (first: number, second: number) =>
    descending(instances.score[first], instances.score[second]) || first - second;
  for (const group of groups) {
    group.correct.sort(byScore);
    group.misclassified.sort(byScore);
  }
  return groups;
}

const placeOf = (predicted: number, classes: number): number => (predicted < 0 ? classes : predicted);
