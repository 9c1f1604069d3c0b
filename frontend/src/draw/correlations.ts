/** Draws above a matrix how much each neuron is like the base's neuron in its column. */

import type { ColumnLayout } from "./matrix_layout";
import type { Palette } from "./palette";

export interface CorrelationsPicture {
  order: Int32Array;
  /** (neurons,): Pearson's r, NaN where it is not known. */
  correlations: Float64Array;
  /** (neurons,): 1 where it is too small to compare the two. */
  weak: Uint8Array;
  columns: ColumnLayout;
  palette: Palette;
  top: number;
  height: number;
}

/** A bar as high as r, full height for 1; too small ones red, unknown ones left out. */
export function drawCorrelations(context: CanvasRenderingContext2D, picture: CorrelationsPicture): void {
  const { order, correlations, weak, columns, palette, top, height } = picture;
  const gap = columns.pitch > 8 ? 2 : 1;
  const width = columns.printed ? 14 : columns.pitch - gap;
  context.fillStyle = palette.line;
  context.fillRect(0, top + height, columns.visible * columns.pitch - gap, 1);
  for (let position = columns.first; position < columns.first + columns.visible; position++) {
    const neuron = order[position] ?? 0;
    const r = correlations[neuron] ?? Number.NaN;
    if (Number.isNaN(r)) continue;
    const length = Math.max(1, Math.min(1, Math.abs(r)) * height);
    const isWeak = weak[neuron] === 1;
    context.fillStyle = isWeak ? palette.wrong : palette.bar;
    context.globalAlpha = isWeak ? 0.75 : 1;
    context.fillRect((position - columns.first) * columns.pitch + gap / 2, top + height - length, width, length);
  }
  context.globalAlpha = 1;
}
