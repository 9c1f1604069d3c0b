/** Points of a projection: placed in their box, drawn as dots, found under the pointer or inside a lasso. */

import { polygonContains } from "d3-polygon";
import { type Quadtree, quadtree } from "d3-quadtree";
import type { Palette } from "./palette";
import { createStamp, type Ink, inkOf, pixelsOf, type Raster, type Stamp, stampOver } from "./raster";

export interface PlacedPoints {
  /** Positions in CSS pixels before zooming, (rows, 2); NaN where an instance has no place. */
  positions: Float32Array;
  /** Instances that have a place. */
  count: number;
  /** Finds the row nearest to a point; made when it is first asked for. */
  index: () => Quadtree<number>;
}

const MARGIN = 8;

/** How far from the centre the frame of the steps reaches, whose instances are 0.5 from it on average. */
export const FRAME_REACH = 1.05;

/**
 * Fits coordinates (rows, 2) into a box, with the same scale on both axes.
 *
 * @param reach Shows what is so far from the origin instead of what there is, so that several pictures have one scale
 */
export function placePoints(coordinates: Float32Array, width: number, height: number, reach?: number): PlacedPoints {
  const whole = reach === undefined ? null : { low: -reach, high: reach };
  const horizontal = whole ?? extent(coordinates, 0);
  const vertical = whole ?? extent(coordinates, 1);
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
  return placedAt(positions);
}

/** Returns places (rows, 2) as points; NaN where an instance has none. */
export function placedAt(positions: Float32Array): PlacedPoints {
  let count = 0;
  for (let at = 0; at < positions.length; at += 2) if (Number.isFinite(positions[at])) count++;
  let index: Quadtree<number> | null = null;
  return {
    positions,
    count,
    index: () => {
      index ??= indexOf(positions);
      return index;
    },
  };
}

/** Returns the points on their way from one place to another: slowly at first and last. */
export function betweenPoints(from: PlacedPoints, to: PlacedPoints, share: number): PlacedPoints {
  const eased = share * share * (3 - 2 * share);
  const positions = to.positions.map((end, at) => {
    const start = from.positions[at] ?? end;
    return Number.isFinite(start) ? start + eased * (end - start) : end;
  });
  return { positions, count: to.count, index: to.index };
}

function indexOf(positions: Float32Array): Quadtree<number> {
  const rows: number[] = [];
  for (let row = 0; row * 2 < positions.length; row++) if (Number.isFinite(positions[row * 2])) rows.push(row);
  return quadtree<number>()
    .x((row) => positions[row * 2] ?? 0)
    .y((row) => positions[row * 2 + 1] ?? 0)
    .addAll(rows);
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

/** Enlarges by `scale` and then moves by (x, y), as d3-zoom has it. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 };

/** Returns positions (rows, 2) as they stand in the view. */
export function zoomPoints(positions: Float32Array, view: View): Float32Array {
  if (view.scale === 1 && view.x === 0 && view.y === 0) return positions;
  const zoomed = new Float32Array(positions.length);
  for (let at = 0; at + 1 < positions.length; at += 2) {
    zoomed[at] = (positions[at] ?? Number.NaN) * view.scale + view.x;
    zoomed[at + 1] = (positions[at + 1] ?? Number.NaN) * view.scale + view.y;
  }
  return zoomed;
}

/** Returns the row whose dot is nearest to a point of the view and at most `reach` away, undefined for none. */
export function nearestRow(placed: PlacedPoints, view: View, x: number, y: number, reach: number): number | undefined {
  return placed.index().find((x - view.x) / view.scale, (y - view.y) / view.scale, reach / view.scale);
}

const MOST_ZOOM = 32;

/** Returns the view after zooming by `factor` around a point, never smaller than the whole picture. */
export function zoomAround(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MOST_ZOOM, Math.max(1, view.scale * factor));
  if (scale === 1) return WHOLE;
  const change = scale / view.scale;
  return { scale, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
}

/** Returns the view after moving, such that the picture still covers its box. */
export function pan(view: View, right: number, down: number, width: number, height: number): View {
  const within = (offset: number, length: number) => Math.min(0, Math.max(length * (1 - view.scale), offset));
  return { ...view, x: within(view.x + right, width), y: within(view.y + down, height) };
}

interface PointsPicture {
  /** In CSS pixels, (rows, 2); NaN where an instance has no place. */
  positions: Float32Array;
  /** By row, which of `colours` a dot has; -1 for none of them. */
  codes: ArrayLike<number>;
  colours: readonly string[];
  /** By row, which of `colours` a ring around its dot has, beyond them the text's; -1 for no ring. Null: no rings. */
  rings?: ArrayLike<number> | null;
  /** By row, 1 where lit; null where all are. */
  litMask: Uint8Array | null;
  palette: Palette;
  /** How large dots are, in parts of those of a small picture. */
  enlarged?: number;
}

const RADIUS = 2.4;
const FADED_RADIUS = 1.7;
/** Of a dot with a ring, of what is clear around it, and of the ring. */
const RINGED = { dot: 2.2, clear: 3.4, ring: 4.8 };
/** So many dots hide each other; they become smaller. */
const CROWD = 4000;

const crowding = (rows: number): number => Math.max(0.5, Math.min(1, (CROWD / Math.max(1, rows)) ** 0.25));

/** Pictures up to this side have the smallest dots; those of larger ones grow, but not as fast. */
const SMALL_SIDE = 190;
const MOST_ENLARGED = 1.7;

/** Returns how large the dots of a picture are, in parts of those of a small one. */
export const enlargement = (width: number, height: number): number =>
  Math.min(MOST_ENLARGED, Math.max(1, Math.sqrt(Math.min(width, height) / SMALL_SIDE)));

/** Returns the radius of what goes around one of so many dots and its ring, in CSS pixels. */
export const radiusAround = (rows: number, enlarged: number): number =>
  Math.max(5.5, (RINGED.ring + 1.8) * enlarged * crowding(rows));

/** A picture's dots as pixels. */
interface PaintedPoints<Pixels extends Raster> {
  /** All of them in their colours. */
  all: () => Pixels;
  /** Those with 1 in `litMask` in their colours, the others small and grey. */
  lit: (litMask: Uint8Array) => Pixels;
}

/**
 * Paints dots on the card's colour, when they are first asked for.
 *
 * @param newRaster Makes an empty raster of the picture's size in device pixels
 * @param ratio Device pixels per CSS pixel
 */
export function createPaintedPoints<Pixels extends Raster>(
  picture: Omit<PointsPicture, "litMask">,
  newRaster: () => Pixels,
  ratio: number,
): PaintedPoints<Pixels> {
  const size = ratio * crowding(picture.positions.length / 2) * (picture.enlarged ?? 1);
  const { codes, rings, colours, palette } = picture;
  const [text, clear] = [inkOf(palette.text), inkOf(palette.card)];
  const inks = colours.map(inkOf);
  const isGrey = (row: number) => (colours[codes[row] ?? -1] ?? palette.otherClass) === palette.otherClass;
  const isRinged = (row: number) => rings !== null && rings !== undefined && (rings[row] ?? -1) >= 0;
  const paint = (raster: Pixels, litMask: Uint8Array | null) => {
    const shown: PointsPicture = { ...picture, litMask };
    // A dot without a colour of its own is grey, and as dark as text among faded ones.
    const grey = litMask ? text : inkOf(palette.otherClass);
    const inkOfRow = (row: number) => (isGrey(row) ? grey : (inks[codes[row] ?? -1] ?? grey));
    const dot = createStamp(RADIUS * size);
    // Dots without a colour of their own lie below those that have one, and rings above both.
    paintRows(shown, raster, ratio, [{ stamp: dot, ink: (row) => (isGrey(row) && !isRinged(row) ? grey : null) }]);
    paintRows(shown, raster, ratio, [
      { stamp: dot, ink: (row) => (isGrey(row) || isRinged(row) ? null : inkOfRow(row)) },
    ]);
    if (!rings) return raster;
    const ringed = (ink: (row: number) => Ink) => (row: number) => (isRinged(row) ? ink(row) : null);
    return paintRows(shown, raster, ratio, [
      { stamp: createStamp(RINGED.ring * size), ink: ringed((row) => inks[rings[row] ?? -1] ?? text) },
      { stamp: createStamp(RINGED.clear * size), ink: ringed(() => clear) },
      { stamp: createStamp(RINGED.dot * size), ink: ringed(inkOfRow) },
    ]);
  };
  const card = () => {
    const raster = newRaster();
    pixelsOf(raster).fill(clear.packed);
    return raster;
  };
  const once = <Value>(make: () => Value) => {
    let made: Value | null = null;
    return () => {
      made ??= make();
      return made;
    };
  };
  const all = once(() => paint(card(), null));
  // A faded dot is smaller than a lit one, so it may stay below it.
  const faded = once(() => {
    const ink = inkOf(palette.faded);
    const disc = { stamp: createStamp(FADED_RADIUS * size), ink: () => ink };
    return paintRows({ ...picture, litMask: null }, card(), ratio, [disc]);
  });
  return {
    all,
    lit: (litMask) => {
      const raster = newRaster();
      pixelsOf(raster).set(pixelsOf(faded()));
      return paint(raster, litMask);
    },
  };
}

/** One of the discs that a row is painted as. */
interface Disc {
  stamp: Stamp;
  /** Of a row; null where it has no such disc. */
  ink: (row: number) => Ink | null;
}

/** Paints the lit rows, all where `litMask` is null: each as its discs, one upon the other. */
function paintRows<Pixels extends Raster>(
  { positions, litMask }: PointsPicture,
  raster: Pixels,
  ratio: number,
  discs: readonly Disc[],
): Pixels {
  const pixels = pixelsOf(raster);
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y) || (litMask && litMask[row] !== 1)) continue;
    for (const { stamp, ink } of discs) {
      const used = ink(row);
      if (used) stampOver(pixels, raster, stamp, x * ratio, y * ratio, used);
    }
  }
  return raster;
}

/** Corners in CSS pixels of the view; the last one joins the first. */
export type Lasso = readonly [number, number][];

const FINEST = 2;

/** Returns the line with one more corner, unless that is as good as the last one. */
export function extendLasso(lasso: Lasso, x: number, y: number): Lasso {
  const [lastX, lastY] = lasso.at(-1) ?? [Number.NEGATIVE_INFINITY, 0];
  return Math.hypot(x - lastX, y - lastY) < FINEST ? lasso : [...lasso, [x, y]];
}

/** Returns the rows inside, ascending. `positions`, (rows, 2), are those before zooming; NaN is never inside. */
export function enclosedRows(positions: Float32Array, view: View, lasso: Lasso): number[] {
  if (lasso.length < 3) return [];
  const corners = [...lasso];
  const rows: number[] = [];
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = (positions[row * 2] ?? Number.NaN) * view.scale + view.x;
    const y = (positions[row * 2 + 1] ?? Number.NaN) * view.scale + view.y;
    if (Number.isFinite(x) && Number.isFinite(y) && polygonContains(corners, [x, y])) rows.push(row);
  }
  return rows;
}

/** As the path of an SVG. */
export const lassoPath = (lasso: Lasso): string =>
  lasso.length > 1 ? `M${lasso.map((corner) => corner.join(" ")).join("L")}Z` : "";
