/** The paper's order of the instances. */

import { descending } from "d3-array";
import type { InstanceColumns } from "../../contract/activis";

export interface Group {
  /** Sampled rows whose prediction is right, by score, descending. */
  correct: readonly number[];
  /** The others, by score, descending. */
  misclassified: readonly number[];
}

/** Groups the sampled rows, without the test cases, by true label, those alone that `filtered` has as 1 where there is a filter; (classes,). */
export function groupInstances(
  instances: InstanceColumns,
  classes: number,
  filtered: Uint8Array | null = null,
): Group[] {
  const groups = Array.from({ length: classes }, () => ({ correct: [] as number[], misclassified: [] as number[] }));
  instances.label.forEach((label, row) => {
    if (instances.example[row] || (filtered && filtered[row] !== 1)) return;
    const group = groups[label];
    (instances.predicted[row] === label ? group?.correct : group?.misclassified)?.push(row);
  });
  const byScore = (first: number, second: number) =>
    descending(instances.score[first], instances.score[second]) || first - second;
  for (const group of groups) {
    group.correct.sort(byScore);
    group.misclassified.sort(byScore);
  }
  return groups;
}
