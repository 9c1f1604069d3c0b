/** Projection of a layer's instances: PCA at once, then t-SNE as it comes. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Client, Projection, ProjectionFrame, ProjectionRequest, SnapshotReference } from "../contract/client";
import { BUSY_MILLISECONDS, type Cache, isBusy, POLL_MILLISECONDS, pause, sentenceOf } from "./resource";

export interface ProjectionFollower {
  shown: ReadonlySignal<Projection | null>;
  /** Why it does not move on; what is shown stays. */
  problem: ReadonlySignal<string | null>;
  /** Whether what is shown is what was chosen, and final. */
  settled: ReadonlySignal<boolean>;
  dispose: () => void;
}

interface ProjectionInputs {
  client: Client;
  cache: Cache;
  layer: string;
  reference: ReadonlySignal<SnapshotReference | null>;
  key: ReadonlySignal<string>;
  choice: ReadonlySignal<ProjectionRequest>;
  /** Another layer's projection that this one is laid onto; without it, or where it is null, it stands by itself. */
  onto?: ReadonlySignal<ProjectionFrame | null> | undefined;
  visible: ReadonlySignal<boolean>;
}

/** Follows a layer's projection while the tab is in front; the server cancels what nobody asks for. */
export function followProjection(inputs: ProjectionInputs): ProjectionFollower {
  const shown = signal<Projection | null>(null);
  const problem = signal<string | null>(null);
  let shownKey = "";
  let shownSubject = "";

  const stop = effect(() => {
    const reference = inputs.reference.value;
    const onto = inputs.onto?.value ?? null;
    const choice: ProjectionRequest = onto ? { ...inputs.choice.value, onto } : inputs.choice.value;
    const laid = onto ? ` onto ${JSON.stringify(onto)}` : "";
    const key = `projection ${inputs.layer} ${choice.method} ${choice.perplexity} ${choice.framing} ${inputs.key.value}${laid}`;
    const subject = JSON.stringify(reference);
    if (key !== shownKey) problem.value = null;
    // Another way of placing the same instances, or a newer recording of them, takes over from what is shown.
    if (subject !== shownSubject) shown.value = null;
    shownKey = key;
    shownSubject = subject;
    const known = inputs.cache.get(key) as Projection | undefined;
    if (known) shown.value = known;
    if (!reference || known || !inputs.visible.value) return undefined;

    const controller = new AbortController();
    const show = (projection: Projection) => {
      if (controller.signal.aborted) return;
      shown.value = projection;
      problem.value = null;
      if (projection.done && projection.method === choice.method) {
        inputs.cache.set(key, projection, projection.coordinates.byteLength);
      }
    };
    const report = (error: unknown) => {
      if (!controller.signal.aborted) problem.value = sentenceOf(error);
    };
    const following = { choice, first: shown.peek() === null, show, report };
    run(inputs, reference, following, controller.signal).catch(report);
    return () => controller.abort();
  });
  const settled = computed(() => shown.value?.done === true && shown.value.method === inputs.choice.value.method);
  return { shown, problem, settled, dispose: stop };
}

interface Following {
  choice: ProjectionRequest;
  /** Whether nothing is shown yet. */
  first: boolean;
  show: (projection: Projection) => void;
  report: (error: unknown) => void;
}

async function run(
  { client, layer }: ProjectionInputs,
  reference: SnapshotReference,
  { choice, first, show, report }: Following,
  signal: AbortSignal,
): Promise<void> {
  if (first && choice.method !== "pca") {
    show(await client.projection(reference, layer, { ...choice, method: "pca" }, signal));
  }
  while (!signal.aborted) {
    try {
      const projection = await client.projection(reference, layer, choice, signal);
      show(projection);
      if (projection.done) return;
      await pause(POLL_MILLISECONDS, signal);
    } catch (error) {
      if (!isBusy(error)) throw error;
      report(error);
      await pause(BUSY_MILLISECONDS, signal);
    }
  }
}
