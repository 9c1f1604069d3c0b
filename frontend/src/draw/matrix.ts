/** Draws a matrix: a circle per cell, darker is stronger. Pure: the same input paints the same pixels. */

import { paintCells } from "./cell_raster";
import { type CellPicture, type CellRow, eachCell, FILLING, radiusOf, ZERO_RADIUS } from "./cells";
import { ROW_HEIGHT } from "./matrix_layout";
import { levelOf, type Palette } from "./palette";
import { newPath, recordsPaths } from "./paths";

/** Draws `rows`; as shapes into a drawing that keeps shapes, as pixels onto a canvas. */
export function drawCells(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  if (recordsPaths(context)) drawCircles(context, rows, picture);
  else paintCells(context, rows, picture);
  drawMissing(context, rows, picture);
  if (picture.fillings || rows.some((row) => row.fillings)) drawRings(context, rows, picture);
  for (const row of rows) if (!row.values) drawWaiting(context, row.top + ROW_HEIGHT / 2, picture);
}

function drawCircles(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const circles = picture.ramp.levels.map(() => newPath(context));
  const zeros = newPath(context);
  eachCell(rows, picture, (value, x, y, share) => {
    if (value === 0) addCircle(zeros, x, y, ZERO_RADIUS);
    else if (Number.isFinite(value)) {
      const path = circles[levelOf(picture.ramp, value)];
      if (path) addCircle(path, x, y, radiusOf(picture.columns.radius, share));
    }
  });
  circles.forEach((path, level) => {
    context.fillStyle = picture.ramp.levels[level] ?? "";
    context.fill(path);
  });
  context.fillStyle = picture.palette.tertiary;
  context.fill(zeros);
}

/** Hollow cells: rings in the colour of the value, pale ones where there is none or it is zero. */
function drawRings(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const pale = newPath(context);
  const rings = picture.ramp.levels.map(() => newPath(context));
  const radius = Math.max(1, picture.columns.radius - 0.5);
  const visit = (value: number, x: number, y: number, share: number | undefined) => {
    const path = Number.isFinite(value) && value !== 0 ? rings[levelOf(picture.ramp, value)] : pale;
    if (path) addCircle(path, x, y, radiusOf(radius, share));
  };
  eachCell(rows, picture, visit, FILLING.hollow);
  context.lineWidth = 1;
  context.strokeStyle = picture.palette.line;
  context.stroke(pale);
  rings.forEach((path, level) => {
    context.strokeStyle = picture.ramp.levels[level] ?? "";
    context.stroke(path);
  });
}

function drawMissing(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const crosses = newPath(context);
  const arm = Math.min(2.5, picture.columns.radius * 0.7);
  eachCell(rows, picture, (value, x, y) => {
    if (!Number.isFinite(value)) addCross(crosses, x, y, arm);
  });
  context.strokeStyle = picture.palette.secondary;
  context.lineWidth = 0.8;
  context.stroke(crosses);
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
