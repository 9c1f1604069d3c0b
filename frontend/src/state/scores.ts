/** The scores of the instance that is looked at: from the instances' columns, or fetched where those were too many. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import type { Client } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import { type Cache, createResource } from "./resource";

/** Scores by class, (classes,); null while they are not there. */
export type Scores = ArrayLike<number>;

/** Follows `instance`, a sampled row or -1. */
export function followScores(
  { client, cache, catalogue }: { client: Client; cache: Cache; catalogue: SnapshotView },
  instances: ReadonlySignal<InstanceColumns | null>,
  instance: ReadonlySignal<number>,
): ReadonlySignal<Scores | null> {
  const fetched = createResource<NpyArray<Float32Array>>(() => {
    const reference = catalogue.reference.value;
    const row = instance.value;
    if (!reference || row < 0 || !instances.value || instances.value.scores.length > 0) return null;
    return { key: `scores ${row} ${catalogue.key.value}`, load: (signal) => client.scores(reference, row, signal) };
  }, cache);
  return computed(() => {
    const columns = instances.value;
    const row = instance.value;
    if (!columns || row < 0) return null;
    if (columns.scores.length === 0) return fetched.state.value.value?.data ?? null;
    const classes = columns.scores.length / columns.id.length;
    return columns.scores.slice(row * classes, (row + 1) * classes);
  });
}
