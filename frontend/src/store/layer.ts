/** Layer that is open: its numbers, the order of its neurons, and differences of its rows. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { descending } from "d3-array";
import type { Layer, LayerHealth, LayerSeparation, SnapshotEntry, SubsetDescription } from "../contract/activis";
import type { Client, ProjectionFrame, Statistic, SubsetStatistic } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import type { Host } from "./host";
import { strataOf } from "./judgement";
import { averageRows, keptRow, sliceRow, soleColumn, type ValueScale, valueScale } from "./numbers";
import { followProjection, type ProjectionFollower } from "./projection";
import { type OverallMoments, overallMoments, relativeValues } from "./relative";
import {
  type Cache,
  createResource,
  createResources,
  type Loadable,
  type Queue,
  type Resource,
  type Resources,
  untilDone,
} from "./resource";
import { type ComparedRows, type Difference, type Moments, standardisedDifference } from "./row_comparison";
import { isInstance, type MatrixRow, wordOfKey } from "./rows";
import type { SubsetContext } from "./subsets";
import { DEFAULT_SORT, type ProjectionChoice, type Sort, type UrlState } from "./url_state";

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

export interface DifferenceInputs {
  compared: ReadonlySignal<ComparedRows | null>;
  /** By condition, which instances it holds for. */
  answers: ReadonlySignal<ReadonlyMap<string, Loadable<SubsetDescription>>>;
}

/**
 * Follows the difference of the compared rows in a layer; deviations and counts are fetched while there are two.
 *
 * @param errorsOf Standard errors of the averages of a condition; null where they are no estimates.
 */
function followDifference(
  name: string,
  valuesOf: (row: MatrixRow) => Float32Array | null,
  errorsOf: (condition: string) => Float64Array | null,
  { client, cache, view, queue, compared, answers }: SubsetContext & DifferenceInputs,
) {
  const isRecorded = () => view.snapshot.value?.layers.some((layer) => layer.name === name) ?? false;
  const current = () => (isRecorded() && compared.value ? view.reference.value : null);
  const fetched = (which: Statistic) =>
    createResource<Floats>(() => {
      const reference = current();
      if (!reference) return null;
      const load = (signal: AbortSignal) => client.statistics(reference, name, which, signal);
      return { key: `${which} ${name} ${view.key.value}`, subject: JSON.stringify(reference), load };
    }, cache);
  const std = fetched("std");
  const count = fetched("count");
  const typed = createResources<SubsetStatistic>(
    () => compared.value?.flatMap((row) => (row.kind === "typed" ? [row.condition] : [])) ?? [],
    (condition) => {
      const reference = current();
      if (!reference) return null;
      return {
        key: `std ${JSON.stringify([name, condition])} ${view.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.subsetStatistics(reference, name, "std", condition, signal)),
      };
    },
    cache,
  );

  const momentsOf = (row: MatrixRow): Moments | null => {
    const mean = valuesOf(row);
    if (!mean) return null;
    if (isInstance(row)) return { mean, std: null, count: 1 };
    if (
      row.kind === "outcome" ||
      row.kind === "found" ||
      row.kind === "absent" ||
      row.kind === "group" ||
      row.kind === "word"
    )
      return null;
    if (row.kind !== "typed") {
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

type Floats = NpyArray<Float32Array>;

export interface LayerStore {
  name: string;
  /** Null where the snapshot does not have this layer. */
  entry: ReadonlySignal<Layer | null>;
  mean: Resource<Floats>;
  active: Resource<Floats>;
  nonfinite: Resource<Floats>;
  activations: Resource<Floats>;
  /** The only neuron in which the sampled instances differ, whose values are shown as they are; null where there are more. */
  sole: ReadonlySignal<number | null>;
  /** Averages of the subsets that were typed in the tab, by condition. */
  typedMeans: Resources<SubsetStatistic>;
  /** The same of the shares of active instances, for the conditions whose shares are shown. */
  typedActive: Resources<SubsetStatistic>;
  health: Resource<LayerHealth>;
  separation: Resource<LayerSeparation>;
  projection: ProjectionFollower;
  /** Of the two rows that are compared; null while there are none or their numbers are not there. */
  difference: ReadonlySignal<Difference | null>;
  /** Neurons in the order in which they are shown; null until the means are there. */
  columns: ReadonlySignal<Int32Array | null>;
  strongest: ReadonlySignal<Int32Array | null>;
  scale: ReadonlySignal<ValueScale | null>;
  /** Means and deviations over all instances, while something is measured against them; null until they are there. */
  overall: ReadonlySignal<OverallMoments | null>;
  /** Whether the moments are there, where they are asked for. */
  isMeasured: ReadonlySignal<boolean>;
  /** Whether the cells show how far rows are from the mean over all; small layers always show their values. */
  isRelative: ReadonlySignal<boolean>;
  /** By neuron, non-finite activations over all instances. */
  nonfiniteCounts: ReadonlySignal<Float32Array | null>;
  /** By neuron, whether it was never above zero over all instances. */
  dead: ReadonlySignal<Uint8Array | null>;
  dispose: () => void;
}

export interface LayerContext extends DifferenceInputs {
  client: Client;
  cache: Cache;
  view: SnapshotView;
  urlState: UrlState;
  host: Host;
  /** The row that sorts, where it is among those that can be shown. */
  sortRow: ReadonlySignal<MatrixRow | null>;
  queue: Queue;
  /** The conditions that have a row. */
  conditions: ReadonlySignal<readonly string[]>;
  /** Those of which it is shown how many instances are active. */
  activeConditions: ReadonlySignal<readonly string[]>;
  /** What the projection is laid onto, where it does not stand by itself. */
  onto?: ReadonlySignal<ProjectionFrame | null>;
  /** Whether it is prepared out of sight: nothing is asked for later than the rest. */
  isAhead?: boolean;
}

export function openLayer(name: string, context: LayerContext): LayerStore {
  const { client, cache, view, urlState, host, sortRow } = context;
  const entry = computed(() => view.snapshot.value?.layers.find((layer) => layer.name === name) ?? null);
  const known = computed(() => entry.value !== null);
  const always = () => true;
  const fetched = <Value>(what: string, load: (signal: AbortSignal) => Promise<Value>, isDue = always) =>
    createResource<Value>(() => {
      if (!known.value || view.reference.value === null || !isDue()) return null;
      const subject = JSON.stringify(view.reference.value);
      return { key: `${what} ${name} ${view.key.value}`, subject, load };
    }, cache);
  const reference = () => view.reference.peek() ?? { run: "", name: "", step: 0 };
  const statistic = (which: Statistic, isDue = always) =>
    fetched(which, (signal) => client.statistics(reference(), name, which, signal), isDue);

  const mean = statistic("mean");
  const activations = fetched("activations", (signal) => client.activations(reference(), name, signal));
  const typed = (which: Statistic, conditions: ReadonlySignal<readonly string[]>) =>
    typedStatistics(name, which, conditions, known, context);
  const typedMeans = typed("mean", context.conditions);
  const typedActive = typed("active", context.activeConditions);
  const sole = computed(() => (entry.value?.neurons === 1 ? 0 : mapValue(activations, soleColumn)));
  // The values of a single neuron are shown as they are: there is nothing to compute.
  const choice = computed(
    (): ProjectionChoice =>
      sole.value !== null ? { ...urlState.projection.value, method: "pca", framing: "own" } : urlState.projection.value,
  );
  const projection = followProjection({
    client,
    cache,
    layer: name,
    reference: computed(() => (known.value ? view.reference.value : null)),
    key: view.key,
    choice,
    visible: host.visible,
    onto: context.onto,
  });
  // The first picture does not wait for what is looked at later, and the server has little to do at once.
  const isPictured = () => context.isAhead || projection.shown.value !== null || projection.problem.value !== null;
  const active = statistic("active", () => isPictured() || urlState.dotSize.value === "active");
  const nonfinite = statistic("nonfinite", isPictured);
  const health = fetched("health", (signal) => client.health(reference(), name, signal), isPictured);
  const overall = fetched(
    "overall",
    (signal) => client.overall(reference(), name, signal),
    () =>
      urlState.scale.value === "relative" ||
      urlState.sortBy.value === "apart" ||
      urlState.comparing.others.value.length > 0,
  );
  const separation = fetched(
    "separation",
    (signal) => untilDone(() => client.separation(reference(), name, signal), signal),
    // The server has one more thing to compute; the first picture does not wait for it.
    () => projection.shown.value !== null && !view.snapshot.value?.unlabelled,
  );

  const classes = computed(() => strataOf(view.snapshot.value));
  const shown = { mean, activations, typedMeans };
  const errorsOf = (condition: string) => standardErrors(typedMeans.states.value.get(condition)?.value);
  const comparison = followDifference(name, (row) => rowValues(shown, row), errorsOf, context);
  const layer: Omit<LayerStore, "columns" | "dispose"> = {
    name,
    entry,
    mean,
    active,
    nonfinite,
    activations,
    sole,
    typedMeans,
    typedActive,
    health,
    separation,
    difference: comparison.difference,
    projection,
    strongest: computed(() => mapValue(mean, (means) => strongestClasses(means, classes.value))),
    scale: computed(() => mapValue(mean, (means) => valueScale(means, classes.value, entry.value?.signed ?? false))),
    isMeasured: computed(() => overall.state.value.status !== "loading"),
    overall: computed(() => {
      const [all, means] = [overall.state.value.value, mean.state.value.value];
      return all && means ? overallMoments(all, means, classes.value) : null;
    }),
    isRelative: computed(() => urlState.scale.value === "relative" && (entry.value?.neurons ?? 0) > NAMED_NEURONS),
    nonfiniteCounts: computed(() => mapValue(nonfinite, (counts) => sumOverClasses(counts, classes.value))),
    dead: computed(() => mapValue(active, (shares) => neverActive(shares, classes.value))),
  };
  const columns = computed(() =>
    mapValue(mean, (means) => {
      const row = sortRow.value;
      const separation = layer.difference.value?.values.map(Math.abs) ?? null;
      const sorting = row && (urlState.sortBy.value === "apart" ? standsOut(layer, row) : shownValues(layer, row));
      // A word is a row of one layer, which is sorted by it.
      const sort = wordOfKey(urlState.sort.value) === null ? urlState.sort.value : DEFAULT_SORT;
      return columnOrder(sort, means, classes.value, row ? sorting : separation);
    }),
  );
  const dispose = () => {
    for (const part of [
      mean,
      active,
      nonfinite,
      activations,
      typedMeans,
      typedActive,
      health,
      separation,
      overall,
      projection,
      comparison,
    ]) {
      part.dispose();
    }
  };
  return { ...layer, columns, dispose };
}

/** Asks for a statistic of each of `conditions`. */
function typedStatistics(
  layer: string,
  statistic: Statistic,
  conditions: ReadonlySignal<readonly string[]>,
  known: ReadonlySignal<boolean>,
  { client, cache, view, queue }: LayerContext,
): Resources<SubsetStatistic> {
  return createResources<SubsetStatistic>(
    () => conditions.value,
    (condition) => {
      const reference = view.reference.value;
      if (!known.value || !reference) return null;
      return {
        key: `${statistic} ${JSON.stringify([layer, condition])} ${view.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.subsetStatistics(reference, layer, statistic, condition, signal)),
      };
    },
    cache,
  );
}

/** The model's output among a snapshot's layers: the last one with a neuron per class, scores before logits. */
export function outputEntry(snapshot: SnapshotEntry | null): Layer | null {
  const candidates = snapshot?.layers.filter((entry) => entry.neurons === snapshot.classes.length) ?? [];
  return candidates.findLast((entry) => !entry.signed) ?? candidates.at(-1) ?? null;
}

/** Returns a row's values by neuron: averages of a class or subset, activations of an instance; null until there. */
export function rowValues(
  layer: Pick<LayerStore, "mean" | "activations" | "typedMeans">,
  row: MatrixRow,
): Float32Array | null {
  if (row.kind === "absent" || row.kind === "group") return null;
  if (row.kind === "word") return row.values;
  if (row.kind === "typed") return typedStatistic(layer.typedMeans, row)?.values.data ?? null;
  if (row.kind === "outcome" || row.kind === "found")
    return averageRows(layer.activations.state.value.value, row.members);
  return isInstance(row)
    ? keptRow(layer.activations.state.value.value, row.sampled)
    : keptRow(layer.mean.state.value.value, row.subset);
}

type Measured = Parameters<typeof rowValues>[0] & Pick<LayerStore, "overall" | "isRelative">;

/** A row's values, as distances from the mean over all instances in standard deviations; null until both are there. */
export function relativeOf(
  layer: Pick<Measured, keyof Parameters<typeof rowValues>[0] | "overall">,
  row: MatrixRow,
): Float32Array | null {
  const [values, moments] = [rowValues(layer, row), layer.overall.value];
  return values && moments && relativeValues(values, moments);
}

/** What a row's cells show. */
export const shownValues = (layer: Measured, row: MatrixRow): Float32Array | null =>
  layer.isRelative.value ? relativeOf(layer, row) : rowValues(layer, row);

/** By how much a row stands out from all instances, above or below. */
const standsOut = (layer: Measured, row: MatrixRow): Float32Array | null =>
  relativeOf(layer, row)?.map(Math.abs) ?? null;

/** A statistic of a row that is asked about by its condition; undefined of other rows, and until it is there. */
export const typedStatistic = (
  { states }: Resources<SubsetStatistic>,
  row: MatrixRow | undefined,
): SubsetStatistic | undefined => (row?.kind === "typed" ? states.value.get(row.condition)?.value : undefined);

/** Of estimated means by neuron, from intervals of 95 %; null where they are no estimates. */
function standardErrors(means: SubsetStatistic | undefined): Float64Array | null {
  const bounds = means?.interval?.data;
  if (!bounds) return null;
  const neurons = bounds.length / 2;
  return bounds.subarray(neurons).map((high, neuron) => (high - (bounds[neuron] ?? Number.NaN)) / 2 / 1.96);
}

/** Returns by neuron the share of a row's instances that are active; null where that is not known. */
export function activeShares(layer: Pick<LayerStore, "active" | "typedActive">, row: MatrixRow): Float32Array | null {
  if (row.kind === "typed") return typedStatistic(layer.typedActive, row)?.values.data ?? null;
  if (
    row.kind === "outcome" ||
    row.kind === "found" ||
    row.kind === "absent" ||
    row.kind === "group" ||
    row.kind === "word" ||
    isInstance(row)
  )
    return null;
  return sliceRow(layer.active.state.value.value, row.subset);
}

function mapValue<Value, Result>(resource: Resource<Value>, derive: (value: Value) => Result): Result | null {
  const { value } = resource.state.value;
  return value === undefined ? null : derive(value);
}

function sumOverClasses(counts: Floats, classes: number): Float32Array {
  const [, neurons = 0] = counts.shape;
  const sums = new Float32Array(neurons);
  for (let at = 0; at < classes * neurons; at++)
    sums[at % neurons] = (sums[at % neurons] ?? 0) + (counts.data[at] || 0);
  return sums;
}

function neverActive(shares: Floats, classes: number): Uint8Array {
  const [, neurons = 0] = shares.shape;
  const dead = new Uint8Array(neurons);
  const active = new Uint8Array(neurons);
  for (let at = 0; at < classes * neurons; at++) {
    const share = shares.data[at] ?? Number.NaN;
    if (share > 0) active[at % neurons] = 1;
    else if (share === 0) dead[at % neurons] = 1;
  }
  return dead.map((flag, neuron) => (active[neuron] === 1 ? 0 : flag));
}
