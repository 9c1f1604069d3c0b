/** Grouping of the instances in the paper's order, or in that of a neuron. */

import { descending } from "d3-array";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { judgementOf } from "../../store/judgement";

export interface Group {
  /** Sampled rows whose prediction is right, by score or a neuron, descending; without labels all. */
  correct: readonly number[];
  /** The others, likewise. */
  misclassified: readonly number[];
}

/**
 * Groups the sampled rows, without the test cases, by true label, those alone that `filtered` has as 1 where there is a
 * filter; (classes,). Without labels by predicted class, and last those that are predicted as nothing; (classes + 1,).
 *
 * @param values Of the neuron that orders them, by row; null where the score does
 */
export function groupInstances(
  instances: InstanceColumns,
  { classes, unlabelled }: Pick<SnapshotEntry, "classes" | "unlabelled">,
  filtered: Uint8Array | null = null,
  values: Float32Array | null = null,
): Group[] {
  const length = classes.length + Number(unlabelled);
  const groups = Array.from({ length }, () => ({ correct: [] as number[], misclassified: [] as number[] }));
  instances.label.forEach((label, row) => {
    if (instances.example[row] || (filtered && filtered[row] !== 1)) return;
    const judgement = judgementOf(instances, row);
    const group = groups[unlabelled ? placeOf(judgement.predicted, classes.length) : label];
    (unlabelled || judgement.kind === "right" ? group?.correct : group?.misclassified)?.push(row);
  });
  const sorted = values ?? instances.score;
  const strongestFirst = (first: number, second: number) => descending(sorted[first], sorted[second]) || first - second;
  for (const group of groups) {
    group.correct.sort(strongestFirst);
    group.misclassified.sort(strongestFirst);
  }
  return groups;
}

const placeOf = (predicted: number, classes: number): number => (predicted < 0 ? classes : predicted);

/** By row, how much of its colour a square keeps, from 0 where the activation is not above zero to 1 where it is largest. */
export function tonesOf(values: Float32Array): Float32Array {
  const most = values.reduce((largest, value) => (value > largest ? value : largest), 0);
  return values.map((value) => (value > 0 && most > 0 ? Math.min(1, (value / most) ** 0.75) : 0));
}
