/** By how much two rows differ in each neuron, measured by their spread. */

/** What is known of a row, by neuron. */
export interface Moments {
  /** Averages, or the activations of one instance; (neurons,). */
  mean: Float32Array;
  /** Standard deviations (ddof 0); null for one instance. */
  std: Float32Array | null;
  /** Instances with a finite activation, by neuron or the same for all. */
  count: Float32Array | number;
}

export interface Difference {
  /** `d` between two groups; `z` of an instance against a group. */
  measure: "d" | "z";
  /** (neurons,): positive where the first row is higher; NaN where unknown, infinite where neither row varies. */
  values: Float64Array;
  /** Standard errors, (neurons,); null for `z`. */
  errors: Float64Array | null;
}

/**
 * Returns the standardised difference of two groups, d = (m1 - m2) / sqrt((s1² + s2²) / 2), with its large-sample
 * standard error sqrt((n1 + n2) / (n1 n2) + d² / (2 (n1 + n2))) (Hedges and Olkin 1985, Statistical Methods for
 * Meta-Analysis); for an instance and a group its z-value, (x - m) / s. Two instances have no spread: null.
 */
export function standardisedDifference(first: Moments, second: Moments): Difference | null {
  if (!first.std && !second.std) return null;
  const { std, mean } = first;
  const values = Float64Array.from(mean, (value, neuron) =>
    quotient(value - (second.mean[neuron] ?? Number.NaN), spread(std?.[neuron], second.std?.[neuron])),
  );
  if (!std || !second.std) return { measure: "z", values, errors: null };
  const errors = values.map((d, neuron) => standardError(d, at(first.count, neuron), at(second.count, neuron)));
  return { measure: "d", values, errors };
}

/** The root of the mean variance of two groups; with one instance, the group's own deviation. */
function spread(first: number | undefined, second: number | undefined): number {
  if (first === undefined || second === undefined) return first ?? second ?? Number.NaN;
  return Math.sqrt((first ** 2 + second ** 2) / 2);
}

const quotient = (difference: number, deviation: number): number =>
  difference === 0 ? 0 * deviation : difference / deviation;

function standardError(d: number, first: number, second: number): number {
  const error = Math.sqrt((first + second) / (first * second) + d ** 2 / (2 * (first + second)));
  return Number.isFinite(error) ? error : Number.NaN;
}

const at = (count: Float32Array | number, neuron: number): number =>
  typeof count === "number" ? count : (count[neuron] ?? Number.NaN);
