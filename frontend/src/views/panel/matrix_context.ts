/** Context of a matrix: where its rows and columns stand, of the base and of the sides. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";
import { FILLING } from "../../draw/matrix";
import { BANK_HEADER, type HeaderLayout, LOWEST_HEADER, layoutHeader, makeRoom } from "../../draw/matrix_header";
import {
  type ColumnLayout,
  layoutMatrix,
  layoutRows,
  type MatrixLayout,
  type RowLayout,
  type RowView,
  TEMPORARY_GAP,
  viewRows,
} from "../../draw/matrix_layout";
import { layoutOutput, type OutputLayout } from "../../draw/matrix_text";
import { createRamp, differenceColours, type Palette, type Ramp } from "../../draw/palette";
import { type ColumnMatching, type ComparedLayer, gather } from "../../store/compared_layer";
import { predictedNames } from "../../store/judgement";
import { activeShares, type LayerStore, outputEntry, shownValues } from "../../store/layer";
import { RELATIVE_END } from "../../store/relative";
import { blockOf, isInstance, isMany, type MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import type { UrlState } from "../../store/url_state";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { useSize } from "../../ui/surface";
import { type LabelSpace, labelSpace } from "./matrix_text";

export interface MatrixFrame {
  layer: LayerStore;
  rows: readonly MatrixRow[];
  /** By key, what rows are called below a heading that says the rest. */
  names: ReadonlyMap<string, string>;
  /** All rows, and those in sight. */
  rowLayout: RowLayout;
  view: RowView;
  /** Of the bank, or of all banks where the frame is that of the whole. */
  columns: ColumnLayout;
  bank: number;
  /** All columns in sight, and those of each bank. */
  whole: ColumnLayout;
  banks: readonly ColumnLayout[];
  /** From the rows of one bank to those of the next. */
  stride: number;
  /** Of what rows, or banks, scroll in, and of all of them. */
  gridHeight: number;
  innerHeight: number;
  header: HeaderLayout;
  /** What stands above the rows of every bank but the first. */
  bankHeader: { header: HeaderLayout; differenceTop: number | null };
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
  if (layer.isRelative.value) return createRamp(palette, RELATIVE_END, true);
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

/** Above a matrix and below it. */
const PADDING = 5;

export interface PlacedMatrix {
  frame: MatrixFrame;
  scrollTop: Signal<number>;
  /** The matrix, and its rows. */
  outer: RefObject<HTMLDivElement | null>;
  grid: RefObject<HTMLDivElement | null>;
  /** Whether it is known how large they are. */
  measured: boolean;
}

interface MatrixRoom {
  width: number;
  /** With the header. */
  height: number;
  alone: boolean;
  /** Whether there is no room for a map of all neurons. */
  narrow: boolean;
  /** Whether the difference of two rows stands above the columns. */
  differs: boolean;
}

interface MatrixPlan {
  layout: MatrixLayout;
  header: HeaderLayout;
  differenceTop: number | null;
  /** The same, of every bank but the first. */
  bankHeader: MatrixFrame["bankHeader"];
}

/** The header's height follows from which neurons are in sight, and these from the height that it leaves. */
function planMatrix(total: number, groups: readonly string[], room: MatrixRoom, first: number): MatrixPlan {
  const { width, height, alone, narrow, differs } = room;
  const withDifference = (header: HeaderLayout) => (differs ? makeRoom(header) : { header, differenceTop: null });
  const bankHeader = withDifference(BANK_HEADER);
  const place = { width, height, bankHead: bankHeader.header.height, alone };
  const layoutBelow = (above: number) => layoutMatrix(total, groups, { ...place, height: height - above }, first);
  let above = LOWEST_HEADER;
  let layout = layoutBelow(above);
  for (let attempt = 0; attempt < 3; attempt++) {
    const wanted = withDifference(layoutHeader(layout.columns, groups, !narrow)).header.height;
    if (wanted <= above) break;
    above = wanted;
    layout = layoutBelow(above);
  }
  return { layout, bankHeader, ...withDifference(layoutHeader(layout.columns, groups, !narrow)) };
}

interface FrameOptions {
  /** Whether no other layer is shown. */
  alone?: boolean;
  /** Whether there is room neither for a map of all neurons nor for an output layer's table of counts. */
  narrow?: boolean;
}

/** Follows what there is to show and how much room there is. */
export function useMatrixFrame(layer: LayerStore, { alone = false, narrow = false }: FrameOptions): PlacedMatrix {
  const tab = useTab();
  const store = useSnapshot();
  const palette = usePalette();
  const [outer, outerSize] = useSize<HTMLDivElement>();
  const [grid, { width: rowWidth }] = useSize<HTMLDivElement>();
  const first = useSignal(0);
  const scrollTop = useSignal(0);
  const { rows, names } = store.shown.value;
  const groups = rows.map(blockOf);
  // Where rows are words, those that are hovered or looked for stand as all of them do.
  const named = store.isPerWord ? store.rows.value : rows;
  const shownNames = useMemo(
    () => named.filter((row) => !isInstance(row)).map((row) => labelOf(names, row)),
    [named, names],
  );
  const labels = labelSpace(
    shownNames,
    narrow ? 0 : outerSize.width,
    !store.snapshot.value?.unlabelled && !store.isPerWord,
  );
  const width = Math.max(0, rowWidth - labels.width);
  const height = outerSize.height - PADDING;
  const differs = tab.comparison.compared.value !== null;
  const room = { width, height, alone, narrow, differs };
  const missing = Math.max(0, named.length - rows.length);
  const planned = [...groups, ...Array.from({ length: missing }, () => "subset")];
  const plan = planMatrix(layer.entry.value?.neurons ?? 0, planned, room, first.value);
  const { layout, header, differenceTop, bankHeader } = plan;
  const { columns } = layout;
  const banked = layout.banks.length > 1;
  const rowLayout = banked || missing === 0 ? layout.rows : layoutRows(groups, layout.rows.rowHeight);
  const below = banked ? 0 : rowLayout.rowHeight + TEMPORARY_GAP;
  const gridHeight = Math.min(banked ? layout.height : rowLayout.height, Math.max(0, height - header.height - below));
  const predictions = predictedNames(store.snapshot.value).length;
  const hasOutput = columns.printed && isOutputLayer(store, layer);
  const frame: MatrixFrame = {
    layer,
    rows,
    names,
    rowLayout,
    view: banked ? rowLayout : viewRows(rowLayout, groups, scrollTop.value, gridHeight),
    columns,
    bank: 0,
    whole: columns,
    banks: layout.banks,
    bankHeader,
    stride: layout.stride,
    gridHeight,
    innerHeight: banked ? layout.height : rowLayout.height,
    header,
    differenceTop,
    order: layer.columns.value,
    valuesOf: (row) => shownValues(layer, row),
    sharesOf: (row) => rowShares(tab.urlState, layer, row),
    fillings: null,
    isDifference: false,
    ramp: rampOf(layer, palette),
    output: hasOutput ? layoutOutput(columns, narrow ? 0 : predictions, width) : null,
    width,
    labels,
    scrollTo: (column) => {
      first.value = Math.max(0, Math.min(columns.total - columns.visible, Math.round(column)));
    },
  };
  return { frame, scrollTop, outer, grid, measured: outerSize.width > 0 };
}

/** Returns the frame of each bank: that of the whole, but for the columns and what stands above them. */
export function bankFrames(frame: MatrixFrame): MatrixFrame[] {
  return frame.banks.map((columns, bank) => ({ ...frame, bank, columns, ...(bank > 0 && frame.bankHeader) }));
}

/** Of the bank that a column stands in; 0 for columns out of sight. */
export const bankOf = ({ banks }: MatrixFrame, column: number): number =>
  Math.max(
    0,
    banks.findIndex(({ first, visible }) => column >= first && column < first + visible),
  );

/** A name below a heading is indented. */
const labelOf = (names: ReadonlyMap<string, string>, row: MatrixRow): string => {
  const name = names.get(row.key);
  return name === undefined ? row.name : `${name}   `;
};

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
    rows: store.shown.value.rows,
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
