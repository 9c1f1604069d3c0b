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
  /** By neuron, how its circles are drawn in this row; null where that is as in the others. */
  fillings?: Uint8Array | null;
}

export interface CellPicture {
  /** Neurons in the order shown. */
  order: Int32Array;
  columns: ColumnLayout;
  ramp: Ramp;
  palette: Palette;
  width: number;
  /** By neuron, how its circles are drawn; null where all are full. */
  fillings?: Uint8Array | null;
}

/** How the circles of a column are drawn. */
export const FILLING = { full: 0, hollow: 1, none: 2 } as const;

/** A neuron that is exactly zero: not a weak circle, a point. */
export const ZERO_RADIUS = 0.8;

type Visit = (value: number, x: number, y: number, share: number | undefined) => void;

/**
 * Visits the cells in sight; (x, y) is the middle of a cell. A value that is not finite is a missing one.
 *
 * @param filling Of the columns that are visited.
 */
export function eachCell(
  rows: readonly CellRow[],
  { order, columns, fillings }: CellPicture,
  visit: Visit,
  filling: number = FILLING.full,
): void {
  const last = columns.first + columns.visible;
  for (const row of rows) {
    const { values, shares, top } = row;
    if (!values) continue;
    const drawn = row.fillings ?? fillings;
    for (let position = columns.first; position < last; position++) {
      const neuron = order[position] ?? 0;
      if ((drawn?.[neuron] ?? FILLING.full) !== filling) continue;
      visit(values[neuron] ?? Number.NaN, columnX(columns, position), top + ROW_HEIGHT / 2, shares?.[neuron]);
    }
  }
}

export function radiusOf(radius: number, share: number | undefined): number {
  return share === undefined ? radius : Math.max(ZERO_RADIUS, radius * Math.sqrt(Math.max(0, share)));
}
