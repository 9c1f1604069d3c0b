/** Layer over the steps of its run: how apart the classes are, where instances stand, and how alike the layers are. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { LayerSeparation, LayerSimilarity, SnapshotEntry } from "../contract/activis";
import type { Projection, SnapshotReference } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { Comparing } from "./compare";
import {
  createQueue,
  createResource,
  createResources,
  type Loadable,
  POLL_MILLISECONDS,
  pause,
  type Resource,
  type Resources,
  untilDone,
} from "./resource";
import { snapshotsOf } from "./selection";
import type { SubsetContext } from "./subsets";
import type { TabStore } from "./tab";

export interface OverSteps {
  /** The layer; empty where nothing is looked at. */
  layer: ReadonlySignal<string>;
  /** The run's snapshots that have the layer, by step. */
  snapshots: ReadonlySignal<readonly SnapshotEntry[]>;
  separation: (step: number) => Loadable<LayerSeparation> | undefined;
  /** Of a layer of one neuron, which is not projected: (rows, 1). */
  values: (step: number) => Loadable<NpyArray<Float32Array>> | undefined;
  /** In the frame of the steps, once finished. */
  projection: (step: number) => Loadable<Projection> | undefined;
  /** What the layers are compared with: B, else the first step, and at that the last. */
  other: ReadonlySignal<SnapshotReference | null>;
  similarity: Resource<LayerSimilarity>;
}

const opened = new WeakMap<TabStore, OverSteps>();

/** Returns what there is over the steps of the tab's base; it is opened when it is first looked at. */
export function overStepsOf(tab: TabStore): OverSteps {
  const known = opened.get(tab) ?? openOverSteps(tab.asking, tab.comparing.sides);
  opened.set(tab, known);
  return known;
}

/** @param others Compared with the snapshot of `context`. */
function openOverSteps(context: SubsetContext, others: Comparing["sides"]): OverSteps {
  const { client, cache, urlState, view } = context;
  const layer = urlState.overSteps;
  const snapshots = computed(() => {
    const current = view.selection.value;
    if (!current || layer.value === "") return [];
    return snapshotsOf(current.run, current.snapshot.name).filter((entry) =>
      entry.layers.some(({ name }) => name === layer.value),
    );
  });
  const isSingle = ({ layers }: SnapshotEntry) =>
    layers.some(({ name, neurons }) => name === layer.value && neurons === 1);
  const separations = followSteps({
    context,
    snapshots: computed(() => snapshots.value.filter(({ unlabelled }) => !unlabelled)),
    what: "separation",
    load: (reference, signal) => untilDone(() => client.separation(reference, layer.peek(), signal), signal),
  });
  const values = followSteps({
    context,
    snapshots: computed(() => snapshots.value.filter(isSingle)),
    what: "values",
    load: (reference, signal) => client.activations(reference, layer.peek(), signal),
  });
  const isProjected = computed(() => snapshots.value.filter((snapshot) => !isSingle(snapshot)));
  const loadProjection = async (reference: SnapshotReference, signal: AbortSignal) => {
    const choice = { method: "tsne", perplexity: urlState.projection.peek().perplexity, framing: "steps" } as const;
    for (;;) {
      const projection = await client.projection(reference, layer.peek(), choice, signal);
      if (projection.done) return projection;
      await pause(POLL_MILLISECONDS, signal);
      signal.throwIfAborted();
    }
  };
  const projections = followSteps({ context, snapshots: isProjected, what: "steps", load: loadProjection });
  const other = computed(() => {
    const [side] = others.value;
    if (side) return side.view.reference.value;
    const { value: steps } = view.steps;
    const base = view.reference.value;
    if (!base || steps.length < 2) return null;
    const step = base.step === steps[0] ? steps.at(-1) : steps[0];
    return { ...base, step: step ?? base.step };
  });
  const similarity = createResource<LayerSimilarity>(() => {
    const [base, against] = [view.reference.value, other.value];
    if (layer.value === "" || !base || !against) return null;
    const load = (signal: AbortSignal) => untilDone(() => client.similarity(base, against, signal), signal);
    return { key: `similarity ${view.key.value} ${JSON.stringify(against)}`, subject: "similarity", load };
  }, cache);
  return {
    layer,
    snapshots,
    separation: (step) => separations.states.value.get(String(step)),
    values: (step) => values.states.value.get(String(step)),
    projection: (step) => projections.states.value.get(String(step)),
    other,
    similarity,
  };
}

interface Followed<Value> {
  context: SubsetContext;
  snapshots: ReadonlySignal<readonly SnapshotEntry[]>;
  what: string;
  load: (reference: SnapshotReference, signal: AbortSignal) => Promise<Value>;
}

/** Asks about each step, a few at a time. */
function followSteps<Value>({ context, snapshots, what, load }: Followed<Value>): Resources<Value> {
  const { cache, urlState, view } = context;
  const queue = createQueue();
  return createResources<Value>(
    () => snapshots.value.map(({ step }) => String(step)),
    (step) => {
      const entry = snapshots.value.find((candidate) => String(candidate.step) === step);
      const base = view.reference.value;
      if (!entry || !base) return null;
      const reference = { run: base.run, name: entry.name, step: entry.step };
      const subject = JSON.stringify([reference, urlState.overSteps.value]);
      const key = `over ${what} ${subject} ${entry.version} ${urlState.projection.value.perplexity}`;
      return { key, subject, load: queue((signal) => load(reference, signal)) };
    },
    cache,
  );
}
