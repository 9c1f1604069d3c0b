/** Context of a matrix: where its rows and columns stand, of the base and of the sides. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { FILLING } from "../../draw/matrix";
import { type HeaderLayout, layoutHeader, makeRoom } from "../../draw/matrix_header";
import {
  type ColumnLayout,
  layoutColumns,
  layoutRows,
  ROW_HEIGHT,
  type RowLayout,
  type RowView,
  viewRows,
} from "../../draw/matrix_layout";
import { layoutOutput, type OutputLayout } from "../../draw/matrix_text";
import { createRamp, differenceColours, type Palette, type Ramp } from "../../draw/palette";
import { type ColumnMatching, type ComparedLayer, gather } from "../../store/compared_layer";
import { predictedNames } from "../../store/judgement";
import { activeShares, type LayerStore, outputEntry, rowValues } from "../../store/layer";
import { blockOf, isMany, type MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import type { UrlState } from "../../store/url_state";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { useSize } from "../../ui/surface";
import { type LabelSpace, labelSpace } from "./matrix_text";

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
  /** Room left of it. */
  labels: LabelSpace;
  /** Brings a position into sight as the first one. */
  scrollTo: (column: number) => void;
}

export function rampOf(layer: LayerStore, palette: Palette): Ramp | null {
  const scale = layer.scale.value;
  return scale && createRamp(palette, scale.max, scale.signed);
}

/** Shares of active instances of a class or subset, where the dots' sizes show them. */
function rowShares({ dotSize }: UrlState, layer: LayerStore, row: MatrixRow): Float32Array | null {
  if (dotSize.value !== "active" || layer.entry.value?.signed || !isMany(row)) return null;
  return activeShares(layer, row);
}

/** Whether the layer is the model's output: the last recorded one with a neuron per class, scores before logits. */
export function isOutputLayer(store: SnapshotStore, layer: LayerStore): boolean {
  const entry = layer.entry.value;
  return entry !== null && outputEntry(store.snapshot.value) === entry;
}

/** Taller matrices scroll inside their panel. */
const TALLEST = 276;
/** Above the rows, below them, and the temporary row. */
const PADDING = 10;
const BELOW = ROW_HEIGHT + 4;

export interface PlacedMatrix {
  frame: MatrixFrame;
  scrollTop: Signal<number>;
  /** The matrix, its rows, and the cells among them. */
  outer: RefObject<HTMLDivElement | null>;
  grid: RefObject<HTMLDivElement | null>;
  area: RefObject<HTMLDivElement | null>;
}

/**
 * Follows what there is to show and how much room there is.
 *
 * @param narrow Whether there is room neither for a map of all neurons nor for an output layer's table of counts.
 */
export function useMatrixFrame(layer: LayerStore, maximised: boolean, narrow = false): PlacedMatrix {
  const tab = useTab();
  const store = useSnapshot();
  const palette = usePalette();
  const [outer, outerSize] = useSize<HTMLDivElement>();
  const [area, { width }] = useSize<HTMLDivElement>();
  const grid = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const scrollTop = useSignal(0);
  const rows = store.rows.value;
  const groups = rows.map(blockOf);
  const rowLayout = layoutRows(groups);
  const names = useMemo(() => rows.filter(isMany).map(({ name }) => name), [rows]);
  const columns = layoutColumns(layer.entry.value?.neurons ?? 0, width, first.value);
  const plain = { header: layoutHeader(columns, groups, !narrow), differenceTop: null };
  const { header, differenceTop } = tab.comparison.compared.value ? makeRoom(plain.header) : plain;
  const available = maximised ? outerSize.height : null;
  const tallest = available ? Math.max(TALLEST / 2, available - header.height - PADDING - BELOW) : TALLEST;
  const predictions = predictedNames(store.snapshot.value).length;
  const hasOutput = columns.printed && isOutputLayer(store, layer);
  const frame: MatrixFrame = {
    layer,
    rows,
    rowLayout,
    view: viewRows(rowLayout, groups, scrollTop.value, Math.min(rowLayout.height, tallest)),
    columns,
    header,
    differenceTop,
    order: layer.columns.value,
    valuesOf: (row) => rowValues(layer, row),
    sharesOf: (row) => rowShares(tab.urlState, layer, row),
    fillings: null,
    isDifference: false,
    ramp: rampOf(layer, palette),
    output: hasOutput ? layoutOutput(columns, narrow ? 0 : predictions, width) : null,
    width,
    labels: labelSpace(names, narrow ? 0 : outerSize.width, !store.snapshot.value?.unlabelled),
    scrollTo: (column) => {
      first.value = Math.max(0, Math.min(columns.total - columns.visible, Math.round(column)));
    },
  };
  return { frame, scrollTop, outer, grid, area };
}

export function useSideFrame(compared: ComparedLayer, base: MatrixFrame): MatrixFrame {
  const tab = useTab();
  const store = useSnapshot();
  const palette = usePalette();
  const { layer } = compared;
  const matching = compared.matching.value;
  const isDifference = tab.comparing.isDifference(layer.name);
  const end = compared.differenceEnd.value;
  const differences = end === null ? null : createRamp(palette, end, true, differenceColours(palette));
  const sharesOf = (row: MatrixRow) => {
    const shares = isDifference ? null : rowShares(tab.urlState, layer, row);
    return shares && matching && gather(shares, matching.partners);
  };
  return {
    ...base,
    layer,
    rows: store.rows.value,
    valuesOf: isDifference
      ? (row) => compared.differencesOf(row, store.beside?.base.rowOfKey(row.key))
      : compared.valuesOf,
    sharesOf,
    fillings: matching && fillingsOf(matching),
    isDifference,
    ramp: isDifference ? differences : rampOf(layer, palette),
    output: isOutputLayer(store, layer) ? base.output : null,
  };
}

const fillingsOf = ({ partners, weak }: ColumnMatching): Uint8Array =>
  Uint8Array.from(partners, (partner, neuron) => {
    if (partner < 0) return FILLING.none;
    return weak[neuron] === 1 ? FILLING.hollow : FILLING.full;
  });
