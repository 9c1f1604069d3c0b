/**
 * The circles of a matrix as pixels: ten thousand of them, painted by hand, cost a few milliseconds; as arcs on a canvas
 * without a GPU they cost several frames.
 */

import { type CellPicture, type CellRow, eachCell, radiusOf, ZERO_RADIUS } from "./cells";
import { ROW_HEIGHT } from "./matrix_layout";
import { levelOf } from "./palette";
import { createStamp, packed, pixelsOf, rgbOf, type Stamp, stampAlone } from "./raster";

/** Radii are rounded to this many device pixels, so that few stamps serve all shares of active instances. */
const RADIUS_STEP = 0.25;

const stamps = new Map<number, Stamp>();

/** Paints every circle and zero of `rows`; (0, 0) is the top left of `context`'s own coordinates. */
export function paintCells(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const height = Math.max(0, ...rows.map((row) => row.top + ROW_HEIGHT));
  const ratio = context.getTransform().a || 1;
  const image = createRaster(Math.ceil(picture.width * ratio), Math.ceil(height * ratio));
  if (!image) return;
  const { width } = image.data;
  const pixels = pixelsOf(image.data);
  const colours = picture.ramp.levels.map((level) => packed(rgbOf(level)));
  const zero = packed(rgbOf(picture.palette.tertiary));
  eachCell(rows, picture, (value, x, y, share) => {
    if (!Number.isFinite(value)) return;
    const colour = value === 0 ? zero : colours[levelOf(picture.ramp, value)];
    const radius = value === 0 ? ZERO_RADIUS : radiusOf(picture.columns.radius, share);
    if (colour !== undefined) stampAlone(pixels, width, stampOf(radius * ratio), [x * ratio, y * ratio], colour);
  });
  image.context.putImageData(image.data, 0, 0);
  context.drawImage(image.context.canvas, 0, 0, width / ratio, image.data.height / ratio);
}

function stampOf(radius: number): Stamp {
  const rounded = Math.max(RADIUS_STEP, Math.round(radius / RADIUS_STEP) * RADIUS_STEP);
  const known = stamps.get(rounded);
  if (known) return known;
  const stamp = createStamp(rounded);
  stamps.set(rounded, stamp);
  return stamp;
}

function createRaster(width: number, height: number) {
  if (width === 0 || height === 0) return null;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  return context && { context, data: context.createImageData(width, height) };
}
