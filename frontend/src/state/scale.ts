/** The one scale on which a panel's values are shown, so that its rows compare. */

import { max as greatest, nice, quantile } from "d3-array";
import type { NpyArray } from "../contract/npy";

export interface ValueScale {
  /** The value that is drawn strongest; larger ones are clipped. */
  max: number;
  /** Diverging around zero, from -max to max. */
  signed: boolean;
}

/**
 * Returns a scale up to the 99th percentile of the class means' magnitudes, rounded up to a number that reads well.
 *
 * @param means (subsets, neurons), the classes first
 */
export function valueScale(means: NpyArray<Float32Array>, classes: number, signed: boolean): ValueScale {
  const [, neurons = 0] = means.shape;
  return { max: scaleEnd(means.data.subarray(0, classes * neurons)), signed };
}

/** Returns where a scale for these values ends: the 99th percentile of their magnitudes, rounded up; 1 where all are 0. */
export function scaleEnd(values: Float32Array): number {
  const magnitudes = sampledMagnitudes(values);
  const percentile = quantile(magnitudes, 0.99) ?? 0;
  const max = percentile > 0 ? percentile : (greatest(magnitudes) ?? 0);
  return max > 0 ? (nice(0, max, 4)[1] ?? max) : 1;
}

/** So many values tell a percentile as well as all of them do. */
const MOST_VALUES = 250_000;

function sampledMagnitudes(values: Float32Array): Float32Array {
  const step = Math.max(1, Math.ceil(values.length / MOST_VALUES));
  const sampled = Float32Array.from({ length: Math.ceil(values.length / step) }, (_, at) => values[at * step] ?? 0);
  return sampled.map(Math.abs).filter(Number.isFinite);
}
