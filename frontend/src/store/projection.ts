/** Projection of a layer's instances: PCA at once, then t-SNE as it comes. */

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Client, Projection, ProjectionFrame, ProjectionRequest, SnapshotReference } from "../contract/client";
import { BUSY_MILLISECONDS, type Cache, isBusy, POLL_MILLISECONDS, pause, sentenceOf } from "./resource";

/** A projection, and the snapshot whose instances it places: for a while another step than the one that is shown. */
export interface ShownProjection extends Projection {
  of: SnapshotReference;
}

export type Progress = Pick<Projection, "iteration" | "iterations">;

export interface ProjectionFollower {
  shown: ReadonlySignal<ShownProjection | null>;
  /** How far that of the snapshot has come while one of another step is shown; null where it has not begun, or is shown. */
  awaited: ReadonlySignal<Progress | null>;
  /** Why it does not move on; what is shown stays. */
  problem: ReadonlySignal<string | null>;
  /** Whether what is shown is what was chosen, of the snapshot, and final. */
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

/**
 * Follows a layer's projection while the tab is in front; the server cancels what nobody asks for. The picture of one step
 * stays until there is one of the next: in one frame a finished one, else the first.
 */
export function followProjection(inputs: ProjectionInputs): ProjectionFollower {
  const shown = signal<ShownProjection | null>(null);
  const awaited = signal<Progress | null>(null);
  const problem = signal<string | null>(null);
  let shownKey = "";

  const stop = effect(() => {
    const reference = inputs.reference.value;
    const onto = inputs.onto?.value ?? null;
    const choice: ProjectionRequest = onto ? { ...inputs.choice.value, onto } : inputs.choice.value;
    const laid = onto ? ` onto ${JSON.stringify(onto)}` : "";
    const key = `projection ${choice.of ?? ""} ${inputs.layer} ${choice.method} ${choice.perplexity} ${choice.framing} ${inputs.key.value}${laid}`;
    if (key !== shownKey) problem.value = null;
    shownKey = key;
    // Another way of placing the same instances, a newer recording of them, or another step takes over from what is shown.
    if (!isOfRun(shown.peek()?.of, reference)) shown.value = null;
    const put = (projection: Projection, of: SnapshotReference) =>
      batch(() => {
        shown.value = { ...projection, of };
        awaited.value = null;
      });
    const known = inputs.cache.get(key) as Projection | undefined;
    if (known && reference) put(known, reference);
    if (!reference || known || !inputs.visible.value) return undefined;

    const controller = new AbortController();
    const show = (projection: Projection) => {
      if (controller.signal.aborted) return;
      problem.value = null;
      const stays = choice.framing === "steps" && shown.peek() !== null && !isOf(shown.peek()?.of, reference);
      if (stays && !projection.done) awaited.value = projection;
      else put(projection, reference);
      if (projection.done && projection.method === choice.method) {
        inputs.cache.set(key, projection, projection.coordinates.byteLength);
      }
    };
    const report = (error: unknown) => {
      if (!controller.signal.aborted) problem.value = sentenceOf(error);
    };
    const following = { choice, first: shown.peek() === null, show, report };
    run(inputs, reference, following, controller.signal).catch(report);
    return () => {
      controller.abort();
      awaited.value = null;
    };
  });
  const settled = computed(() => {
    const { value: projection } = shown;
    if (!projection?.done || projection.method !== inputs.choice.value.method) return false;
    return isOf(projection.of, inputs.reference.value);
  });
  return { shown, awaited, problem, settled, dispose: stop };
}

const isOfRun = (one: SnapshotReference | undefined, other: SnapshotReference | null): boolean =>
  one?.run === other?.run && one?.name === other?.name;

/** Whether two references name one snapshot. */
export const isOf = (one: SnapshotReference | undefined, other: SnapshotReference | null): boolean =>
  isOfRun(one, other) && one?.step === other?.step;

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
