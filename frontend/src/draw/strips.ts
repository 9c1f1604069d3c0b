/** Draws what stands above a matrix: the overview of all neurons, and the class that each neuron answers to most. */

import type { ColumnLayout } from "./matrix_layout";
import { levelOf, type Palette, type Ramp } from "./palette";

export const OVERVIEW_TOP = 20;
export const OVERVIEW_HEIGHT = 5;
export const STRONGEST_TOP = 28;
export const STRONGEST_HEIGHT = 4;

export interface OverviewPicture {
  order: Int32Array;
  /** (neurons,): what the strip shows, e.g. the row that sorts. */
  values: Float32Array;
  columns: ColumnLayout;
  ramp: Ramp;
  palette: Palette;
  width: number;
}

/** Draws every neuron, the strongest of those that share a pixel, and a frame around the columns in sight. */
export function drawOverview(context: CanvasRenderingContext2D, picture: OverviewPicture): void {
  const { order, values, columns, ramp, palette, width } = picture;
  const pixels = Math.floor(width);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = Math.floor((pixel / pixels) * order.length);
    const to = Math.max(from + 1, Math.floor(((pixel + 1) / pixels) * order.length));
    context.fillStyle = ramp.levels[levelOf(ramp, strongest(order, values, from, to))] ?? "";
    context.fillRect(pixel, OVERVIEW_TOP, 1, OVERVIEW_HEIGHT);
  }
  const scale = width / order.length;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.strokeRect(
    columns.first * scale + 0.75,
    OVERVIEW_TOP - 1,
    Math.max(4, columns.visible * scale - 1.5),
    OVERVIEW_HEIGHT + 2,
  );
}

function strongest(order: Int32Array, values: Float32Array, from: number, to: number): number {
  let best = 0;
  for (let position = from; position < to; position++) {
    const value = values[order[position] ?? 0] ?? 0;
    if (Math.abs(value) > Math.abs(best)) best = value;
  }
  return best;
}

export interface StrongestPicture {
  order: Int32Array;
  /** (neurons,): a class, or -1. */
  strongest: Int32Array;
  colours: readonly string[];
  columns: ColumnLayout;
  palette: Palette;
  /** (neurons,): non-finite activations; a mark stands under the neurons that have some. */
  nonfinite: Float32Array | null;
}

export function drawStrongest(context: CanvasRenderingContext2D, picture: StrongestPicture): void {
  const { order, strongest: classes, colours, columns, palette, nonfinite } = picture;
  const gap = columns.pitch > 8 ? 1 : 0.5;
  for (let position = columns.first; position < columns.first + columns.visible; position++) {
    const neuron = order[position] ?? 0;
    const x = (position - columns.first) * columns.pitch;
    const label = classes[neuron] ?? -1;
    context.fillStyle = label < 0 ? palette.barTrack : (colours[label] ?? palette.otherClass);
    context.fillRect(x, STRONGEST_TOP, columns.pitch - gap, STRONGEST_HEIGHT);
    if ((nonfinite?.[neuron] ?? 0) > 0) drawMark(context, x + columns.pitch / 2, palette);
  }
}

function drawMark(context: CanvasRenderingContext2D, x: number, palette: Palette): void {
  context.fillStyle = palette.wrong;
  context.beginPath();
  context.moveTo(x, STRONGEST_TOP + STRONGEST_HEIGHT + 0.5);
  context.lineTo(x + 2.5, STRONGEST_TOP + STRONGEST_HEIGHT + 4);
  context.lineTo(x - 2.5, STRONGEST_TOP + STRONGEST_HEIGHT + 4);
  context.fill();
}
