/** In which order a panel shows its neurons. */

import { descending } from "d3-array";
import type { NpyArray } from "../contract/npy";
import type { Sort } from "./durable";

/** Layers of at most this many neurons keep their natural order: their neurons have names. */
export const NAMED_NEURONS = 16;

/** For each neuron the class with the highest mean, -1 where no class has a positive one; (neurons,). */
export function strongestClasses(means: NpyArray<Float32Array>, classes: number): Int32Array {
  const [, neurons = 0] = means.shape;
  const strongest = new Int32Array(neurons).fill(-1);
  const best = new Float32Array(neurons);
  for (let label = 0; label < classes; label++) {
    for (let neuron = 0; neuron < neurons; neuron++) {
      const mean = means.data[label * neurons + neuron] ?? Number.NaN;
      if (mean > (best[neuron] ?? 0)) {
        best[neuron] = mean;
        strongest[neuron] = label;
      }
    }
  }
  return strongest;
}

/**
 * Returns the neurons in the order to show them, strongest first; ties and missing values keep their natural order,
 * missing ones last.
 *
 * @param means (subsets, neurons), the classes first
 * @param rowValues (neurons,) of the row or the difference that `sort` names, null where it has none yet
 */
export function columnOrder(
  sort: Sort,
  means: NpyArray<Float32Array>,
  classes: number,
  rowValues: ArrayLike<number> | null,
): Int32Array {
  const [, neurons = 0] = means.shape;
  const natural = Int32Array.from({ length: neurons }, (_, neuron) => neuron);
  if (neurons <= NAMED_NEURONS || sort === "natural") return natural;
  if (sort === "strongest") return byStrongestClass(natural, means, classes);
  if (sort === "variance") return byValue(natural, classVariances(means, classes));
  return rowValues ? byValue(natural, rowValues) : natural;
}

function byValue(neurons: Int32Array, values: ArrayLike<number>): Int32Array {
  return neurons.slice().sort((first, second) => compare(values[first], values[second]) || first - second);
}

function byStrongestClass(neurons: Int32Array, means: NpyArray<Float32Array>, classes: number): Int32Array {
  const strongest = strongestClasses(means, classes);
  const width = neurons.length;
  const group = (neuron: number) => {
    const label = strongest[neuron] ?? -1;
    return label < 0 ? classes : label;
  };
  const peak = (neuron: number) => means.data[(strongest[neuron] ?? 0) * width + neuron];
  return neurons
    .slice()
    .sort((first, second) => group(first) - group(second) || compare(peak(first), peak(second)) || first - second);
}

/** Variance between the classes that have a mean, by neuron; NaN with fewer than two. Welford's method. */
function classVariances(means: NpyArray<Float32Array>, classes: number): Float64Array {
  const [, neurons = 0] = means.shape;
  const centre = new Float64Array(neurons);
  const squares = new Float64Array(neurons);
  const counts = new Int32Array(neurons);
  for (let at = 0; at < classes * neurons; at++) {
    const neuron = at % neurons;
    const mean = means.data[at] ?? Number.NaN;
    if (!Number.isFinite(mean)) continue;
    const count = (counts[neuron] ?? 0) + 1;
    const before = mean - (centre[neuron] ?? 0);
    counts[neuron] = count;
    centre[neuron] = (centre[neuron] ?? 0) + before / count;
    squares[neuron] = (squares[neuron] ?? 0) + before * (mean - (centre[neuron] ?? 0));
  }
  return squares.map((sum, neuron) => ((counts[neuron] ?? 0) > 1 ? sum / ((counts[neuron] ?? 0) - 1) : Number.NaN));
}

function compare(first: number | undefined, second: number | undefined): number {
  const a = first ?? Number.NaN;
  const b = second ?? Number.NaN;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return descending(a, b);
}
