/** Draws a projection's dots: as pixels for the screen, as paths where a drawing is exported. */

import type { Palette } from "./palette";
import { createStamp, packed, paintStamp, pixelsOf, type Raster, rgbOf } from "./raster";

export interface PointsPicture {
  /** In CSS pixels, (rows, 2); NaN where an instance has no place. */
  positions: Float32Array;
  /** By row, which of `colours` a dot has; -1 for none of them. */
  codes: ArrayLike<number>;
  colours: readonly string[];
  /** By row, 1 where lit; null where all are. */
  lit: Uint8Array | null;
  palette: Palette;
}

const RADIUS = 2.4;
const FADED_RADIUS = 1.7;
/** So many dots hide each other; they become smaller. */
const CROWD = 4000;

const crowding = (rows: number): number => Math.max(0.5, Math.min(1, (CROWD / Math.max(1, rows)) ** 0.25));

/** A dot without a colour of its own is grey, and as dark as text among faded ones. */
function colourOf({ codes, colours, lit, palette }: PointsPicture, row: number): string {
  const own = colours[codes[row] ?? -1] ?? palette.otherClass;
  return lit && own === palette.otherClass ? palette.text : own;
}

const notGrey = (colour: string, grey: string): string | null => (colour === grey ? null : colour);

/** A picture's dots as pixels. */
export interface PaintedPoints<Pixels extends Raster> {
  /** All of them in their colours. */
  all: () => Pixels;
  /** Those with 1 in `lit` in their colours, the others small and grey. */
  lit: (lit: Uint8Array) => Pixels;
}

/**
 * Paints dots on the card's colour, when they are first asked for.
 *
 * @param newRaster Makes an empty raster of the picture's size in device pixels
 * @param ratio Device pixels per CSS pixel
 */
export function createPaintedPoints<Pixels extends Raster>(
  picture: Omit<PointsPicture, "lit">,
  newRaster: () => Pixels,
  ratio: number,
): PaintedPoints<Pixels> {
  const size = ratio * crowding(picture.positions.length / 2);
  const paint = (raster: Pixels, lit: Uint8Array | null) => {
    const shown: PointsPicture = { ...picture, lit };
    const grey = lit ? picture.palette.text : picture.palette.otherClass;
    // Dots without a colour of their own lie below those that have one.
    paintRows(shown, raster, ratio, RADIUS * size, (row) => (colourOf(shown, row) === grey ? grey : null));
    return paintRows(shown, raster, ratio, RADIUS * size, (row) => notGrey(colourOf(shown, row), grey));
  };
  const card = () => {
    const raster = newRaster();
    pixelsOf(raster).fill(packed(rgbOf(picture.palette.card)));
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
  const faded = once(() =>
    paintRows({ ...picture, lit: null }, card(), ratio, FADED_RADIUS * size, () => picture.palette.faded),
  );
  return {
    all,
    lit: (lit) => {
      const raster = newRaster();
      pixelsOf(raster).set(pixelsOf(faded()));
      return paint(raster, lit);
    },
  };
}

/** Paints the lit rows, all where `lit` is null, that have a colour. */
function paintRows<Pixels extends Raster>(
  { positions, lit }: PointsPicture,
  raster: Pixels,
  ratio: number,
  radius: number,
  colour: (row: number) => string | null,
): Pixels {
  const stamp = createStamp(radius);
  const known = new Map<string, ReturnType<typeof rgbOf>>();
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y) || (lit && lit[row] !== 1)) continue;
    const name = colour(row);
    if (name === null) continue;
    const rgb = known.get(name) ?? rgbOf(name);
    known.set(name, rgb);
    paintStamp(raster, stamp, x * ratio, y * ratio, rgb);
  }
  return raster;
}
