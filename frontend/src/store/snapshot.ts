/** Snapshot as the tab has opened it: its data, its graph, its open layers, its accuracy. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { sum } from "d3-array";
import type { Graph, InstanceColumns, SnapshotEntry } from "../contract/activis";
import type { Client, SnapshotReference } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import { type Cache, createResource, type Resource } from "./resource";
import { isInstance, type MatrixRow, outcomeFacts, type SubsetFacts } from "./rows";
import { openSubsets, type SubsetContext, type SubsetsState } from "./subsets";

/** How many instances there are, and which share of them was predicted right; NaN of none, and without labels. */
export function accuracyOf(snapshot: SnapshotEntry | null): { count: number; share: number } {
  const classes = snapshot?.subsets.filter((subset) => subset.kind === "class") ?? [];
  const count = sum(classes, (subset) => subset.count);
  return { count, share: sum(classes, (subset) => subset.correct ?? Number.NaN) / count };
}

/** The share of a row's instances that were predicted right; null of none, and without labels. */
export function accuracyOfRow({ count, correct }: { count: number; correct?: number | undefined }): number | null {
  return correct === undefined || count === 0 ? null : correct / count;
}

/** How many of the first subsets every instance is in one of: the classes, or all instances where there are no labels. */
export const strataOf = (snapshot: SnapshotEntry | null): number =>
  snapshot?.unlabelled ? 1 : (snapshot?.classes.length ?? 0);

/** @param source Id of the one that was chosen; empty for the best there is. */
export function fetchGraph(
  client: Client,
  cache: Cache,
  view: SnapshotView,
  source: ReadonlySignal<string>,
): Resource<Graph> {
  const run = computed(() => view.reference.value?.run ?? null);
  const recorded = computed(() => view.snapshot.value?.layers.map((layer) => layer.tensor).join() ?? "");
  return createResource(() => {
    const current = run.value;
    if (current === null) return null;
    const subject = JSON.stringify([current, source.value]);
    return {
      key: `graph ${subject} ${recorded.value}`,
      subject,
      load: (signal) => client.graph(current, source.peek(), signal),
    };
  }, cache);
}

/** Follows `wanted`: what leaves the list is disposed of, what stays is kept. */
export function openEach<Opened extends { dispose: () => void }>(
  wanted: () => readonly string[],
  open: (key: string) => Opened,
): ReadonlySignal<ReadonlyMap<string, Opened>> {
  const opened = signal<ReadonlyMap<string, Opened>>(new Map());
  effect(() => {
    const keys = new Set(wanted());
    const before = opened.peek();
    for (const [key, one] of before) if (!keys.has(key)) one.dispose();
    opened.value = new Map([...keys].map((key) => [key, before.get(key) ?? open(key)]));
  });
  return opened;
}

export interface OpenedSnapshot {
  instances: Resource<InstanceColumns>;
  /** The instances; null until they are there. */
  columns: ReadonlySignal<InstanceColumns | null>;
  membership: Resource<NpyArray<Uint8Array>>;
  /** The sampled row of an instance by its id. */
  rowOf: ReadonlySignal<ReadonlyMap<string, number>>;
  subsets: SubsetsState;
  /** How many instances a class or subset has and what was predicted of them; null where that is not known. */
  factsOf: (row: MatrixRow) => SubsetFacts | null;
}

/** @param conditions Asked about beside those of the user's subsets. */
export function openSnapshot(context: SubsetContext, conditions?: ReadonlySignal<readonly string[]>): OpenedSnapshot {
  const { client, cache, catalogue } = context;
  const fetched = <Value>(
    what: string,
    load: (reference: SnapshotReference, signal: AbortSignal) => Promise<Value>,
  ): Resource<Value> =>
    createResource(() => {
      const reference = catalogue.reference.value;
      return (
        reference && {
          key: `${what} ${catalogue.key.value}`,
          subject: JSON.stringify(reference),
          load: (signal) => load(reference, signal),
        }
      );
    }, cache);
  const instances = fetched("instances", client.instances);
  const columns = computed(() => instances.state.value.value ?? null);
  const subsets = openSubsets(context, conditions);
  return {
    instances,
    columns,
    membership: fetched("membership", client.membership),
    rowOf: computed(() => new Map(columns.value?.id.map((id, row) => [id, row]))),
    subsets,
    factsOf: (row) => {
      if (row.kind === "typed") return subsets.answerOf(row)?.value ?? null;
      if (row.kind === "outcome") return columns.value && outcomeFacts(columns.value, row.members);
      if (row.kind === "absent" || isInstance(row)) return null;
      return catalogue.snapshot.value?.subsets[row.subset] ?? null;
    },
  };
}
