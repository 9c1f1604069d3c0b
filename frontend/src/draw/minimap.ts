/** A wide layer at a glance: every row, every neuron, the strongest of those that share a pixel. */

import { levelOf, type Ramp } from "./palette";
import { packed, pixelsOf, type Raster, rgbOf } from "./raster";

export interface MinimapPicture {
  /** (neurons,) per row; null while they are being fetched. */
  rows: readonly (Float32Array | null)[];
  /** Positions after which a gap stands, between groups of rows. */
  gaps: ReadonlySet<number>;
  /** Neurons in the order shown. */
  order: Int32Array;
  ramp: Ramp;
}

const TALLEST_ROW = 4;
const GAP = 2;
const TALLEST = 56;

/** Height of a minimap of so many rows, in CSS pixels; rows beyond its height share their pixels. */
export const minimapHeight = (rows: number, gaps: number): number =>
  Math.min(TALLEST, rows * rowHeight(rows, gaps) + gaps * GAP);

const rowHeight = (rows: number, gaps: number): number =>
  Math.min(TALLEST_ROW, Math.max(1, Math.floor((TALLEST - gaps * GAP) / Math.max(1, rows))));

/** Paints the minimap, transparent where nothing is known. */
export function paintMinimap(picture: MinimapPicture, raster: Raster): void {
  const { ramp, order } = picture;
  const colours = Uint32Array.from(ramp.levels, (colour) => packed(rgbOf(colour)));
  const pixels = pixelsOf(raster).fill(0);
  if (order.length === 0) return;
  for (const { top, height, values } of strongestByLine(picture, raster)) {
    for (let x = 0; x < raster.width; x++) {
      const value = values[x] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      const colour = colours[levelOf(ramp, value)] ?? 0;
      for (let y = top; y < top + height; y++) pixels[y * raster.width + x] = colour;
    }
  }
}

interface Line {
  top: number;
  height: number;
  /** (pixels,) the value of greatest magnitude; NaN where there is none. */
  values: Float32Array;
}

function strongestByLine({ rows, gaps, order }: MinimapPicture, raster: Raster): Line[] {
  const scale = raster.height / Math.max(1, minimapHeight(rows.length, gaps.size));
  const each = rowHeight(rows.length, gaps.size) * scale;
  const lines = new Map<number, Line>();
  const steps = stepsOf(order, raster.width);
  let y = 0;
  rows.forEach((row, position) => {
    const top = Math.min(Math.round(y), raster.height - 1);
    const height = Math.max(1, Math.min(Math.round(y + each), raster.height) - top);
    const line = lines.get(top) ?? { top, height, values: new Float32Array(raster.width).fill(Number.NaN) };
    if (row) keepStrongest(line.values, row, steps);
    lines.set(top, line);
    const shared = (raster.height - gaps.size * GAP * scale) / rows.length;
    y += Math.min(each, shared) + (gaps.has(position) ? GAP * scale : 0);
  });
  return [...lines.values()];
}

/** Which neuron falls on which pixel, step by step. */
interface Steps {
  pixels: Int32Array;
  neurons: Int32Array;
}

/** Where there are fewer neurons than pixels, each pixel takes the neuron that it lies in. */
function stepsOf(order: Int32Array, pixels: number): Steps {
  const length = Math.max(order.length, pixels);
  return {
    pixels: Int32Array.from({ length }, (_, step) => Math.floor((step * pixels) / length)),
    neurons: Int32Array.from({ length }, (_, step) => order[Math.floor((step * order.length) / length)] ?? 0),
  };
}

function keepStrongest(strongest: Float32Array, values: Float32Array, { pixels, neurons }: Steps): void {
  for (let step = 0; step < pixels.length; step++) {
    const value = values[neurons[step] as number] as number;
    if (!Number.isFinite(value)) continue;
    const best = strongest[pixels[step] as number] as number;
    if (!(Math.abs(value) <= Math.abs(best))) strongest[pixels[step] as number] = value;
  }
}
