/** One open layer: its numbers and what follows from them. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { LayerEntry, LayerHealth, LayerSeparation, SnapshotEntry } from "../contract/activis";
import type { Client, ProjectionFrame, Statistic, SubsetStatistic } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import { columnOrder, strongestClasses } from "./columns";
import type { Difference } from "./difference";
import type { Durable } from "./durable";
import { strataOf } from "./facts";
import type { Host } from "./host";
import { type DifferenceInputs, followDifference } from "./layer_difference";
import { untilDone } from "./polling";
import { followProjection, type ProjectionFollower } from "./projection";
import { type Cache, createResource, type Resource } from "./resource";
import { createResources, type Queue, type Resources } from "./resources";
import type { MatrixRow } from "./rows";
import { type ValueScale, valueScale } from "./scale";
import { averageRows, sliceRow } from "./slices";

type Floats = NpyArray<Float32Array>;

export interface LayerStore {
  name: string;
  /** Null where the snapshot does not have this layer. */
  entry: ReadonlySignal<LayerEntry | null>;
  mean: Resource<Floats>;
  active: Resource<Floats>;
  nonfinite: Resource<Floats>;
  activations: Resource<Floats>;
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
  /** By neuron, non-finite activations over all instances. */
  nonfiniteCounts: ReadonlySignal<Float32Array | null>;
  /** By neuron, whether it was never above zero over all instances. */
  dead: ReadonlySignal<Uint8Array | null>;
  dispose: () => void;
}

export interface LayerContext extends DifferenceInputs {
  client: Client;
  cache: Cache;
  catalogue: SnapshotView;
  durable: Durable;
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
}

export function openLayer(name: string, context: LayerContext): LayerStore {
  const { client, cache, catalogue, durable, host, sortRow } = context;
  const entry = computed(() => catalogue.snapshot.value?.layers.find((layer) => layer.name === name) ?? null);
  const known = computed(() => entry.value !== null);
  const always = () => true;
  const fetched = <Value>(what: string, load: (signal: AbortSignal) => Promise<Value>, isDue = always) =>
    createResource<Value>(() => {
      if (!known.value || catalogue.reference.value === null || !isDue()) return null;
      const subject = JSON.stringify(catalogue.reference.value);
      return { key: `${what} ${name} ${catalogue.key.value}`, subject, load };
    }, cache);
  const reference = () => catalogue.reference.peek() ?? { run: "", name: "", step: 0 };
  const statistic = (which: Statistic) =>
    fetched(which, (signal) => client.statistics(reference(), name, which, signal));

  const mean = statistic("mean");
  const active = statistic("active");
  const nonfinite = statistic("nonfinite");
  const activations = fetched("activations", (signal) => client.activations(reference(), name, signal));
  const typed = (which: Statistic, conditions: ReadonlySignal<readonly string[]>) =>
    typedStatistics(name, which, conditions, known, context);
  const typedMeans = typed("mean", context.conditions);
  const typedActive = typed("active", context.activeConditions);
  const health = fetched("health", (signal) => client.health(reference(), name, signal));
  const projection = followProjection({
    client,
    cache,
    layer: name,
    reference: computed(() => (known.value ? catalogue.reference.value : null)),
    key: catalogue.key,
    choice: durable.projection,
    visible: host.visible,
    onto: context.onto,
  });
  const separation = fetched(
    "separation",
    (signal) => untilDone(() => client.separation(reference(), name, signal), signal),
    // The server has one more thing to compute; the first picture does not wait for it.
    () => projection.shown.value !== null && !catalogue.snapshot.value?.unlabelled,
  );

  const classes = computed(() => strataOf(catalogue.snapshot.value));
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
    typedMeans,
    typedActive,
    health,
    separation,
    difference: comparison.difference,
    projection,
    strongest: computed(() => mapValue(mean, (means) => strongestClasses(means, classes.value))),
    scale: computed(() => mapValue(mean, (means) => valueScale(means, classes.value, entry.value?.signed ?? false))),
    nonfiniteCounts: computed(() => mapValue(nonfinite, (counts) => sumOverClasses(counts, classes.value))),
    dead: computed(() => mapValue(active, (shares) => neverActive(shares, classes.value))),
  };
  const columns = computed(() =>
    mapValue(mean, (means) => {
      const row = sortRow.value;
      const separation = layer.difference.value?.values.map(Math.abs) ?? null;
      return columnOrder(durable.sort.value, means, classes.value, row ? rowValues(layer, row) : separation);
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
  { client, cache, catalogue, queue }: LayerContext,
): Resources<SubsetStatistic> {
  return createResources<SubsetStatistic>(
    () => conditions.value,
    (condition) => {
      const reference = catalogue.reference.value;
      if (!known.value || !reference) return null;
      return {
        key: `${statistic} ${JSON.stringify([layer, condition])} ${catalogue.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.subsetStatistics(reference, layer, statistic, condition, signal)),
      };
    },
    cache,
  );
}

/** The model's output among a snapshot's layers: the last one with a neuron per class, scores before logits. */
export function outputEntry(snapshot: SnapshotEntry | null): LayerEntry | null {
  const candidates = snapshot?.layers.filter((entry) => entry.neurons === snapshot.classes.length) ?? [];
  return candidates.findLast((entry) => !entry.signed) ?? candidates.at(-1) ?? null;
}

/** Returns a row's values by neuron: averages of a class or subset, activations of an instance; null until there. */
export function rowValues(
  layer: Pick<LayerStore, "mean" | "activations" | "typedMeans">,
  row: MatrixRow,
): Float32Array | null {
  if (row.condition !== undefined) return layer.typedMeans.states.value.get(row.condition)?.value?.values.data ?? null;
  if (row.members) return averageRows(layer.activations.state.value.value, row.members);
  return row.subset >= 0
    ? sliceRow(layer.mean.state.value.value, row.subset)
    : sliceRow(layer.activations.state.value.value, row.sampled);
}

/** Of estimated means by neuron, from intervals of 95 %; null where they are no estimates. */
function standardErrors(means: SubsetStatistic | undefined): Float64Array | null {
  const bounds = means?.interval?.data;
  if (!bounds) return null;
  const neurons = bounds.length / 2;
  return bounds.subarray(neurons).map((high, neuron) => (high - (bounds[neuron] ?? Number.NaN)) / 2 / 1.96);
}

/** Returns by neuron the share of a row's instances that are active; null where that is not known. */
export function activeShares(layer: Pick<LayerStore, "active" | "typedActive">, row: MatrixRow): Float32Array | null {
  if (row.condition !== undefined) return layer.typedActive.states.value.get(row.condition)?.value?.values.data ?? null;
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
