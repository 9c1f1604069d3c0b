/**
 * Raster of pixels that are painted by hand. Many thousand dots go into a raster in a few milliseconds, where as many arcs on a
 * canvas without a GPU take a second.
 */

/** RGBA by row, as `ImageData` has it. */
export interface Raster {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

type Rgb = readonly [number, number, number];

/** Reads `#rrggbb` and `rgb(r, g, b)`. */
export function rgbOf(colour: string): Rgb {
  if (colour.startsWith("#")) {
    const channel = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
    return [channel(1), channel(3), channel(5)];
  }
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return [red, green, blue];
}

/** The pixels as one number each, made by `packed`. */
export const pixelsOf = ({ data }: Raster): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);

/** An opaque colour as one number, in the byte order of every machine that browsers run on. */
export const packed = ([red, green, blue]: Rgb): number => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** How much of each pixel a disc covers, for a middle at each of a few places between pixels. */
export interface Stamp {
  /** Pixels from edge to edge. */
  size: number;
  /** Coverage 0 to 256, (PHASES · PHASES, size, size). */
  coverage: Uint16Array;
}

const PHASES = 4;
const SAMPLES = 4;

/** Makes the stamp of a disc; `radius` in device pixels. */
export function createStamp(radius: number): Stamp {
  const size = Math.ceil(2 * radius) + 2;
  const coverage = new Uint16Array(PHASES * PHASES * size * size);
  const middle = size / 2 - 0.5;
  let at = 0;
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    const x = middle + (phase % PHASES) / PHASES;
    const y = middle + Math.floor(phase / PHASES) / PHASES;
    for (let pixel = 0; pixel < size * size; pixel++) {
      coverage[at++] = covered((pixel % size) - x, Math.floor(pixel / size) - y, radius);
    }
  }
  return { size, coverage };
}

/** Share of a pixel that lies within `radius` of the origin, by samples, of 256. */
function covered(left: number, top: number, radius: number): number {
  let inside = 0;
  for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
    const x = left + ((sample % SAMPLES) + 0.5) / SAMPLES;
    const y = top + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
    if (x * x + y * y <= radius * radius) inside++;
  }
  return (inside * 256) / (SAMPLES * SAMPLES);
}

/** Paints the disc of `stamp` around (x, y), in device pixels, over what is there; beyond the edges it is cut. */
export function paintStamp(raster: Raster, stamp: Stamp, x: number, y: number, colour: Rgb): void {
  const { size, coverage } = stamp;
  const { pixelLeft, pixelTop, base } = placeStamp(stamp, x, y);
  for (let row = Math.max(0, -pixelTop); row < Math.min(size, raster.height - pixelTop); row++) {
    for (let column = Math.max(0, -pixelLeft); column < Math.min(size, raster.width - pixelLeft); column++) {
      const share = coverage[base + row * size + column] ?? 0;
      if (share > 0) blend(raster.data, 4 * ((pixelTop + row) * raster.width + pixelLeft + column), colour, share);
    }
  }
}

/**
 * Paints the disc of `stamp` where nothing else is: its edge fades into what lies below the raster.
 *
 * @param pixels The raster's pixels as one number each, by `pixelsOf`.
 * @param colour By `packed`.
 */
export function stampAlone(
  pixels: Uint32Array,
  width: number,
  stamp: Stamp,
  [x, y]: readonly [number, number],
  colour: number,
): void {
  const { size, coverage } = stamp;
  const { pixelLeft, pixelTop, base } = placeStamp(stamp, x, y);
  const opaque = colour & 0xffffff;
  const [first, last] = [Math.max(0, -pixelLeft), Math.min(size, width - pixelLeft)];
  const bottom = Math.min(size, pixels.length / width - pixelTop);
  for (let row = Math.max(0, -pixelTop); row < bottom; row++) {
    const from = base + row * size;
    const to = (pixelTop + row) * width + pixelLeft;
    for (let column = first; column < last; column++) {
      const share = coverage[from + column] as number;
      if (share > 0) pixels[to + column] = (Math.min(255, share) << 24) | opaque;
    }
  }
}

/** Where a stamp's pixels begin, and which of its phases stands for the place between pixels. */
function placeStamp({ size }: Stamp, x: number, y: number) {
  const shift = size / 2 - 0.5;
  const left = Math.round((x - shift) * PHASES);
  const top = Math.round((y - shift) * PHASES);
  const pixelLeft = Math.floor(left / PHASES);
  const pixelTop = Math.floor(top / PHASES);
  const base = ((top - pixelTop * PHASES) * PHASES + (left - pixelLeft * PHASES)) * size * size;
  return { pixelLeft, pixelTop, base };
}

function blend(data: Uint8ClampedArray, at: number, colour: Rgb, share: number): void {
  for (let channel = 0; channel < 3; channel++) {
    const before = data[at + channel] as number;
    data[at + channel] = before + (((colour[channel as 0] - before) * share) >> 8);
  }
}

/** A colour to paint many stamps with. */
export interface Ink {
  rgb: Rgb;
  packed: number;
}

export function inkOf(colour: string): Ink {
  const rgb = rgbOf(colour);
  return { rgb, packed: packed(rgb) };
}

/**
 * Paints the disc of `stamp` over what is there, where that is opaque everywhere: the same as `paintStamp`, sooner.
 *
 * @param pixels The raster's pixels as one number each, by `pixelsOf`.
 */
export function stampOver(
  pixels: Uint32Array,
  { width, height, data }: Raster,
  stamp: Stamp,
  x: number,
  y: number,
  ink: Ink,
): void {
  const { size, coverage } = stamp;
  const { pixelLeft, pixelTop, base } = placeStamp(stamp, x, y);
  const [first, last] = [Math.max(0, -pixelLeft), Math.min(size, width - pixelLeft)];
  const bottom = Math.min(size, height - pixelTop);
  for (let row = Math.max(0, -pixelTop); row < bottom; row++) {
    const from = base + row * size;
    const to = (pixelTop + row) * width + pixelLeft;
    for (let column = first; column < last; column++) {
      const share = coverage[from + column] as number;
      if (share === 256) pixels[to + column] = ink.packed;
      else if (share > 0) blend(data, 4 * (to + column), ink.rgb, share);
    }
  }
}
