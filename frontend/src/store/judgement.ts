/** Judgement of an instance: its prediction against its label, and its scores. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { sum } from "d3-array";
import type { InstanceColumns, SnapshotEntry } from "../contract/activis";
import type { Client } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import { type Cache, createResource } from "./resource";

export type JudgementKind =
  | "right"
  | "wrong"
  /** Some of its scores are not finite, so it is predicted as nothing. */
  | "nothing"
  /** There is no label that it could be right about. */
  | "unlabelled";

export interface Judgement {
  kind: JudgementKind;
  /** Positions of the true and of the predicted class; -1 where there is none. */
  label: number;
  predicted: number;
}

export function judgementOf(columns: Pick<InstanceColumns, "label" | "predicted">, row: number): Judgement {
  const label = columns.label[row] ?? -1;
  const predicted = columns.predicted[row] ?? -1;
  if (predicted < 0) return { kind: "nothing", label, predicted };
  if (label < 0) return { kind: "unlabelled", label, predicted };
  return { kind: label === predicted ? "right" : "wrong", label, predicted };
}

/** Whether it is to be seen as an error: predicted as another class, or as nothing although there is a label. */
export const isError = ({ kind, label }: Judgement): boolean => kind === "wrong" || (kind === "nothing" && label >= 0);

export const NO_PREDICTION = "no prediction";

export const predictedName = (classes: readonly string[], predicted: number): string =>
  classes[predicted] ?? NO_PREDICTION;

/** `DESC ✓`, `NUM → DESC`, `NUM → none`; without a label, what it is predicted as. */
export function judgementText({ kind, label, predicted }: Judgement, classes: readonly string[]): string {
  if (kind === "right") return `${classes[label]} ✓`;
  const found = predictedName(classes, predicted);
  return label < 0 ? found : `${classes[label]} → ${classes[predicted] ?? "none"}`;
}

/** Whether any instance of the snapshot is predicted as nothing. */
export const lacksPredictions = (snapshot: SnapshotEntry | null): boolean =>
  snapshot?.subsets.some(({ without_prediction }) => without_prediction > 0) ?? false;

/** What instances are predicted as, the classes and, where there is any, nothing: columns of a table of counts. */
export const predictedNames = (snapshot: SnapshotEntry | null): readonly string[] =>
  snapshot ? [...snapshot.classes, ...(lacksPredictions(snapshot) ? ["none"] : [])] : [];

/** How many instances there are, and which share of them was predicted right; NaN of none, and without labels. */
export function accuracyOf(snapshot: SnapshotEntry | null): { count: number; share: number } {
  const known = snapshot && accuracies.get(snapshot);
  if (known) return known;
  const classes = snapshot?.subsets.filter((subset) => subset.kind === "class") ?? [];
  const count = sum(classes, (subset) => subset.count);
  const accuracy = { count, share: sum(classes, (subset) => subset.correct ?? Number.NaN) / count };
  if (snapshot) accuracies.set(snapshot, accuracy);
  return accuracy;
}

const accuracies = new WeakMap<SnapshotEntry, { count: number; share: number }>();

/** The share of a row's instances that were predicted right; null of none, and without labels. */
export function accuracyOfRow({ count, correct }: { count: number; correct?: number | undefined }): number | null {
  return correct === undefined || count === 0 ? null : correct / count;
}

/** How many of the first subsets every instance is in one of: the classes, or all instances where there are no labels. */
export const strataOf = (snapshot: SnapshotEntry | null): number =>
  snapshot?.unlabelled ? 1 : (snapshot?.classes.length ?? 0);

/** Scores by class, (classes,); null while they are not there. */
export type Scores = ArrayLike<number>;

/** Follows `instance`, a sampled row or -1. */
export function followScores(
  { client, cache, view }: { client: Client; cache: Cache; view: SnapshotView },
  instances: ReadonlySignal<InstanceColumns | null>,
  instance: ReadonlySignal<number>,
): ReadonlySignal<Scores | null> {
  const fetched = createResource<NpyArray<Float32Array>>(() => {
    const reference = view.reference.value;
    const row = instance.value;
    if (!reference || row < 0 || !instances.value || instances.value.scores.length > 0) return null;
    return { key: `scores ${row} ${view.key.value}`, load: (signal) => client.scores(reference, row, signal) };
  }, cache);
  return computed(() => {
    const columns = instances.value;
    const row = instance.value;
    if (!columns || row < 0) return null;
    if (columns.scores.length === 0) return fetched.state.value.value?.data ?? null;
    const classes = columns.scores.length / columns.id.length;
    return columns.scores.slice(row * classes, (row + 1) * classes);
  });
}
