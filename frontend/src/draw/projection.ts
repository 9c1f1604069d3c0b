/** Places and draws a projection: a dot per instance, coloured by its true class. */

import { type Quadtree, quadtree } from "d3-quadtree";
import type { Palette } from "./palette";
import { FONT } from "./printed";

export interface PlacedPoints {
  /** Positions in CSS pixels, (rows, 2); NaN where an instance has no place. */
  positions: Float32Array;
  /** Finds the row nearest to a point. */
  index: Quadtree<number>;
}

const MARGIN = 8;

/** Fits coordinates (rows, 2) into a box, with the same scale on both axes. */
export function placePoints(coordinates: Float32Array, width: number, height: number): PlacedPoints {
  const horizontal = extent(coordinates, 0);
  const vertical = extent(coordinates, 1);
  const span = Math.max(
    (horizontal.high - horizontal.low) / (width - 2 * MARGIN),
    (vertical.high - vertical.low) / (height - 2 * MARGIN),
  );
  const scale = span > 0 ? 1 / span : 0;
  const positions = new Float32Array(coordinates.length);
  for (let at = 0; at + 1 < coordinates.length; at += 2) {
    const x = coordinates[at] ?? Number.NaN;
    const y = coordinates[at + 1] ?? Number.NaN;
    positions[at] = width / 2 + (x - (horizontal.low + horizontal.high) / 2) * scale;
    positions[at + 1] = height / 2 - (y - (vertical.low + vertical.high) / 2) * scale;
  }
  const rows = Array.from({ length: positions.length / 2 }, (_, row) => row);
  const index = quadtree<number>()
    .x((row) => positions[row * 2] ?? 0)
    .y((row) => positions[row * 2 + 1] ?? 0)
    .addAll(rows.filter((row) => Number.isFinite(positions[row * 2])));
  return { positions, index };
}

function extent(coordinates: Float32Array, axis: 0 | 1): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at: number = axis; at < coordinates.length; at += 2) {
    const value = coordinates[at] ?? Number.NaN;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

export interface PointsPicture {
  positions: Float32Array;
  /** True class by row. */
  labels: readonly number[];
  colours: readonly string[];
  /** By row, 1 where lit; null where all are. */
  lit: Uint8Array | null;
  palette: Palette;
}

const RADIUS = 2.4;
const FADED_RADIUS = 1.7;

/** Draws every dot; those that are not lit first, small and grey. */
export function drawPoints(context: CanvasRenderingContext2D, picture: PointsPicture): void {
  const { positions, labels, colours, lit, palette } = picture;
  const faded = new Path2D();
  const paths = new Map<string, Path2D>();
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    const isLit = !lit || lit[row] === 1;
    const own = colours[labels[row] ?? -1] ?? palette.otherClass;
    const colour = lit && own === palette.otherClass ? palette.text : own;
    const path = isLit ? (paths.get(colour) ?? new Path2D()) : faded;
    const radius = isLit ? RADIUS : FADED_RADIUS;
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    if (isLit) paths.set(colour, path);
  }
  context.fillStyle = palette.faded;
  context.fill(faded);
  for (const [colour, path] of paths) {
    context.fillStyle = colour;
    context.fill(path);
  }
}

export interface PointMark {
  x: number;
  y: number;
  label: string;
  colour: string;
}

const RING = 5.5;

/** Rings instances and writes their names beside, where the box has room. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  marks: readonly PointMark[],
  width: number,
  palette: Palette,
): void {
  context.font = `500 10px ${FONT}`;
  context.textBaseline = "middle";
  for (const mark of marks) {
    if (!Number.isFinite(mark.x)) continue;
    drawRing(context, mark, palette.card, 4.5);
    drawRing(context, mark, mark.colour, 2);
    const text = mark.label.length > 12 ? `${mark.label.slice(0, 11)}…` : mark.label;
    const right = mark.x + RING + 4 + context.measureText(text).width < width;
    context.textAlign = right ? "left" : "right";
    const x = mark.x + (right ? RING + 3 : -RING - 3);
    context.save();
    context.strokeStyle = palette.card;
    context.lineWidth = 3;
    context.strokeText(text, x, mark.y);
    context.restore();
    context.fillStyle = palette.text;
    context.fillText(text, x, mark.y);
  }
}

function drawRing(context: CanvasRenderingContext2D, mark: PointMark, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(mark.x, mark.y, RING, 0, 2 * Math.PI);
  context.stroke();
}
