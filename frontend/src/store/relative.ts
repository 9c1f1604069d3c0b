/** Relative values: how far a row's are from the mean over all instances, in each neuron's standard deviations over all. */

import type { NpyArray } from "../contract/npy";

/** Of each neuron over all instances, (neurons,); NaN where no activation is finite. */
export interface OverallMoments {
  mean: Float64Array;
  /** Population standard deviations. */
  std: Float64Array;
  /** The largest magnitude among the class means: rounding to single precision moves no mean further than that allows. */
  largest: Float64Array;
}

/** Of single precision, in which means and deviations are stored and sent. */
const ROUNDING = 2 ** -24;
/** Of double precision, in which they are joined: what varies less does not vary. */
const CONSTANT = 2 ** -40;
/** A relative value that may be further off than this, in standard deviations, is not shown. */
const MOST_OFF = 0.005;

/**
 * @param overall (2, neurons): means and standard deviations
 * @param means (subsets, neurons), the classes, or all instances, first
 */
export function overallMoments(
  { shape: [, neurons = 0], data }: NpyArray<Float64Array>,
  means: NpyArray<Float32Array>,
  classes: number,
): OverallMoments {
  const largest = new Float64Array(neurons);
  for (let at = 0; at < classes * neurons; at++) {
    const magnitude = Math.abs(means.data[at] ?? 0);
    if (magnitude > (largest[at % neurons] ?? 0)) largest[at % neurons] = magnitude;
  }
  return { mean: data.subarray(0, neurons), std: data.subarray(neurons), largest };
}

const known = new WeakMap<OverallMoments, WeakMap<Float32Array, Float32Array>>();

/**
 * Returns (value - mean over all) / standard deviation over all, (neurons,): 0 where all instances are alike, NaN where
 * there is no value, and where single precision leaves it open by more than 0.005. The same array for the same arguments.
 */
export function relativeValues(values: Float32Array, moments: OverallMoments): Float32Array {
  const made = known.get(moments) ?? new WeakMap<Float32Array, Float32Array>();
  known.set(moments, made);
  const relative = made.get(values) ?? values.map((value, neuron) => relativeValue(value, moments, neuron));
  made.set(values, relative);
  return relative;
}

/** Of one value, e.g. the end of an interval. */
export function relativeValue(value: number, { mean, std, largest }: OverallMoments, neuron: number): number {
  const [centre = Number.NaN, deviation = Number.NaN] = [mean[neuron], std[neuron]];
  const doubt = ROUNDING * (Math.abs(value) + 3 * (largest[neuron] ?? 0));
  if (deviation <= CONSTANT * (largest[neuron] ?? 0)) return Math.abs(value - centre) <= doubt ? 0 : Number.NaN;
  return doubt > MOST_OFF * deviation ? Number.NaN : (value - centre) / deviation;
}

/** A scale of relative values ends at one standard deviation. */
export const RELATIVE_END = 1;
