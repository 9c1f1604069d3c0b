/** Layer of another snapshot beside one of the base, its columns matched to the base's. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { NeuronMatching } from "../contract/activis";
import type { SnapshotView } from "./catalogue";
import { strataOf } from "./judgement";
import {
  type LayerContext,
  type LayerStore,
  openLayer,
  outputEntry,
  relativeOf,
  rowValues,
  shownValues,
} from "./layer";
import { scaleEnd, sliceRow } from "./numbers";
import { type OverallMoments, relativeValues } from "./relative";
import { createResource, type Resource, untilDone } from "./resource";
import type { MatrixRow } from "./rows";

/** Less alike than this, two neurons are not subtracted from each other. */
export const WEAK = 0.3;

export interface ColumnMatching {
  /** By the largest sum of correlations, by number, or, for the models' outputs, by the classes' names. */
  method: "best" | "index" | "classes";
  /** (neurons,) of the base: the other's neuron, -1 for none. */
  partners: Int32Array;
  /** (neurons,) of the base: Pearson's r with the partner, NaN where it is not known; null where nobody asked. */
  correlations: Float64Array | null;
  /** (neurons,) of the base: 1 where there is a partner that is too little alike. */
  weak: Uint8Array;
  /** Of the known correlations; NaN where there are none. */
  median: number;
  /** The same of neurons that share a number. */
  medianByIndex: number;
  /** Instances that the correlations are over. */
  over: number;
}

/** @param sameModel Whether neurons of one number are one neuron, so that all can be subtracted. */
export function columnMatching(answer: NeuronMatching, sameModel: boolean): ColumnMatching {
  const partners = Int32Array.from(answer.partners);
  const correlations = Float64Array.from(answer.correlations, (r, neuron) => (answer.known[neuron] ? r : Number.NaN));
  const trusted = sameModel && answer.method === "index";
  const isWeak = (neuron: number) =>
    !trusted && (partners[neuron] ?? -1) >= 0 && !((correlations[neuron] ?? 0) >= WEAK);
  return {
    method: answer.method === "index" ? "index" : "best",
    partners,
    correlations,
    weak: Uint8Array.from(partners, (_, neuron) => Number(isWeak(neuron))),
    median: answer.median_over > 0 ? answer.median : Number.NaN,
    medianByIndex: answer.median_by_index_over > 0 ? answer.median_by_index : Number.NaN,
    over: answer.over,
  };
}

/** Neurons under their own numbers: what is left where nothing is known of how alike they are. */
export function matchByIndex(neurons: number, otherNeurons: number): ColumnMatching {
  const partners = Int32Array.from({ length: neurons }, (_, neuron) => (neuron < otherNeurons ? neuron : -1));
  return unmeasured("index", partners);
}

/** Outputs under the class that they stand for. */
export function matchByClass(classes: readonly string[], otherClasses: readonly string[]): ColumnMatching {
  return unmeasured(
    "classes",
    Int32Array.from(classes, (name) => otherClasses.indexOf(name)),
  );
}

const unmeasured = (method: ColumnMatching["method"], partners: Int32Array): ColumnMatching => ({
  method,
  partners,
  correlations: null,
  weak: new Uint8Array(partners.length),
  median: Number.NaN,
  medianByIndex: Number.NaN,
  over: 0,
});

/** Returns another snapshot's values under the base's neurons, NaN where there is no partner. */
export function gather(values: Float32Array, partners: Int32Array): Float32Array {
  return Float32Array.from(partners, (partner) => (partner < 0 ? Number.NaN : (values[partner] ?? Number.NaN)));
}

/** Returns B - A by the base's neurons; NaN where there is no partner or a weak one. */
export function subtract(other: Float32Array, base: Float32Array, { partners, weak }: ColumnMatching): Float32Array {
  return gather(other, partners).map((value, neuron) =>
    weak[neuron] === 1 ? Number.NaN : value - (base[neuron] ?? Number.NaN),
  );
}

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
  /**
   * By how much they are above those of the base's row: scores of classes as they are, other layers each in its own
   * neurons' standard deviations over all instances, since two models share no scale.
   */
  differencesOf: (row: MatrixRow, before: MatrixRow | undefined) => Float32Array | null;
  /** Where the scale of differences ends; null until they are there. */
  differenceEnd: ReadonlySignal<number | null>;
  dispose: () => void;
}

interface ComparedInputs {
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
    const values = shownValues(layer, row);
    return values && matching.value && gather(values, matching.value.partners);
  };
  const differencesOf = (row: MatrixRow, before: MatrixRow | undefined): Float32Array | null => {
    const { value: known } = matching;
    if (!known) return null;
    const measured = known.method === "classes" ? rowValues : relativeOf;
    const [values, subtracted] = [measured(layer, row), before ? measured(base, before) : null];
    return values && subtracted && subtract(values, subtracted, known);
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
      return known && endOfDifferences({ base, layer, baseView, view: context.view }, known);
    }),
    dispose: () => {
      layer.dispose();
      answered.dispose();
    },
  };
}

/** Outputs go by class; other layers as it was chosen; where that fails, by index. */
function followMatching({ base, baseView, recorded, shared, context }: ComparedInputs, layer: LayerStore) {
  const { client, cache, view, urlState } = context;
  const classes = computed(() => {
    const [first, second] = [baseView.snapshot.value, view.snapshot.value];
    const areOutputs = isOutput(baseView, base) && isOutput(view, layer);
    return first && second && areOutputs ? matchByClass(first.classes, second.classes) : null;
  });
  const method = computed(() => {
    const chosen = urlState.comparing.alignment.value;
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

/** In standard deviations: what is smaller is no difference to look at, and rounding alone must not look like one. */
const LEAST_END = 0.1;

/** Over the classes that both have, or the subsets where one of the two has no labels. */
function endOfDifferences({ base, layer, baseView, view }: DifferenceInputs, matching: ColumnMatching): number | null {
  const [before, after] = [base.mean.state.value.value, layer.mean.state.value.value];
  const [ours, theirs] = [baseView.snapshot.value, view.snapshot.value];
  if (!before || !after || !ours || !theirs) return null;
  const isComparable = ours.unlabelled === theirs.unlabelled;
  const rows = isComparable ? ours.subsets.slice(0, strataOf(ours)) : ours.subsets;
  const differences = rows.flatMap(({ name, kind }, at) => {
    const there = theirs.subsets.findIndex((subset) => subset.name === name && subset.kind === kind);
    const measured = (means: typeof before, row: number, moments: OverallMoments | null) => {
      const values = sliceRow(means, row);
      return matching.method === "classes" ? values : values && moments && relativeValues(values, moments);
    };
    const first = measured(before, at, base.overall.value);
    const second = measured(after, there, layer.overall.value);
    return first && second ? [...subtract(second, first, matching)] : [];
  });
  const end = scaleEnd(Float32Array.from(differences));
  return matching.method === "classes" ? end : Math.max(LEAST_END, end);
}
