/**
 * Strip of one neuron: values across, a lane per class, and in a lane instances of like values above each other, as many
 * as there are. The same values give the same picture.
 */

import { extent, nice, tickIncrement, ticks } from "d3-array";
import { FONT } from "./matrix_text";
import type { Palette } from "./palette";
import { type PlacedPoints, placedAt, type View } from "./projection";

export interface Strip extends PlacedPoints {
  /** The values at the ends of the axis. */
  low: number;
  high: number;
  /** Of the dots, above the axis. */
  height: number;
  axisHeight: number;
  /** Draws the axis of a view and what it says, from the top of its place. */
  drawAxis: (context: CanvasRenderingContext2D, view: View, title: string, palette: Palette) => void;
}

interface StripInputs {
  /** (rows,); an instance without a finite one has no place. */
  values: Float32Array;
  /** By row, its class; -1 for none. */
  codes: ArrayLike<number>;
  classes: number;
  /** Of dots and axis. */
  width: number;
  height: number;
  /** What the ends of the axis hold, so that several strips have one scale; the values that there are. */
  ends?: readonly [number | undefined, number | undefined];
  /** Of what stands below the dots; 0 without an axis. */
  axisHeight?: number;
}

/** Of more classes than these, all stand in one lane. */
const MOST_LANES = 10;
const MARGIN = { side: 14, end: 6 };
/** So far across values are alike, and so far apart are instances above each other at most. */
const ALIKE = 5;
const APART = 5;
/** Of a lane's height, what its densest place takes. */
const FILLED = 0.86;

const AXIS_HEIGHT = 32;

export function placeStrip(inputs: StripInputs): Strip {
  const { values, codes, classes, width, axisHeight = AXIS_HEIGHT } = inputs;
  const height = inputs.height - axisHeight;
  const [least = 0, most = 0] = inputs.ends ?? endsOf([values]);
  const [low = least, high = most] = most > least ? nice(least, most, 5) : [least, most];
  const across = (value: number) => MARGIN.side + stripShare(value, low, high) * (width - 2 * MARGIN.side);
  const lanes = lanesOf(codes, values, classes);
  const laneHeight = (height - 2 * MARGIN.end) / Math.max(1, lanes.count);
  const piles = pile(values, lanes.of, across);
  const tallest = new Float64Array(lanes.count);
  for (const { lane, rows } of piles) tallest[lane] = Math.max(tallest[lane] ?? 0, rows.length);
  const positions = new Float32Array(2 * values.length).fill(Number.NaN);
  for (const { lane, rows } of piles) {
    const middle = MARGIN.end + (lane + 0.5) * laneHeight;
    // As areas do, heights grow with the root: where few are alike they still stand apart.
    const room = FILLED * laneHeight * Math.sqrt(rows.length / (tallest[lane] || 1));
    const length = Math.min(APART * rows.length, room);
    rows.forEach((row, at) => {
      positions[2 * row] = across(values[row] ?? Number.NaN);
      positions[2 * row + 1] = middle + ((at + 0.5) / rows.length - 0.5) * length;
    });
  }
  return {
    ...placedAt(positions),
    ...{ low, high, height, axisHeight },
    drawAxis: (context, view, title, palette) =>
      drawAxis(context, stripTicks({ low, high }, view, width), title, width, palette),
  };
}

/** Returns the lowest and the highest finite value; nothing where there is none. */
export const endsOf = (strips: readonly Float32Array[]): [number, number] | [undefined, undefined] =>
  extent(strips.flatMap((values) => extent(values.filter(Number.isFinite)).filter((end) => end !== undefined)));

const stripShare = (value: number, low: number, high: number): number =>
  high > low ? (value - low) / (high - low) : 0.5;

/** The classes that have an instance, each in a lane; instances without a class below them. */
function lanesOf(codes: ArrayLike<number>, values: Float32Array, classes: number) {
  if (classes > MOST_LANES) return { count: 1, of: () => 0 };
  const laneOf = (row: number) => ((codes[row] ?? -1) < 0 ? classes : (codes[row] ?? 0));
  const present = new Set(Array.from(values, (value, row) => (Number.isFinite(value) ? laneOf(row) : -1)));
  const order = Array.from({ length: classes + 1 }, (_, lane) => lane).filter((lane) => present.has(lane));
  return { count: order.length, of: (row: number) => order.indexOf(laneOf(row)) };
}

interface Pile {
  lane: number;
  rows: number[];
}

/** The instances of a lane whose values are alike, in the order of the rows. */
function pile(values: Float32Array, laneOf: (row: number) => number, across: (value: number) => number): Pile[] {
  const piles = new Map<string, Pile>();
  values.forEach((value, row) => {
    if (!Number.isFinite(value)) return;
    const lane = laneOf(row);
    const key = `${lane} ${Math.floor(across(value) / ALIKE)}`;
    const known = piles.get(key) ?? { lane, rows: [] };
    piles.set(key, known);
    known.rows.push(row);
  });
  return [...piles.values()];
}

interface Tick {
  x: number;
  text: string;
}

/** Between two ticks at least. */
const TICK_ROOM = 56;

/** Returns what stands at the axis of the part that is in sight. */
export function stripTicks({ low, high }: Pick<Strip, "low" | "high">, view: View, width: number): Tick[] {
  const length = width - 2 * MARGIN.side;
  const place = (value: number) => (MARGIN.side + stripShare(value, low, high) * length) * view.scale + view.x;
  if (!(high > low)) return [{ x: place(low), text: String(low) }];
  const valueAt = (x: number) => low + (((x - view.x) / view.scale - MARGIN.side) / length) * (high - low);
  const [first, last] = [Math.max(low, valueAt(0)), Math.min(high, valueAt(width))];
  const count = Math.max(2, Math.floor(width / TICK_ROOM));
  const step = tickIncrement(first, last, count);
  const decimals = step < 0 ? Math.ceil(Math.log10(-step)) : 0;
  return ticks(first, last, count).map((value) => ({ x: place(value), text: tickText(value, decimals) }));
}

function tickText(value: number, decimals: number): string {
  const plain = Math.abs(value) < 1e6 && decimals < 7;
  return (plain ? value.toFixed(decimals) : value.toExponential(1)).replace("-", "−");
}

function drawAxis(
  context: CanvasRenderingContext2D,
  ticksInSight: readonly Tick[],
  title: string,
  width: number,
  palette: Palette,
): void {
  context.fillStyle = palette.line;
  context.fillRect(0, 0, width, 1);
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const { x, text } of ticksInSight) {
    context.fillStyle = palette.secondary;
    context.fillRect(Math.round(x), 0, 1, 4);
    const half = context.measureText(text).width / 2;
    if (x + half <= width + 1 && x - half >= -1) context.fillText(text, x, 15);
  }
  context.fillStyle = palette.secondary;
  context.fillText(title, width / 2, 28);
}
