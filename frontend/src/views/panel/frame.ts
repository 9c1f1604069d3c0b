/** What the parts of a matrix share: where everything stands at this moment. */
import type { HeaderLayout } from "../../draw/matrix_header";
import type { ColumnLayout, RowLayout, RowView } from "../../draw/matrix_layout";
import type { OutputLayout } from "../../draw/matrix_text";
import { createRamp, type Palette, type Ramp } from "../../draw/palette";
import { activeShares, type LayerStore, outputEntry } from "../../store/layer";
import { isMany, type MatrixRow } from "../../store/rows";
import type { Store } from "../../store/store";

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
  /** By neuron, how its cells are drawn; null where all are full. */
  fillings: Uint8Array | null;
  /** Whether the cells show by how much a snapshot is above the base. */
  isDifference: boolean;
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
