/** Rows of tables of numbers, and the scale on which a panel shows them. */

import { max as greatest, nice, quantile } from "d3-array";
import type { NpyArray } from "../contract/npy";

const averages = new WeakMap<readonly number[], WeakMap<Float32Array, Float32Array>>();

/**
 * Returns the mean of some rows of a (rows, neurons) array, (neurons,), by sums in float64; values that are not finite
 * are left out, and where none is left the mean is NaN. The same array for the same arguments.
 */
export function averageRows(
  values: NpyArray<Float32Array> | undefined,
  members: readonly number[],
): Float32Array | null {
  if (!values) return null;
  const known = averages.get(members) ?? new WeakMap<Float32Array, Float32Array>();
  averages.set(members, known);
  const average = known.get(values.data) ?? sumRows(values, members);
  known.set(values.data, average);
  return average;
}

function sumRows({ shape: [, neurons = 0], data }: NpyArray<Float32Array>, members: readonly number[]): Float32Array {
  const sums = new Float64Array(neurons);
  const counts = new Int32Array(neurons);
  for (const row of members) {
    for (let neuron = 0; neuron < neurons; neuron++) {
      const value = data[row * neurons + neuron] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      sums[neuron] = (sums[neuron] ?? 0) + value;
      counts[neuron] = (counts[neuron] ?? 0) + 1;
    }
  }
  return Float32Array.from(sums, (sum, neuron) => sum / (counts[neuron] || Number.NaN));
}

/** Returns one row of a (rows, neurons) array. */
export function sliceRow(values: NpyArray<Float32Array> | undefined, row: number): Float32Array | null {
  if (!values || row < 0) return null;
  const [rows = 0, neurons = 0] = values.shape;
  return row < rows ? values.data.subarray(row * neurons, (row + 1) * neurons) : null;
}

const rowsOf = new WeakMap<Float32Array, Map<number, Float32Array>>();

/** The same, and the same array for the same row, so that what follows from it is kept. */
export function keptRow(values: NpyArray<Float32Array> | undefined, row: number): Float32Array | null {
  if (!values) return null;
  const kept = rowsOf.get(values.data) ?? new Map<number, Float32Array>();
  rowsOf.set(values.data, kept);
  const found = kept.get(row) ?? sliceRow(values, row);
  if (found) kept.set(row, found);
  return found;
}

/** Returns one column of a (rows, neurons) array, (rows,); NaN where there is no such column. */
export function sliceColumn({ shape, data }: NpyArray<Float32Array>, column: number): Float32Array {
  const [rows = 0, neurons = 0] = shape;
  const isThere = column >= 0 && column < neurons;
  return Float32Array.from({ length: rows }, (_, row) =>
    isThere ? (data[row * neurons + column] ?? Number.NaN) : Number.NaN,
  );
}

/**
 * Returns the only column of a (rows, neurons) array whose finite values differ, or that there is; null where there are
 * more, or none.
 */
export function soleColumn({ shape, data }: NpyArray<Float32Array>): number | null {
  const [rows = 0, neurons = 0] = shape;
  if (neurons === 1) return 0;
  const first = new Float32Array(neurons).fill(Number.NaN);
  let sole: number | null = null;
  for (let at = 0; at < rows * neurons; at++) {
    const [column, value] = [at % neurons, data[at] ?? Number.NaN];
    if (!Number.isFinite(value)) continue;
    const known = first[column] ?? Number.NaN;
    if (Number.isNaN(known)) first[column] = value;
    else if (known !== value && column !== sole) {
      if (sole !== null) return null;
      sole = column;
    }
  }
  return sole;
}

export interface Extremes {
  /** Infinite where no value is finite. */
  low: number;
  high: number;
}

const extremes = new WeakMap<Float32Array, Extremes>();

/** Returns the smallest and the largest finite value. */
export function extremesOf(values: Float32Array): Extremes {
  const known = extremes.get(values);
  if (known) return known;
  const found = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < found.low) found.low = value;
    if (value > found.high) found.high = value;
  }
  extremes.set(values, found);
  return found;
}

const masks = new WeakMap<readonly number[], Uint8Array>();

/** Returns 1 for the sampled rows that are members, uint8 (rows,); the same array for the same members. */
export function maskOf(members: readonly number[], sampled: number): Uint8Array {
  const known = masks.get(members);
  if (known) return known;
  const mask = new Uint8Array(sampled);
  for (const row of members) mask[row] = 1;
  masks.set(members, mask);
  return mask;
}

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
