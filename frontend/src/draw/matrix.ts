/** Draws a matrix: a circle per cell, darker is stronger. Pure: the same input paints the same pixels. */

import { type ColumnLayout, columnX, ROW_HEIGHT } from "./matrix_layout";
import { levelOf, type Palette, type Ramp } from "./palette";
import { newPath } from "./paths";

/** One row's numbers by neuron. */
export interface CellRow {
  top: number;
  /** Null while they are being fetched. */
  values: Float32Array | null;
  /** Share of active instances, where the circle's area shows it. */
  shares: Float32Array | null;
}

export interface CellPicture {
  /** Neurons in the order shown. */
  order: Int32Array;
  columns: ColumnLayout;
  ramp: Ramp;
  palette: Palette;
  width: number;
}

/** A neuron that is exactly zero: not a weak circle, a point. */
const ZERO_RADIUS = 0.8;

export function drawCells(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const circles = picture.ramp.levels.map(() => newPath(context));
  const zeros = newPath(context);
  const missing = newPath(context);
  for (const row of rows) {
    const y = row.top + ROW_HEIGHT / 2;
    if (row.values) addRow(row, y, picture, { circles, zeros, missing });
    else drawWaiting(context, y, picture);
  }
  circles.forEach((path, level) => {
    context.fillStyle = picture.ramp.levels[level] ?? "";
    context.fill(path);
  });
  context.fillStyle = picture.palette.tertiary;
  context.fill(zeros);
  context.strokeStyle = picture.palette.secondary;
  context.lineWidth = 0.8;
  context.stroke(missing);
}

interface Paths {
  circles: readonly Path2D[];
  zeros: Path2D;
  missing: Path2D;
}

function addRow(row: CellRow, y: number, picture: CellPicture, paths: Paths): void {
  const { order, columns, ramp } = picture;
  const last = columns.first + columns.visible;
  for (let position = columns.first; position < last; position++) {
    const neuron = order[position] ?? 0;
    const value = row.values?.[neuron] ?? Number.NaN;
    const x = columnX(columns, position);
    if (!Number.isFinite(value)) addCross(paths.missing, x, y, Math.min(2.5, columns.radius * 0.7));
    else if (value === 0) addCircle(paths.zeros, x, y, ZERO_RADIUS);
    else {
      const path = paths.circles[levelOf(ramp, value)];
      if (path) addCircle(path, x, y, radiusOf(columns.radius, row.shares?.[neuron]));
    }
  }
}

function radiusOf(radius: number, share: number | undefined): number {
  return share === undefined ? radius : Math.max(ZERO_RADIUS, radius * Math.sqrt(Math.max(0, share)));
}

function addCircle(path: Path2D, x: number, y: number, radius: number): void {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}

function addCross(path: Path2D, x: number, y: number, arm: number): void {
  path.moveTo(x - arm, y - arm);
  path.lineTo(x + arm, y + arm);
  path.moveTo(x - arm, y + arm);
  path.lineTo(x + arm, y - arm);
}

function drawWaiting(context: CanvasRenderingContext2D, y: number, picture: CellPicture): void {
  context.fillStyle = picture.palette.barTrack;
  context.beginPath();
  context.roundRect(0, y - 3, picture.width, 6, 3);
  context.fill();
}

/** The hovered cell: its column from top to bottom, and a frame around the cell itself. */
export interface CellHighlight {
  position: number;
  /** Null where only the column is lit. */
  top: number | null;
}

export function drawHighlight(
  context: CanvasRenderingContext2D,
  highlight: CellHighlight,
  columns: ColumnLayout,
  palette: Palette,
  height: number,
): void {
  const { position, top } = highlight;
  if (position < columns.first || position >= columns.first + columns.visible) return;
  const x = (position - columns.first) * columns.pitch;
  context.fillStyle = palette.band;
  context.fillRect(x, 0, columns.pitch, height);
  if (top === null) return;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  const width = Math.max(columns.pitch, 9);
  const left = x + (columns.pitch - width) / 2;
  context.beginPath();
  context.roundRect(left + 0.75, top + 0.75, width - 1.5, ROW_HEIGHT - 1.5, columns.printed ? 3 : 4);
  context.stroke();
}

export function drawBand(context: CanvasRenderingContext2D, top: number, width: number, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(0, top, width, ROW_HEIGHT);
}

export function drawSeparators(
  context: CanvasRenderingContext2D,
  separators: readonly number[],
  width: number,
  palette: Palette,
): void {
  context.fillStyle = palette.line;
  for (const y of separators) context.fillRect(0, Math.floor(y), width, 1);
}
