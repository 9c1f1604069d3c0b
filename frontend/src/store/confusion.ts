/** Confusion: which class a snapshot's model takes for which other, most surely of all. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { greatest, sum } from "d3-array";
import type { InstanceColumns, SnapshotEntry } from "../contract/activis";
import type { SnapshotView } from "./catalogue";
import type { UrlState } from "./url_state";

/** Instances of one class that are predicted as another, from counts over all instances. */
export interface Confusion {
  /** Position of the true class. */
  label: number;
  /** Position of the predicted class; null where they are predicted as nothing. */
  predicted: number | null;
  count: number;
  /** What the count is of: the errors of the class; of two classes, where all errors go to the other, its instances. */
  of: number;
  isOfErrors: boolean;
}

/** A smaller class leads nothing, nor does a single error. */
const LEAST_INSTANCES = 10;
const LEAST_COUNT = 2;

/**
 * Returns the strongest confusion: the one whose share, of its class's errors or of two classes of its class, is surely
 * the largest, by the lower end of its 95 % interval (Wilson 1927). Null where there is none, or no counts to tell it by.
 */
export function strongestConfusion(
  { classes, subsets, unlabelled, instances, sampled }: SnapshotEntry,
  columns: InstanceColumns | null,
): Confusion | null {
  if (unlabelled || classes.length < 2) return null;
  const counts = sampled >= instances && columns ? countsOf(columns) : null;
  const confusions = classes.flatMap((_, label): Confusion[] => {
    const row = subsets[label];
    if (row?.kind !== "class" || row.correct === undefined || row.count < LEAST_INSTANCES) return [];
    const { count: size, correct, predicted_counts, without_prediction } = row;
    const taken = predicted_counts.length > 0 ? predicted_counts.entries() : (counts?.get(label) ?? []);
    const isOfErrors = classes.length > 2;
    const of = isOfErrors ? size - correct : size;
    return [...[...taken].sort(([first], [second]) => first - second), [null, without_prediction] as const].flatMap(
      ([predicted, count]) =>
        predicted === label || count < LEAST_COUNT ? [] : [{ label, predicted, count, of, isOfErrors }],
    );
  });
  return greatest(confusions, ({ count, of }) => leastShare(count, of)) ?? null;
}

/** By true class and predicted one, how many instances there are, where there are any. */
function countsOf({ label, predicted, example }: InstanceColumns): Map<number, Map<number, number>> {
  const counts = new Map<number, Map<number, number>>();
  for (const [row, truth] of label.entries()) {
    const found = predicted[row] ?? -1;
    if (truth < 0 || example[row] || found < 0) continue;
    const line = counts.get(truth) ?? new Map<number, number>();
    counts.set(truth, line);
    line.set(found, (line.get(found) ?? 0) + 1);
  }
  return counts;
}

/** The lower end of the 95 % interval of a share. */
function leastShare(count: number, of: number): number {
  const z = 1.96;
  const share = count / of;
  const spread = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return (share + (z * z) / (2 * of) - spread) / (1 + (z * z) / of);
}

/** How many instances there are, and how many are not predicted as their label; null where nothing can be right. */
export function errorCount({ classes, subsets, unlabelled }: SnapshotEntry): { errors: number; over: number } | null {
  const rows = subsets.filter(({ kind }) => kind === "class");
  const over = sum(rows, ({ count }) => count);
  const isPredicted = rows.some(({ count, without_prediction }) => without_prediction < count);
  if (unlabelled || classes.length < 2 || !isPredicted || rows.some(({ correct }) => correct === undefined))
    return null;
  return { errors: over - sum(rows, ({ correct }) => correct ?? 0), over };
}

/** More outlines than these hide what they point at. */
const MOST_OUTLINED = 100;

/** The sampled instances of a confusion, ascending, that are outlined: none of too many; test cases are none of them. */
export function outlinedRows(confusion: Confusion, { label, predicted, example }: InstanceColumns): number[] {
  const rows = [...label.keys()].filter(
    (row) => label[row] === confusion.label && (predicted[row] ?? -1) === (confusion.predicted ?? -1) && !example[row],
  );
  return rows.length > MOST_OUTLINED ? [] : rows;
}

/** What the sentence at the top is about. */
export interface Reported {
  confusion: Confusion;
  /** Sampled instances that are outlined for it, ascending. */
  rows: readonly number[];
}

/** Follows the sentence; null while it names no confusion, is put away, or makes room for a comparison. */
export function followReported(
  { unsaid, comparing }: UrlState,
  { selection, snapshot }: SnapshotView,
  columns: ReadonlySignal<InstanceColumns | null>,
): ReadonlySignal<Reported | null> {
  const confusion = computed(() => snapshot.value && strongestConfusion(snapshot.value, columns.value));
  const rows = computed(() => (confusion.value && columns.value ? outlinedRows(confusion.value, columns.value) : []));
  return computed(() => {
    const isSaid = unsaid.value !== (selection.value?.run.run ?? "") && comparing.others.value.length === 0;
    return isSaid && confusion.value ? { confusion: confusion.value, rows: rows.value } : null;
  });
}

/**
 * Returns `most` classes, those with most instances that are taken for another or of another that are taken for them, in
 * the order of the classes; of equals the first ones.
 */
export function mostConfused({ classes, subsets, unlabelled }: SnapshotEntry, most: number): string[] {
  const counts = new Float64Array(classes.length);
  for (const label of unlabelled ? [] : classes.keys()) {
    const { count = 0, correct = count, predicted_counts = [] } = subsets[label] ?? {};
    counts[label] = (counts[label] ?? 0) + count - correct;
    for (const [predicted, taken] of predicted_counts.entries())
      if (predicted !== label) counts[predicted] = (counts[predicted] ?? 0) + taken;
  }
  const ranked = [...classes.keys()].sort((first, second) => (counts[second] ?? 0) - (counts[first] ?? 0));
  const chosen = new Set(ranked.slice(0, most));
  return classes.filter((_, label) => chosen.has(label));
}
