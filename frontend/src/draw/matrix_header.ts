/** Header of a matrix: the overview of all neurons, the class strip, and profiles of differences and correlations. */
import type { ColumnLayout } from "./matrix_layout";
import { createRamp, levelOf, type Palette, type Ramp } from "./palette";
import { packed, pixelsOf, type Raster, rgbOf } from "./raster";

interface MinimapPicture {
  /** (neurons,) per row; null while they are being fetched. */
  rows: readonly (Float32Array | null)[];
  /** Positions after which a gap stands, between groups of rows. */
  gaps: ReadonlySet<number>;
  /** Neurons in the order shown. */
  order: Int32Array;
  ramp: Ramp;
}

const TALLEST_ROW = 4;
const GROUP_GAP = 2;
const TALLEST = 56;

/** Height of a minimap of so many rows, in CSS pixels; rows beyond its height share their pixels. */
const minimapHeight = (rows: number, gaps: number): number =>
  Math.min(TALLEST, rows * rowHeight(rows, gaps) + gaps * GROUP_GAP);

const rowHeight = (rows: number, gaps: number): number =>
  Math.min(TALLEST_ROW, Math.max(1, Math.floor((TALLEST - gaps * GROUP_GAP) / Math.max(1, rows))));

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
    const shared = (raster.height - gaps.size * GROUP_GAP * scale) / rows.length;
    y += Math.min(each, shared) + (gaps.has(position) ? GROUP_GAP * scale : 0);
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

/** What stands above a matrix, and where; lengths in CSS pixels. */
export interface HeaderLayout {
  /** Of the neurons that do not fit: nothing, the sorting row as a strip, or every row as a map. */
  overview: "none" | "strip" | "map";
  overviewTop: number;
  overviewHeight: number;
  strongestTop: number;
  height: number;
}

const STRONGEST_HEIGHT = 4;
const BELOW_STRONGEST = 4;
/** From so many windows on, a strip no longer tells where to look. */
const MAP_FROM = 8;
const MAP_TOP = 18;
/** Between the map and the strip below it, where lines lead from one to the other. */
const FUNNEL_HEIGHT = 9;
/** Where all neurons are in sight. */
export const LOWEST_HEADER = 26;

/** Above the rows of every bank but the first: which neurons are in it, and the class strip. */
export const BANK_HEADER: HeaderLayout = {
  overview: "none",
  overviewTop: 0,
  overviewHeight: 0,
  strongestTop: 16,
  height: 24,
};

/**
 * @param groups the kinds of the rows, one per row
 * @param map whether there may be a map
 */
export function layoutHeader(columns: ColumnLayout, groups: readonly string[], map = true): HeaderLayout {
  const overview = columns.visible < columns.total ? "strip" : "none";
  const strip: HeaderLayout = { overview, overviewTop: 20, overviewHeight: 5, strongestTop: 28, height: 36 };
  if (!map || columns.printed) return strip;
  if (overview === "none") return { ...strip, strongestTop: 18, height: LOWEST_HEADER };
  if (columns.total <= MAP_FROM * columns.visible) return strip;
  const overviewHeight = minimapHeight(groups.length, groupEnds(groups).size);
  const strongestTop = MAP_TOP + overviewHeight + FUNNEL_HEIGHT + 1;
  const height = strongestTop + STRONGEST_HEIGHT + BELOW_STRONGEST;
  return { overview: "map", overviewTop: MAP_TOP, overviewHeight, strongestTop, height };
}

/** Positions of the rows that end a group, but for the last group. */
export function groupEnds(groups: readonly string[]): Set<number> {
  const ends = new Set<number>();
  groups.forEach((group, position) => {
    if (position + 1 < groups.length && group !== groups[position + 1]) ends.add(position);
  });
  return ends;
}

export interface OverviewPicture {
  order: Int32Array;
  /** (neurons,): what the strip shows, e.g. the row that sorts. */
  values: Float32Array;
  ramp: Ramp;
  width: number;
  height: number;
}

/** Draws every neuron, the strongest of those that share a pixel. */
export function drawOverview(context: CanvasRenderingContext2D, picture: OverviewPicture): void {
  const { order, values, ramp, width, height } = picture;
  const pixels = Math.floor(width);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = Math.floor((pixel / pixels) * order.length);
    const to = Math.max(from + 1, Math.floor(((pixel + 1) / pixels) * order.length));
    context.fillStyle = ramp.levels[levelOf(ramp, strongest(order, values, from, to))] ?? "";
    context.fillRect(pixel, 0, 1, height);
  }
}

function strongest(order: Int32Array, values: Float32Array, from: number, to: number): number {
  let best = 0;
  for (let position = from; position < to; position++) {
    const value = values[order[position] ?? 0] ?? 0;
    if (Math.abs(value) > Math.abs(best)) best = value;
  }
  return best;
}

/** Draws lines from the window on the map to the columns that it holds. */
export function drawFunnel(
  context: CanvasRenderingContext2D,
  columns: ColumnLayout,
  header: HeaderLayout,
  width: number,
  palette: Palette,
): void {
  const top = header.overviewTop + header.overviewHeight + 1.5;
  const bottom = top + FUNNEL_HEIGHT - 2.5;
  const scale = width / columns.total;
  context.strokeStyle = palette.accent;
  context.globalAlpha = 0.5;
  context.beginPath();
  context.moveTo(columns.first * scale, top);
  context.lineTo(0, bottom);
  context.moveTo((columns.first + columns.visible) * scale, top);
  context.lineTo(columns.visible * columns.pitch, bottom);
  context.stroke();
  context.globalAlpha = 1;
}

interface StrongestPicture {
  order: Int32Array;
  /** (neurons,): a class, or -1. */
  strongest: Int32Array;
  colours: readonly string[];
  columns: ColumnLayout;
  palette: Palette;
  /** (neurons,): non-finite activations; a mark stands under the neurons that have some. */
  nonfinite: Float32Array | null;
  top: number;
}

export function drawStrongest(context: CanvasRenderingContext2D, picture: StrongestPicture): void {
  const { order, strongest: classes, colours, columns, palette, nonfinite, top } = picture;
  const gap = columns.pitch > 8 ? 1 : 0.5;
  for (let position = columns.first; position < columns.first + columns.visible; position++) {
    const neuron = order[position] ?? 0;
    const x = (position - columns.first) * columns.pitch;
    const label = classes[neuron] ?? -1;
    context.fillStyle = label < 0 ? palette.barTrack : (colours[label] ?? palette.otherClass);
    context.fillRect(x, top, columns.pitch - gap, STRONGEST_HEIGHT);
    if ((nonfinite?.[neuron] ?? 0) > 0) drawMark(context, x + columns.pitch / 2, top + STRONGEST_HEIGHT, palette);
  }
}

function drawMark(context: CanvasRenderingContext2D, x: number, top: number, palette: Palette): void {
  context.fillStyle = palette.wrong;
  context.beginPath();
  context.moveTo(x, top + 0.5);
  context.lineTo(x + 2.5, top + 4);
  context.lineTo(x - 2.5, top + 4);
  context.fill();
}

const PROFILE_GAP = 1;
const HEIGHT = 6;
/** The smallest end of the scale: differences of a tenth should not look large. */
const SMALLEST_END = 1;
/** Differences below so many standard errors are drawn thin. */
const DOUBTFUL = 2;

/** The header with room for the strip, and where that begins. */
export function makeRoom(header: HeaderLayout): { header: HeaderLayout; differenceTop: number } {
  return {
    header: { ...header, height: header.height + PROFILE_GAP + HEIGHT + 3 },
    differenceTop: header.height + PROFILE_GAP,
  };
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

interface DifferencePicture {
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

interface CorrelationsPicture {
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
