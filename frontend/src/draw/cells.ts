/** What is drawn of a matrix, apart from how: as shapes (matrix.ts) or as pixels (cell_raster.ts). */

import { type ColumnLayout, columnX, ROW_HEIGHT } from "./matrix_layout";
import type { Palette, Ramp } from "./palette";

/** One row's numbers by neuron. */
export interface CellRow {
  top: number;
  /** Null while they are being fetched. */
  values: Float32Array | null;
  /** Share of active instances, where the circle's area shows it. */
  shares: Float32Array | null;
}

export interface CellPicture {
  /** Neurons in the order shown; -1 leaves a gap. */
  order: Int32Array;
  columns: ColumnLayout;
  ramp: Ramp;
  palette: Palette;
  width: number;
  /** By neuron, 1 where circles are hollow; null where none are. */
  hollow?: Uint8Array | null;
}

/** A neuron that is exactly zero: not a weak circle, a point. */
export const ZERO_RADIUS = 0.8;

type Visit = (value: number, x: number, y: number, share: number | undefined) => void;

/**
 * Visits the cells in sight; (x, y) is the middle of a cell. A value that is not finite is a missing one.
 *
 * @param which The full cells, or the hollow ones.
 */
export function eachCell(
  rows: readonly CellRow[],
  { order, columns, hollow }: CellPicture,
  visit: Visit,
  which: "full" | "hollow" = "full",
): void {
  const last = columns.first + columns.visible;
  for (const { values, shares, top } of rows) {
    if (!values) continue;
    for (let position = columns.first; position < last; position++) {
      const neuron = order[position] ?? -1;
      if (neuron < 0 || (hollow?.[neuron] === 1) !== (which === "hollow")) continue;
      visit(values[neuron] ?? Number.NaN, columnX(columns, position), top + ROW_HEIGHT / 2, shares?.[neuron]);
    }
  }
}

export function radiusOf(radius: number, share: number | undefined): number {
  return share === undefined ? radius : Math.max(ZERO_RADIUS, radius * Math.sqrt(Math.max(0, share)));
}
