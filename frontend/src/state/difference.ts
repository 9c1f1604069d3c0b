/** By how much two rows differ in each neuron, measured by their spread. */

/** What is known of a row, by neuron. */
export interface Moments {
  /** Averages, or the activations of one instance; (neurons,). */
  mean: Float32Array;
  /** Standard deviations (ddof 0); null for one instance. */
  std: Float32Array | null;
  /** Instances with a finite activation, by neuron or the same for all; of an estimate, those it is made of. */
  count: Float32Array | number;
  /** Standard errors of estimated averages, by neuron; NaN where the sample is too small to say. */
  errors?: Float64Array;
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
 * standard error sqrt(1 / n1 + 1 / n2 + d² / (2 (n1 + n2))) (Hedges and Olkin 1985, Statistical Methods for
 * Meta-Analysis); in place of 1 / n, an estimated mean has the square of its own standard error in the same unit. For an
 * instance and a group it is the z-value, (x - m) / s. Two instances have no spread: null.
 */
export function standardisedDifference(first: Moments, second: Moments): Difference | null {
  if (!first.std && !second.std) return null;
  const { std, mean } = first;
  const values = Float64Array.from(mean, (value, neuron) =>
    quotient(value - (second.mean[neuron] ?? Number.NaN), spread(std?.[neuron], second.std?.[neuron])),
  );
  if (!std || !second.std) return { measure: "z", values, errors: null };
  const errors = values.map((d, neuron) => {
    const counts = at(first.count, neuron) + at(second.count, neuron);
    const unit = spread(std[neuron], second.std?.[neuron]);
    const error = Math.sqrt(share(first, neuron, unit) + share(second, neuron, unit) + d ** 2 / (2 * counts));
    return Number.isFinite(error) ? error : Number.NaN;
  });
  return { measure: "d", values, errors };
}

/** The root of the mean variance of two groups; with one instance, the group's own deviation. */
function spread(first: number | undefined, second: number | undefined): number {
  if (first === undefined || second === undefined) return first ?? second ?? Number.NaN;
  return Math.sqrt((first ** 2 + second ** 2) / 2);
}

const quotient = (difference: number, deviation: number): number =>
  difference === 0 ? 0 * deviation : difference / deviation;

/** What a group's mean adds to the square of the error. */
function share({ count, errors }: Moments, neuron: number, unit: number): number {
  return errors ? ((errors[neuron] ?? Number.NaN) / unit) ** 2 : 1 / at(count, neuron);
}

const at = (count: Float32Array | number, neuron: number): number =>
  typeof count === "number" ? count : (count[neuron] ?? Number.NaN);
