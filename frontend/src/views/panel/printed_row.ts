/** What is printed in a row of a small layer: its values and, for the output layer, what the model made of it. */

import type { OutputChange } from "../../draw/output_change";
import type { PrintedRow } from "../../draw/printed";
import { changeOf, parseOutcome, rightByDefinition } from "../../state/outcomes";
import type { MatrixRow } from "../../state/rows";
import type { Store } from "../../state/store";
import type { MatrixFrame } from "./frame";

export function printedRow(store: Store, frame: MatrixFrame, row: MatrixRow, top: number): PrintedRow {
  const values = frame.valuesOf(row);
  const none: PrintedRow = {
    top,
    values,
    predicted: null,
    label: -1,
    accuracy: null,
    byDefinition: false,
    score: null,
    change: null,
  };
  if (!frame.output) return none;
  if (frame.isDifference) return { ...none, change: changeFromBase(store, row) };
  const subset = store.factsOf(row);
  if (subset) {
    return {
      ...none,
      predicted: subset.predicted_counts,
      label: row.kind === "class" ? row.subset : -1,
      accuracy: subset.count > 0 ? subset.correct / subset.count : null,
      byDefinition: definedAccuracy(store, row) !== null,
    };
  }
  const prediction = predictionOf(store, row);
  if (!prediction) return none;
  const classes = store.catalogue.snapshot.value?.classes.length ?? 0;
  return {
    ...none,
    predicted: Array.from({ length: classes }, (_, at) => Number(at === prediction.predicted)),
    label: prediction.label,
    score: { value: prediction.score, correct: prediction.correct },
  };
}

/** The accuracy that a row has because its instances were chosen by it; null where it tells something. */
function definedAccuracy({ base, side }: Store, row: MatrixRow): number | null {
  const outcome = parseOutcome(row.key);
  if (!outcome || (base && side !== outcome.other)) return null;
  return Number(rightByDefinition(outcome.outcome, base === null));
}

/** What the model made of a sampled instance; null for other rows. */
export function predictionOf({ instances }: Store, row: MatrixRow) {
  const columns = instances.state.value.value;
  const predicted = columns?.predicted[row.sampled];
  if (!columns || predicted === undefined) return null;
  const label = columns.label[row.sampled] ?? -1;
  return { predicted, label, score: columns.score[row.sampled] ?? 0, correct: predicted === label };
}

/** What became of a row's predictions from the base to here; null where that is not known. */
function changeFromBase(store: Store, row: MatrixRow): OutputChange | null {
  const { base } = store;
  if (!base || !row.base) return null;
  const [before, after] = [base.factsOf(row.base), store.factsOf(row)];
  if (before && after && before.count > 0 && after.count > 0) {
    const byDefinition = definedAccuracy(store, row) !== null;
    return { points: 100 * (after.correct / after.count - before.correct / before.count), byDefinition };
  }
  const [first, second] = [predictionOf(base, row.base), predictionOf(store, row)];
  if (!first || !second) return null;
  return { before: first.score, after: second.score, change: changeOf(first.correct, second.correct) };
}
