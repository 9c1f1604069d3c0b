/** Comparison of two rows: which they are, and by how much they differ in each neuron. */

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { joinList, splitList } from "./address";
import { isMany, type MatrixRow } from "./rows";
import { DEFAULT_SORT, type UrlState } from "./url_state";

const PREFIX = "compare:";

export const compareKey = (first: string, second: string): string => PREFIX + joinList([first, second]);

/** Keys of the two rows; null for another sort. */
export function comparedKeys(sort: string): readonly [string, string] | null {
  if (!sort.startsWith(PREFIX)) return null;
  const [first, second, ...others] = splitList(sort.slice(PREFIX.length));
  return first && second && others.length === 0 ? [first, second] : null;
}

/** The sort after a row got another key. */
export function renamedInSort(sort: string, from: string, to: string): string {
  const keys = comparedKeys(sort);
  if (!keys) return sort === from ? to : sort;
  const [first, second] = keys.map((key) => (key === from ? to : key));
  return compareKey(first ?? "", second ?? "");
}

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

export type ComparedRows = readonly [MatrixRow, MatrixRow];

export interface Comparison {
  /** The row that waits for another one. */
  marked: ReadonlySignal<MatrixRow | null>;
  /** The two rows whose difference sorts the neurons. */
  compared: ReadonlySignal<ComparedRows | null>;
  /** Marks a row, or compares it with the marked one; once more, the mark goes. */
  compare: (row: MatrixRow) => void;
  /** Takes back the mark, else ends the comparison; false where there is neither. */
  end: () => boolean;
}

/** @param refuse Says why something cannot be done. */
export function openComparison(
  { sort }: Pick<UrlState, "sort">,
  find: (key: string) => MatrixRow | null,
  refuse: (sentence: string) => void,
): Comparison {
  const marked: Signal<MatrixRow | null> = signal(null);
  let before = DEFAULT_SORT;
  const compared = computed((): ComparedRows | null => {
    const [first, second] = comparedKeys(sort.value)?.map(find) ?? [];
    return first && second ? [first, second] : null;
  });
  return {
    marked,
    compared,
    compare: (row) => {
      const first = marked.peek();
      if (!first) marked.value = row;
      else if (first.key === row.key) marked.value = null;
      else if (!isMany(first) && !isMany(row)) {
        refuse("Two instances have no spread to measure their difference by; compare one with a class or subset.");
      } else
        batch(() => {
          if (!comparedKeys(sort.peek())) before = sort.peek();
          sort.value = compareKey(first.key, row.key);
          marked.value = null;
        });
    },
    end: () => {
      const wasMarked = marked.peek() !== null;
      marked.value = null;
      if (wasMarked) return true;
      if (!comparedKeys(sort.peek())) return false;
      sort.value = before;
      return true;
    },
  };
}
