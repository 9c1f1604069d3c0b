/** Text of a matrix's rows: what is printed of a small layer and, for the output layer, its predictions. */
import type { SnapshotEntry } from "../../contract/activis";
import type { OutputChange, PrintedRow } from "../../draw/matrix_text";
import {
  accuracyOfRow,
  isError,
  type Judgement,
  judgementOf,
  lacksPredictions,
  predictedNames,
} from "../../store/judgement";
import { changeOf, isInstance, type MatrixRow, rightByDefinition, type SubsetFacts } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import type { MatrixFrame } from "./matrix_context";

export function printedRow(store: SnapshotStore, frame: MatrixFrame, row: MatrixRow, top: number): PrintedRow {
  const values = frame.valuesOf(row);
  const none: PrintedRow = {
    top,
    values,
    predicted: null,
    label: -1,
    accuracy: null,
    accuracyLimits: null,
    byDefinition: false,
    score: null,
    change: null,
  };
  if (!frame.output) return none;
  if (frame.isDifference) return { ...none, change: changeFromBase(store, row) };
  const snapshot = store.snapshot.value;
  const subset = store.factsOf(row);
  if (subset) {
    return {
      ...none,
      predicted: predictedCounts(snapshot, subset),
      label: row.kind === "class" ? row.subset : -1,
      accuracy: accuracyOfRow(subset),
      accuracyLimits: accuracyLimits(store, row),
      byDefinition: definedAccuracy(store, row) !== null,
    };
  }
  const prediction = predictionOf(store, row);
  if (!prediction) return none;
  const { judgement, score } = prediction;
  const names = predictedNames(snapshot);
  const place = judgement.kind === "nothing" ? names.length - 1 : judgement.predicted;
  return {
    ...none,
    // A test case may be predicted as nothing where no recorded instance is: there is no column for it then.
    predicted: names.map((_, at) =>
      Number(at === place && (judgement.kind !== "nothing" || lacksPredictions(snapshot))),
    ),
    label: judgement.label,
    score: score === null ? null : { value: score, correct: !isError(judgement) },
  };
}

/** By class, and as the last where there is any, how many are predicted as nothing. */
function predictedCounts(snapshot: SnapshotEntry | null, subset: SubsetFacts): readonly number[] {
  const { predicted_counts, without_prediction } = subset;
  return lacksPredictions(snapshot) && predicted_counts.length > 0
    ? [...predicted_counts, without_prediction]
    : predicted_counts;
}

/** Of an estimate, or of rounded activations; null where the accuracy is exact. */
function accuracyLimits({ answerOf }: SnapshotStore, row: MatrixRow): readonly [number, number] | null {
  const answer = answerOf(row)?.value;
  if (!answer || answer.correct === undefined || answer.accuracy_low === answer.accuracy_high) return null;
  return [answer.accuracy_low, answer.accuracy_high];
}

/** The accuracy that a row has because its instances were chosen by it; null where it tells something. */
function definedAccuracy({ beside }: SnapshotStore, row: MatrixRow): number | null {
  if (row.kind !== "outcome" || (beside && beside.position !== row.other)) return null;
  return Number(rightByDefinition(row.outcome, beside === null));
}

/** What the model made of a sampled instance, and how surely, null of no prediction; null for other rows. */
export function predictionOf(
  { instances }: SnapshotStore,
  row: MatrixRow,
): { judgement: Judgement; score: number | null } | null {
  const columns = instances.state.value.value;
  if (!columns || !isInstance(row) || columns.predicted[row.sampled] === undefined) return null;
  const judgement = judgementOf(columns, row.sampled);
  return { judgement, score: judgement.kind === "nothing" ? null : (columns.score[row.sampled] ?? 0) };
}

/** What became of a row's predictions from the base to here; null where that is not known. */
function changeFromBase(store: SnapshotStore, row: MatrixRow): OutputChange | null {
  const base = store.beside?.base;
  const baseRow = base?.rowOfKey(row.key);
  if (!base || !baseRow) return null;
  const [before, after] = [base.factsOf(baseRow), store.factsOf(row)];
  const [was, is] = [before && accuracyOfRow(before), after && accuracyOfRow(after)];
  if (was !== null && is !== null) {
    return { points: 100 * (is - was), byDefinition: definedAccuracy(store, row) !== null };
  }
  const [first, second] = [predictionOf(base, baseRow), predictionOf(store, row)];
  if (!first || !second || first.score === null || second.score === null) return null;
  if (first.judgement.label < 0 || second.judgement.label < 0) return null;
  return {
    before: first.score,
    after: second.score,
    change: changeOf(!isError(first.judgement), !isError(second.judgement)),
  };
}
