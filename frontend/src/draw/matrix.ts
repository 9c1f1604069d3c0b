/**
 * Circles of a matrix, darker is stronger: as pixels on a canvas, as shapes in a drawing. Pure: the same input paints
 * the same pixels.
 *
 * Ten thousand circles as pixels, painted by hand, cost a few milliseconds; as arcs on a canvas without a GPU several
 * frames.
 */
import { type ColumnLayout, columnX } from "./matrix_layout";
import { isClipped, levelOf, type Palette, type Ramp } from "./palette";
import { newPath, recordsPaths } from "./paths";
import { createStamp, packed, paintStamp, pixelsOf, rgbOf, type Stamp, stampAlone } from "./raster";

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

interface CellPicture {
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
const ZERO_RADIUS = 0.8;

/** Outline of a value beyond the scale, in CSS pixels; on a smaller circle it has no room. */
const OUTLINE = { width: 1.2, least: 2.8 };

type Visit = (value: number, x: number, y: number, share: number | undefined) => void;

/**
 * Visits the cells in sight; (x, y) is the middle of a cell. A value that is not finite is a missing one.
 *
 * @param filling Of the columns that are visited.
 */
function eachCell(
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
      visit(values[neuron] ?? Number.NaN, columnX(columns, position), top + columns.rowHeight / 2, shares?.[neuron]);
    }
  }
}

function radiusOf(radius: number, share: number | undefined): number {
  return share === undefined ? radius : Math.max(ZERO_RADIUS, radius * Math.sqrt(Math.max(0, share)));
}

/** Radii are rounded to this many device pixels, so that few stamps serve all shares of active instances. */
const RADIUS_STEP = 0.25;

const stamps = new Map<number, Stamp>();

/** Paints every circle and zero of `rows`; (0, 0) is the top left of `context`'s own coordinates. */
function paintCells(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const height = Math.max(0, ...rows.map((row) => row.top + picture.columns.rowHeight));
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
    if (colour === undefined) return;
    const at = [x * ratio, y * ratio] as const;
    if (!isClipped(picture.ramp, value) || radius < OUTLINE.least) {
      stampAlone(pixels, width, stampOf(radius * ratio), at, colour);
      return;
    }
    const [outer, ...inner] = outlined(picture, value, radius);
    stampAlone(pixels, width, stampOf(outer.radius * ratio), at, packed(rgbOf(outer.colour)));
    for (const disc of inner) paintStamp(image.data, stampOf(disc.radius * ratio), ...at, rgbOf(disc.colour));
  });
  image.context.putImageData(image.data, 0, 0);
  context.drawImage(image.context.canvas, 0, 0, width / ratio, image.data.height / ratio);
}

interface Disc {
  radius: number;
  colour: string;
}

/**
 * Discs, one upon the other, that make a circle with an outline in the text's colour; where the scale ends in a colour as
 * dark as that, with a line of the ground between the two.
 */
function outlined({ ramp, palette }: CellPicture, value: number, radius: number): [Disc, ...Disc[]] {
  const colour = ramp.levels[levelOf(ramp, value)] ?? "";
  const within = { radius: radius - OUTLINE.width, colour };
  const outline = { radius, colour: palette.text };
  if (ramp.signed) return [outline, within];
  return [outline, { ...within, colour: palette.card }, { radius: radius - 2 * OUTLINE.width, colour }];
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

/** Draws `rows`; as shapes into a drawing that keeps shapes, as pixels onto a canvas. */
export function drawCells(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  if (recordsPaths(context)) drawCircles(context, rows, picture);
  else paintCells(context, rows, picture);
  drawMissing(context, rows, picture);
  if (picture.fillings || rows.some((row) => row.fillings)) drawRings(context, rows, picture);
  for (const row of rows) if (!row.values) drawWaiting(context, row.top + picture.columns.rowHeight / 2, picture);
}

function drawCircles(context: CanvasRenderingContext2D, rows: readonly CellRow[], picture: CellPicture): void {
  const circles = picture.ramp.levels.map(() => newPath(context));
  const zeros = newPath(context);
  const beyond: (() => void)[] = [];
  eachCell(rows, picture, (value, x, y, share) => {
    const radius = radiusOf(picture.columns.radius, share);
    if (!Number.isFinite(value)) return;
    if (value === 0) addCircle(zeros, x, y, ZERO_RADIUS);
    else if (isClipped(picture.ramp, value) && radius >= OUTLINE.least) {
      for (const disc of outlined(picture, value, radius)) beyond.push(() => fillCircle(context, disc, x, y));
    } else {
      const path = circles[levelOf(picture.ramp, value)];
      if (path) addCircle(path, x, y, radius);
    }
  });
  circles.forEach((path, level) => {
    context.fillStyle = picture.ramp.levels[level] ?? "";
    context.fill(path);
  });
  context.fillStyle = picture.palette.tertiary;
  context.fill(zeros);
  for (const draw of beyond) draw();
}

function fillCircle(context: CanvasRenderingContext2D, { radius, colour }: Disc, x: number, y: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
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

export function drawBand(context: CanvasRenderingContext2D, height: number, width: number, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
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
