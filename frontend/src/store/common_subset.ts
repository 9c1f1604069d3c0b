/** Common subset: what the instances of a confusion share and the others of their class do not. */

import { greatest } from "d3-array";
import type { InstanceColumns, SnapshotEntry } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import type { Confusion } from "./confusion";

/** A recorded subset that many of a confusion's instances are in, and few others of their class. */
export interface Common {
  /** Position on the axis `subsets`. */
  subset: number;
  /** The sampled rows of the confusion that are in it. */
  members: readonly number[];
  /** The share of the other instances of the class that is in it. */
  elsewhere: number;
}

/** Less is not said. */
const LEAST_SHARE = 0.5;
const SIGNIFICANT = 0.05;

/**
 * Returns the recorded subset that the instances of a confusion are in much more often than the others of their class: by
 * Fisher's exact test, corrected for the subsets tried (Bonferroni). Null where none passes, and where not all instances
 * are kept, so that counts would be estimates.
 *
 * @param membership The mapping S, uint8 (rows, subsets)
 */
export function commonSubset(
  { label: truth, predicted: taken }: Confusion,
  { subsets, instances, sampled }: SnapshotEntry,
  { label, predicted, example }: InstanceColumns,
  { shape: [, width = 0], data }: NpyArray<Uint8Array>,
): Common | null {
  const tried = [...subsets.keys()].filter((subset) => !["class", "all"].includes(subsets[subset]?.kind ?? ""));
  if (sampled < instances || tried.length === 0) return null;
  const ofClass = [...label.keys()].filter((row) => label[row] === truth && !example[row]);
  const inside = ofClass.filter((row) => (predicted[row] ?? -1) === (taken ?? -1));
  const outside = ofClass.length - inside.length;
  const logs = logFactorials(ofClass.length);
  const found = tried.map((subset) => {
    const isIn = (row: number) => data[row * width + subset] === 1;
    const members = inside.filter(isIn);
    const elsewhere = ofClass.filter(isIn).length - members.length;
    const chance = tailOf(members.length, inside.length, members.length + elsewhere, ofClass.length, logs);
    return { subset, members, elsewhere: elsewhere / outside, chance };
  });
  const holds = found.filter(
    ({ members, chance }) => members.length >= LEAST_SHARE * inside.length && chance * tried.length < SIGNIFICANT,
  );
  return greatest(holds, ({ chance }) => -chance) ?? null;
}

/** Logarithms of the factorials from 0 to `most`. */
function logFactorials(most: number): Float64Array {
  const logs = new Float64Array(most + 1);
  for (let number = 1; number <= most; number++) logs[number] = (logs[number - 1] ?? 0) + Math.log(number);
  return logs;
}

/** Chance of at least `found` marked ones among `drawn` of `all`, of which `marked` are (hypergeometric). */
function tailOf(found: number, drawn: number, marked: number, all: number, logs: Float64Array): number {
  const choose = (from: number, count: number) => (logs[from] ?? 0) - (logs[count] ?? 0) - (logs[from - count] ?? 0);
  let chance = 0;
  for (let count = found; count <= Math.min(drawn, marked); count++) {
    if (drawn - count > all - marked) continue;
    chance += Math.exp(choose(marked, count) + choose(all - marked, drawn - count) - choose(all, drawn));
  }
  return chance;
}
