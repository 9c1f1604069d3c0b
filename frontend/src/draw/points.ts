/** Draws a projection's dots: as pixels for the screen, as paths where a drawing is exported. */

import type { Palette } from "./palette";
import { newPath } from "./paths";
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

/** Colour of the dot of a class without one, so that it shows among faded ones. */
const colourOf = ({ codes, colours, lit, palette }: PointsPicture, row: number): string => {
  const own = colours[codes[row] ?? -1] ?? palette.otherClass;
  return lit && own === palette.otherClass ? palette.text : own;
};

/** Paints every dot on the card's colour; those that are not lit first, small and grey. */
export function paintPoints(picture: PointsPicture, raster: Raster, ratio: number): void {
  const { positions, lit, palette } = picture;
  pixelsOf(raster).fill(packed(rgbOf(palette.card)));
  const size = ratio * crowding(positions.length / 2);
  if (lit)
    paintRows(
      picture,
      raster,
      ratio,
      FADED_RADIUS * size,
      (row) => lit[row] !== 1,
      () => palette.faded,
    );
  paintRows(
    picture,
    raster,
    ratio,
    RADIUS * size,
    (row) => !lit || lit[row] === 1,
    (row) => colourOf(picture, row),
  );
}

function paintRows(
  { positions }: PointsPicture,
  raster: Raster,
  ratio: number,
  radius: number,
  chosen: (row: number) => boolean,
  colour: (row: number) => string,
): void {
  const stamp = createStamp(radius);
  const known = new Map<string, ReturnType<typeof rgbOf>>();
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y) || !chosen(row)) continue;
    const name = colour(row);
    const rgb = known.get(name) ?? rgbOf(name);
    known.set(name, rgb);
    paintStamp(raster, stamp, x * ratio, y * ratio, rgb);
  }
}

/** Draws every dot as a path; those that are not lit first, small and grey. */
export function drawPoints(context: CanvasRenderingContext2D, picture: PointsPicture): void {
  const { positions, lit, palette } = picture;
  const size = crowding(positions.length / 2);
  const faded = newPath(context);
  const paths = new Map<string, Path2D>();
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = positions[row * 2] ?? Number.NaN;
    const y = positions[row * 2 + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    const isLit = !lit || lit[row] === 1;
    const colour = colourOf(picture, row);
    const path = isLit ? (paths.get(colour) ?? newPath(context)) : faded;
    const radius = (isLit ? RADIUS : FADED_RADIUS) * size;
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
