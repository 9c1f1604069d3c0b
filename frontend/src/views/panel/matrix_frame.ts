/** Lays out a matrix: which rows and columns are in sight, and what their cells show. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { layoutHeader, makeRoom } from "../../draw/matrix_header";
import { layoutColumns, layoutRows, ROW_HEIGHT, viewRows } from "../../draw/matrix_layout";
import { layoutOutput } from "../../draw/matrix_text";
import { predictedNames } from "../../store/judgement";
import { type LayerStore, rowValues } from "../../store/layer";
import { usePalette, useStore } from "../../ui/context";
import { useSize } from "../../ui/surface";
import { isOutputLayer, type MatrixFrame, rampOf, rowShares } from "./frame";

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
  const store = useStore();
  const palette = usePalette();
  const [outer, outerSize] = useSize<HTMLDivElement>();
  const [area, { width }] = useSize<HTMLDivElement>();
  const grid = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const scrollTop = useSignal(0);
  const rows = store.rows.value;
  const groups = rows.map((row) => row.kind);
  const rowLayout = layoutRows(groups);
  const columns = layoutColumns(layer.entry.value?.neurons ?? 0, width, first.value);
  const plain = { header: layoutHeader(columns, groups, !narrow), differenceTop: null };
  const { header, differenceTop } = store.comparison.compared.value ? makeRoom(plain.header) : plain;
  const available = maximised ? outerSize.height : null;
  const tallest = available ? Math.max(TALLEST / 2, available - header.height - PADDING - BELOW) : TALLEST;
  const predictions = predictedNames(store.catalogue.snapshot.value).length;
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
    sharesOf: (row) => rowShares(store, layer, row),
    fillings: null,
    isDifference: false,
    ramp: rampOf(layer, palette),
    output: hasOutput ? layoutOutput(columns, narrow ? 0 : predictions, width) : null,
    width,
    scrollTo: (column) => {
      first.value = Math.max(0, Math.min(columns.total - columns.visible, Math.round(column)));
    },
  };
  return { frame, scrollTop, outer, grid, area };
}
