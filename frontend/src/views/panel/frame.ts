/** What the parts of a matrix share: where everything stands at this moment. */

import type { ColumnLayout, RowLayout, RowView } from "../../draw/matrix_layout";
import { createRamp, type Palette, type Ramp } from "../../draw/palette";
import type { OutputLayout, PrintedRow } from "../../draw/printed";
import type { HeaderLayout } from "../../draw/strips";
import { activeShares, type LayerStore, outputEntry } from "../../state/layer";
import { isMany, type MatrixRow } from "../../state/rows";
import type { Store } from "../../state/store";

export interface MatrixFrame {
  layer: LayerStore;
  rows: readonly MatrixRow[];
  /** All rows, and those in sight. */
  rowLayout: RowLayout;
  view: RowView;
  columns: ColumnLayout;
  header: HeaderLayout;
  /** Where the difference of two rows stands in the header; null while none are compared. */
  differenceTop: number | null;
  /** Neurons in the order shown; null until the means are there. */
  order: Int32Array | null;
  /** What a row's cells show, by neuron; null until it is there. */
  valuesOf: (row: MatrixRow) => Float32Array | null;
  /** By neuron, the shares of active instances that the cells' sizes show; null where they show none. */
  sharesOf: (row: MatrixRow) => Float32Array | null;
  /** By neuron, 1 where cells are drawn hollow; null where none are. */
  hollow: Uint8Array | null;
  /** Null until the scale is known. */
  ramp: Ramp | null;
  /** Where an output layer's table and bars stand; null where there are none. */
  output: OutputLayout | null;
  /** Of the cells' area, in CSS pixels. */
  width: number;
  /** Brings a position into sight as the first one. */
  scrollTo: (column: number) => void;
}

export function rampOf(layer: LayerStore, palette: Palette): Ramp | null {
  const scale = layer.scale.value;
  return scale && createRamp(palette, scale.max, scale.signed);
}

/** Shares of active instances of a class or subset, where the dots' sizes show them. */
export function rowShares(store: Store, layer: LayerStore, row: MatrixRow): Float32Array | null {
  if (store.durable.dotSize.value !== "active" || layer.entry.value?.signed || !isMany(row)) return null;
  return activeShares(layer, row);
}

/** Whether the layer is the model's output: the last recorded one with a neuron per class, scores before logits. */
export function isOutputLayer(store: Store, layer: LayerStore): boolean {
  const entry = layer.entry.value;
  return entry !== null && outputEntry(store.catalogue.snapshot.value) === entry;
}

/** What is printed in a row: values and, for the output layer, what was predicted. */
export function printedRow(store: Store, { valuesOf, output }: MatrixFrame, row: MatrixRow, top: number): PrintedRow {
  const values = valuesOf(row);
  const none: PrintedRow = { top, values, predicted: null, label: -1, accuracy: null, score: null };
  if (!output) return none;
  const subset = store.factsOf(row);
  if (subset) {
    return {
      ...none,
      predicted: subset.predicted_counts,
      label: row.kind === "class" ? row.subset : -1,
      accuracy: subset.count > 0 ? subset.correct / subset.count : null,
    };
  }
  const instances = store.instances.state.value.value;
  const predicted = instances?.predicted[row.sampled];
  if (!instances || predicted === undefined) return none;
  const classes = store.catalogue.snapshot.value?.classes.length ?? 0;
  const label = instances.label[row.sampled] ?? -1;
  return {
    ...none,
    predicted: Array.from({ length: classes }, (_, at) => Number(at === predicted)),
    label,
    score: { value: instances.score[row.sampled] ?? 0, correct: predicted === label },
  };
}
