/** A layer of another snapshot beside one of the base: its columns matched, its values under the base's neurons. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { NeuronMatching } from "../contract/activis";
import type { SnapshotView } from "./catalogue";
import { strataOf } from "./facts";
import { type LayerContext, type LayerStore, openLayer, outputEntry, rowValues } from "./layer";
import { type ColumnMatching, columnMatching, gather, matchByClass, matchByIndex, subtract } from "./matching";
import { untilDone } from "./polling";
import { createResource, type Resource } from "./resource";
import type { MatrixRow } from "./rows";
import { scaleEnd } from "./scale";
import { sliceRow } from "./slices";

export interface ComparedLayer {
  base: LayerStore;
  /** The other one, under the base's name. */
  layer: LayerStore;
  /** Its name where it was recorded. */
  recorded: string;
  /** Null until it is known. */
  matching: ReadonlySignal<ColumnMatching | null>;
  /** Why the columns are not matched as wanted; empty where they are. */
  problem: ReadonlySignal<string>;
  /** A row's values by the base's neurons; null until they are there. */
  valuesOf: (row: MatrixRow) => Float32Array | null;
  /** By how much they are above the base's. */
  differencesOf: (row: MatrixRow) => Float32Array | null;
  /** Where the scale of differences ends; null until they are there. */
  differenceEnd: ReadonlySignal<number | null>;
  dispose: () => void;
}

export interface ComparedInputs {
  base: LayerStore;
  baseView: SnapshotView;
  recorded: string;
  /** Whether any instance is in both samples; null until that is known. */
  shared: ReadonlySignal<boolean | null>;
  context: LayerContext;
}

export function openComparedLayer(inputs: ComparedInputs): ComparedLayer {
  const { base, baseView, recorded, shared, context } = inputs;
  const onto = computed(() => {
    const snapshot = base.entry.value ? baseView.reference.value : null;
    return snapshot && { snapshot, layer: base.name, version: baseView.key.value };
  });
  const layer = openLayer(recorded, { ...context, onto });
  const { matching, answered } = followMatching(inputs, layer);

  const valuesOf = (row: MatrixRow): Float32Array | null => {
    const values = rowValues(layer, row);
    return values && matching.value && gather(values, matching.value.partners);
  };
  const differencesOf = (row: MatrixRow): Float32Array | null => {
    const values = rowValues(layer, row);
    const before = row.base && !row.base.absent ? rowValues(base, row.base) : null;
    return values && before && matching.value && subtract(values, before, matching.value);
  };
  return {
    base,
    layer: { ...layer, name: base.name },
    recorded,
    matching,
    problem: computed(() => {
      const state = answered.state.value;
      if (state.status === "error") return state.message;
      return shared.value === false && matching.value?.method === "index" ? "no instance is in both samples" : "";
    }),
    valuesOf,
    differencesOf,
    differenceEnd: computed(() => {
      const known = matching.value;
      return known && endOfDifferences({ base, layer, baseView, view: context.catalogue }, known);
    }),
    dispose: () => {
      layer.dispose();
      answered.dispose();
    },
  };
}

/** Outputs go by class; other layers as it was chosen; where that fails, by index. */
function followMatching({ base, baseView, recorded, shared, context }: ComparedInputs, layer: LayerStore) {
  const { client, cache, catalogue: view, durable } = context;
  const classes = computed(() => {
    const [first, second] = [baseView.snapshot.value, view.snapshot.value];
    const areOutputs = isOutput(baseView, base) && isOutput(view, layer);
    return first && second && areOutputs ? matchByClass(first.classes, second.classes) : null;
  });
  const method = computed(() => {
    const chosen = durable.comparing.alignment.value;
    return chosen === "auto" ? (isSameRun(baseView, view) ? "index" : "best") : chosen;
  });
  const answered: Resource<NeuronMatching> = createResource(() => {
    const [first, second] = [baseView.reference.value, view.reference.value];
    if (!first || !second || !base.entry.value || !layer.entry.value || classes.value || !shared.value) return null;
    const request = { layer: base.name, otherLayer: recorded, method: method.value };
    return {
      key: `matching ${JSON.stringify(request)} ${baseView.key.value} ${view.key.value}`,
      load: (signal) => untilDone(() => client.matching(first, second, request, signal), signal),
    };
  }, cache);
  const matching = computed((): ColumnMatching | null => {
    if (classes.value) return classes.value;
    const { value, status } = answered.state.value;
    if (value) return columnMatching(value, isSameRun(baseView, view));
    if (status !== "error" && shared.value !== false) return null;
    return matchByIndex(base.entry.value?.neurons ?? 0, layer.entry.value?.neurons ?? 0);
  });
  return { matching, answered };
}

const isOutput = (view: SnapshotView, layer: LayerStore): boolean =>
  layer.entry.value !== null && outputEntry(view.snapshot.value) === layer.entry.value;

/** Two steps of one run are one model: its neurons keep their numbers. */
const isSameRun = (first: SnapshotView, second: SnapshotView): boolean =>
  first.reference.value?.run === second.reference.value?.run &&
  first.reference.value?.name === second.reference.value?.name;

interface DifferenceInputs {
  base: LayerStore;
  layer: LayerStore;
  baseView: SnapshotView;
  view: SnapshotView;
}

/** Over the classes that both have, or the subsets where one of the two has no labels. */
function endOfDifferences({ base, layer, baseView, view }: DifferenceInputs, matching: ColumnMatching): number | null {
  const [before, after] = [base.mean.state.value.value, layer.mean.state.value.value];
  const [ours, theirs] = [baseView.snapshot.value, view.snapshot.value];
  if (!before || !after || !ours || !theirs) return null;
  const isComparable = ours.unlabelled === theirs.unlabelled;
  const rows = isComparable ? ours.subsets.slice(0, strataOf(ours)) : ours.subsets;
  const differences = rows.flatMap(({ name, kind }, at) => {
    const there = theirs.subsets.findIndex((subset) => subset.name === name && subset.kind === kind);
    const [first, second] = [sliceRow(before, at), sliceRow(after, there)];
    return first && second ? [...subtract(second, first, matching)] : [];
  });
  return scaleEnd(Float32Array.from(differences));
}
