/** By how much the compared rows differ in each neuron of a layer. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { SubsetDescription } from "../contract/activis";
import type { Statistic, SubsetStatistic } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { ComparedRows } from "./comparison";
import { type Difference, type Moments, standardisedDifference } from "./difference";
import { createResource, type Loadable } from "./resource";
import { createResources } from "./resources";
import { isMany, type MatrixRow } from "./rows";
import { sliceRow } from "./slices";
import type { SubsetContext } from "./subsets";

export interface DifferenceInputs {
  compared: ReadonlySignal<ComparedRows | null>;
  /** By condition, which instances it holds for. */
  answers: ReadonlySignal<ReadonlyMap<string, Loadable<SubsetDescription>>>;
}

type Floats = NpyArray<Float32Array>;

/**
 * Follows the difference of the compared rows in a layer; deviations and counts are fetched while there are two.
 *
 * @param errorsOf Standard errors of the averages of a condition; null where they are no estimates.
 */
export function followDifference(
  name: string,
  valuesOf: (row: MatrixRow) => Float32Array | null,
  errorsOf: (condition: string) => Float64Array | null,
  { client, cache, catalogue, queue, compared, answers }: SubsetContext & DifferenceInputs,
) {
  const isRecorded = () => catalogue.snapshot.value?.layers.some((layer) => layer.name === name) ?? false;
  const current = () => (isRecorded() && compared.value ? catalogue.reference.value : null);
  const fetched = (which: Statistic) =>
    createResource<Floats>(() => {
      const reference = current();
      if (!reference) return null;
      const load = (signal: AbortSignal) => client.statistics(reference, name, which, signal);
      return { key: `${which} ${name} ${catalogue.key.value}`, subject: JSON.stringify(reference), load };
    }, cache);
  const std = fetched("std");
  const count = fetched("count");
  const typed = createResources<SubsetStatistic>(
    () => compared.value?.flatMap(({ condition }) => condition ?? []) ?? [],
    (condition) => {
      const reference = current();
      if (!reference) return null;
      return {
        key: `std ${JSON.stringify([name, condition])} ${catalogue.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.subsetStatistics(reference, name, "std", condition, signal)),
      };
    },
    cache,
  );

  const momentsOf = (row: MatrixRow): Moments | null => {
    const mean = valuesOf(row);
    if (!mean) return null;
    if (!isMany(row)) return { mean, std: null, count: 1 };
    if (row.condition === undefined) {
      const deviations = sliceRow(std.state.value.value, row.subset);
      const counts = sliceRow(count.state.value.value, row.subset);
      return deviations && counts && { mean, std: deviations, count: counts };
    }
    const deviations = typed.states.value.get(row.condition)?.value?.values.data;
    const answer = answers.value.get(row.condition)?.value;
    if (!deviations || !answer) return null;
    const errors = errorsOf(row.condition);
    return { mean, std: deviations, count: errors ? answer.drawn : answer.count, ...(errors && { errors }) };
  };
  const difference = computed((): Difference | null => {
    const [first, second] = compared.value?.map(momentsOf) ?? [];
    return first && second ? standardisedDifference(first, second) : null;
  });
  const parts = [std, count, typed];
  return {
    difference,
    dispose: () => {
      for (const part of parts) part.dispose();
    },
  };
}
