/** One layer over all steps of the run: what is fetched for it only while it is looked at. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { LayerSeparation, LayerSimilarity, SnapshotEntry } from "../contract/activis";
import type { Projection, SnapshotReference } from "../contract/client";
import type { Catalogue } from "./catalogue";
import type { Other } from "./others";
import { POLL_MILLISECONDS, pause, untilDone } from "./polling";
import { createResource, type Loadable, type Resource } from "./resource";
import { createQueue, createResources, type Resources } from "./resources";
import { snapshotsOf } from "./selection";
import type { SubsetContext } from "./subsets";

export interface OverSteps {
  /** The layer; empty where nothing is looked at. */
  layer: ReadonlySignal<string>;
  /** The run's snapshots that have the layer, by step. */
  snapshots: ReadonlySignal<readonly SnapshotEntry[]>;
  separation: (step: number) => Loadable<LayerSeparation> | undefined;
  /** In the frame of the steps, once finished. */
  projection: (step: number) => Loadable<Projection> | undefined;
  /** What the layers are compared with: B, else the first step, and at that the last. */
  other: ReadonlySignal<SnapshotReference | null>;
  similarity: Resource<LayerSimilarity>;
}

interface OverStepsContext extends SubsetContext {
  catalogue: Catalogue;
}

export function openOverSteps(context: OverStepsContext, others: ReadonlySignal<readonly Other[]>): OverSteps {
  const { client, cache, catalogue, durable } = context;
  const layer = durable.overSteps;
  const snapshots = computed(() => {
    const current = catalogue.selection.value;
    if (!current || layer.value === "") return [];
    return snapshotsOf(current.run, current.snapshot.name).filter((entry) =>
      entry.layers.some(({ name }) => name === layer.value),
    );
  });
  const each = <Value>(what: string, load: (reference: SnapshotReference, signal: AbortSignal) => Promise<Value>) =>
    followSteps({ context, snapshots, what, load });
  const separations = followSteps({
    context,
    snapshots: computed(() => snapshots.value.filter(({ unlabelled }) => !unlabelled)),
    what: "separation",
    load: (reference, signal) => untilDone(() => client.separation(reference, layer.peek(), signal), signal),
  });
  const projections = each("steps", async (reference, signal) => {
    const choice = { method: "tsne", perplexity: durable.projection.peek().perplexity, framing: "steps" } as const;
    for (;;) {
      const projection = await client.projection(reference, layer.peek(), choice, signal);
      if (projection.done) return projection;
      await pause(POLL_MILLISECONDS, signal);
      signal.throwIfAborted();
    }
  });
  const other = computed(() => {
    const [side] = others.value;
    if (side) return side.view.reference.value;
    const { value: steps } = catalogue.steps;
    const base = catalogue.reference.value;
    if (!base || steps.length < 2) return null;
    const step = base.step === steps[0] ? steps.at(-1) : steps[0];
    return { ...base, step: step ?? base.step };
  });
  const similarity = createResource<LayerSimilarity>(() => {
    const [base, against] = [catalogue.reference.value, other.value];
    if (layer.value === "" || !base || !against) return null;
    const load = (signal: AbortSignal) => untilDone(() => client.similarity(base, against, signal), signal);
    return { key: `similarity ${catalogue.key.value} ${JSON.stringify(against)}`, subject: "similarity", load };
  }, cache);
  return {
    layer,
    snapshots,
    separation: (step) => separations.states.value.get(String(step)),
    projection: (step) => projections.states.value.get(String(step)),
    other,
    similarity,
  };
}

interface Followed<Value> {
  context: OverStepsContext;
  snapshots: ReadonlySignal<readonly SnapshotEntry[]>;
  what: string;
  load: (reference: SnapshotReference, signal: AbortSignal) => Promise<Value>;
}

/** Asks about each step, a few at a time. */
function followSteps<Value>({ context, snapshots, what, load }: Followed<Value>): Resources<Value> {
  const { cache, catalogue, durable } = context;
  const queue = createQueue();
  return createResources<Value>(
    () => snapshots.value.map(({ step }) => String(step)),
    (step) => {
      const entry = snapshots.value.find((candidate) => String(candidate.step) === step);
      const base = catalogue.reference.value;
      if (!entry || !base) return null;
      const reference = { run: base.run, name: entry.name, step: entry.step };
      const subject = JSON.stringify([reference, durable.overSteps.value]);
      const key = `over ${what} ${subject} ${entry.version} ${durable.projection.value.perplexity}`;
      return { key, subject, load: queue((signal) => load(reference, signal)) };
    },
    cache,
  );
}
