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
import { rowAccuracy } from "../../store/row_accuracy";
import { changeOf, isInstance, type MatrixRow, type SubsetFacts } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { textWidth } from "../../ui/ruler";
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
    // Beside its name stands the accuracy of a row of the base.
    const accuracy = store.beside && rowAccuracy(store, row);
    return {
      ...none,
      predicted: predictedCounts(snapshot, subset),
      label: row.kind === "class" ? row.subset : -1,
      accuracy: accuracy?.share ?? null,
      accuracyLimits: accuracy?.limits ?? null,
      byDefinition: accuracy?.byDefinition ?? false,
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

/** What the bars beside a base's values show: scores of instances, accuracies stand beside the names; empty without any. */
export const barHeading = (rows: readonly MatrixRow[]): string => (rows.some(isInstance) ? "score" : "");

/** By class, and as the last where there is any, how many are predicted as nothing. */
function predictedCounts(snapshot: SnapshotEntry | null, subset: SubsetFacts): readonly number[] {
  const { predicted_counts, without_prediction } = subset;
  return lacksPredictions(snapshot) && predicted_counts.length > 0
    ? [...predicted_counts, without_prediction]
    : predicted_counts;
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
    return { points: 100 * (is - was), byDefinition: rowAccuracy(store, row)?.byDefinition ?? false };
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

/** Room left of the cells, in CSS pixels: for the names, and for the numbers beside them. */
export interface LabelSpace {
  width: number;
  /** Of size and accuracy together. */
  numbers: number;
  /** What of the accuracy has room: bar and figure, the figure, or nothing. */
  accuracy: "bar" | "figure" | "none";
}

const SIZE = 44;
const FIGURE = 44;
const BAR = 56;
/** Of the figure without a bar, which stands below its heading. */
const FIGURE_ALONE = 54;
/** A sign, the gaps around it, and the mark of a sorting row. */
const BESIDE_NAME = 42;
const NAME = { least: 32, most: 190, mostShare: 0.3 };
/** Of the matrix, from which on the accuracy has room. */
const ROOM = { bar: 450, figure: 360 };
/** Names longer than others in characters are so in pixels, near enough. */
const MEASURED = 12;

/** Where runs are compared; sides.css has it too. */
const COMPARED = 190;

/**
 * Gives names the room that the longest needs, and the numbers what the matrix's width leaves them.
 *
 * @param width Of the matrix; 0 where runs are compared.
 */
export function labelSpace(names: readonly string[], width: number, labelled: boolean): LabelSpace {
  if (width === 0) return { width: COMPARED, numbers: SIZE + FIGURE_ALONE, accuracy: labelled ? "figure" : "none" };
  const accuracy = !labelled || width < ROOM.figure ? "none" : width < ROOM.bar ? "figure" : "bar";
  const numbers = SIZE + { bar: BAR + FIGURE, figure: FIGURE_ALONE, none: 0 }[accuracy];
  const longest = names.toSorted((first, second) => second.length - first.length).slice(0, MEASURED);
  const needed = Math.max(0, ...longest.map((name) => textWidth(name, "11px Roboto")));
  const most = Math.max(NAME.least, Math.min(NAME.most, NAME.mostShare * width));
  return {
    width: Math.ceil(BESIDE_NAME + Math.min(most, Math.max(NAME.least, needed)) + numbers),
    numbers,
    accuracy,
  };
}
