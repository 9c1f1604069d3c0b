/** The computation graph of a snapshot's run. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Graph } from "../contract/activis";
import type { Client } from "../contract/client";
import type { SnapshotView } from "./catalogue";
import { type Cache, createResource, type Resource } from "./resource";

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
