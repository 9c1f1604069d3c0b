/** Draws above a matrix by how much two rows differ in each neuron: blue where the first is higher, orange the second. */

import type { ColumnLayout } from "./matrix_layout";
import { createRamp, levelOf, type Palette } from "./palette";
import type { HeaderLayout } from "./strips";

const GAP = 1;
const HEIGHT = 6;
/** The smallest end of the scale: differences of a tenth should not look large. */
const SMALLEST_END = 1;
/** Differences below so many standard errors are drawn thin. */
const DOUBTFUL = 2;

/** The header with room for the strip, and where that begins. */
export function makeRoom(header: HeaderLayout): { header: HeaderLayout; differenceTop: number } {
  return { header: { ...header, height: header.height + GAP + HEIGHT + 3 }, differenceTop: header.height + GAP };
}

/** Returns where the scale of differences ends: the least whole number that none exceeds; infinite ones do not count. */
export function scaleEnd(values: ArrayLike<number>): number {
  let largest = SMALLEST_END;
  for (let neuron = 0; neuron < values.length; neuron++) {
    const size = Math.abs(values[neuron] ?? Number.NaN);
    if (Number.isFinite(size)) largest = Math.max(largest, size);
  }
  return Math.ceil(largest);
}

export interface DifferencePicture {
  order: Int32Array;
  /** (neurons,): positive where the first row is higher. */
  values: Float64Array;
  /** (neurons,): standard errors; null where there are none. */
  errors: Float64Array | null;
  columns: ColumnLayout;
  palette: Palette;
  top: number;
}

export function drawDifference(context: CanvasRenderingContext2D, picture: DifferencePicture): void {
  const { order, values, errors, columns, palette, top } = picture;
  const ramp = createRamp(palette, scaleEnd(values), true);
  const gap = columns.pitch > 8 ? 1 : 0.5;
  const width = columns.printed ? 14 : columns.pitch - gap;
  for (let position = columns.first; position < columns.first + columns.visible; position++) {
    const neuron = order[position] ?? 0;
    const value = values[neuron] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const thin = Math.abs(value) < DOUBTFUL * (errors?.[neuron] ?? 0);
    context.fillStyle = ramp.levels[levelOf(ramp, value)] ?? "";
    context.fillRect(
      (position - columns.first) * columns.pitch,
      thin ? top + HEIGHT - 2 : top,
      width,
      thin ? 2 : HEIGHT,
    );
  }
}
