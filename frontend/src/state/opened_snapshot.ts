/** What is fetched of one snapshot as a whole, and what follows from it for the rows. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import type { SnapshotReference } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import { outcomeFacts } from "./outcomes";
import { createResource, type Resource } from "./resource";
import type { MatrixRow } from "./rows";
import { openSubsets, type SubsetContext, type SubsetFacts, type SubsetsState } from "./subsets";

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
      if (row.condition !== undefined) return subsets.answers.value.get(row.condition)?.value ?? null;
      if (row.members) return columns.value && outcomeFacts(columns.value, row.members);
      return catalogue.snapshot.value?.subsets[row.subset] ?? null;
    },
  };
}
