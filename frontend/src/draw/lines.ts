/** Lines over steps: where a step and a value stand, and the path of a line with gaps. */

import { line } from "d3-shape";

export interface Line {
  name: string;
  colour: string;
  /** By step; NaN where there is none. */
  values: readonly number[];
}

export interface LinePlace {
  x: (position: number) => number;
  y: (value: number) => number;
}

interface LineBox {
  width: number;
  height: number;
  low: number;
  high: number;
}

const MARGIN = 6;
const TICKS = 22;

/** Spreads `count` steps evenly over the width, and values from `low` to `high` over the height. */
export function placeSteps(count: number, { width, height, low, high }: LineBox): LinePlace {
  return {
    x: (position) => TICKS + ((width - MARGIN - TICKS) * Math.max(0, position)) / Math.max(1, count - 1),
    y: (value) => height - MARGIN - ((height - 2 * MARGIN) * (value - low)) / (high - low),
  };
}

/** A scale in tenths from zero, or below where a value is, to `high`, or as far as the values go. */
export function scaleOf(lines: readonly Line[], high?: number): Pick<LineBox, "low" | "high"> {
  const values = lines.flatMap((line) => line.values.filter(Number.isFinite));
  return {
    low: Math.floor(10 * Math.min(0, ...values)) / 10,
    high: high ?? Math.ceil(10 * Math.max(0.1, ...values)) / 10,
  };
}

/** The path of a line; a value alone among gaps is a dot. */
export function linePath(values: readonly number[], { x, y }: LinePlace): string {
  const path = line<number>()
    .defined((value) => Number.isFinite(value))
    .x((_, position) => x(position))
    .y((value) => y(value));
  return path([...values]) ?? "";
}
