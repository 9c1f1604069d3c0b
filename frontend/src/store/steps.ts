/**
 * Steps of a run: played one after another, prepared ahead, and one layer over all of them.
 *
 * The next step is opened out of sight, through the same cache; what is shown stays until its numbers are there, and then
 * everything changes at once.
 */

import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { type Catalogue, viewSnapshot } from "./catalogue";
import type { ComparedLayer } from "./compared_layer";
import { type LayerContext, type LayerStore, openLayer } from "./layer";
import { type Loadable, pause, type Resource } from "./resource";
import { type Selection, snapshotsOf } from "./selection";
import { followLayers, followOthers, type Other } from "./side";
import { type OpenedSnapshot, openEach, openSnapshot } from "./snapshot";
import type { LitContext } from "./subsets";
import type { UrlState } from "./url_state";

/** Opens the pending step beside the one that is shown; says whether its numbers, and whether its projections too are there. */
function prepareStep(
  pending: ReadonlySignal<number | null>,
  catalogue: Catalogue,
  layerContext: LayerContext & LitContext,
): { numbers: ReadonlySignal<boolean>; everything: ReadonlySignal<boolean> } {
  const selection = computed((): Selection | null => {
    const current = catalogue.selection.value;
    const step = pending.value;
    if (!current || step === null) return null;
    const snapshot = snapshotsOf(current.run, current.snapshot.name).find((entry) => entry.step === step);
    return snapshot ? { run: current.run, snapshot } : null;
  });
  const view = viewSnapshot(selection);
  const context = { ...layerContext, view, isAhead: true };
  const opened = openSnapshot(context);
  const layers = openEach(
    () => (selection.value ? layerContext.urlState.layers.value : []),
    (name) => openLayer(name, context),
  );
  const base = {
    ...view,
    columns: opened.columns,
    layers: computed(() => [...layers.value.values()].filter(({ entry }) => entry.value !== null)),
  };
  const sides = new Map<Other, ReadonlySignal<ReadonlyMap<string, ComparedLayer>>>();
  const others = followOthers({ ...context, runs: catalogue.runs });
  const layersOf = (other: Other) => {
    const known = sides.get(other) ?? followLayers(other, base, context, other.opened.conditions);
    sides.set(other, known);
    return known.value;
  };
  const projections = computed(() => [
    ...base.layers.value.map(({ projection }) => projection),
    ...others.value
      .filter(({ view: { snapshot } }) => snapshot.value !== null)
      .flatMap((other) => [...layersOf(other).values()].map(({ layer }) => layer.projection)),
  ]);
  const numbers = computed(
    () =>
      selection.value !== null &&
      isOpened(opened) &&
      [...layers.value.values()].every(isReady) &&
      others.value.every((other) => isSideReady(other, layersOf(other))),
  );
  const everything = computed(
    () => numbers.value && projections.value.every(({ settled, problem }) => settled.value || problem.value !== null),
  );
  return { numbers, everything };
}

const isOver = ({ status }: Loadable<unknown>): boolean => status === "ready" || status === "error";

const isSettled = (resource: Pick<Resource<unknown>, "state">): boolean => isOver(resource.state.value);

const isOpened = ({ instances, membership, answers }: OpenedSnapshot): boolean =>
  isSettled(instances) && isSettled(membership) && [...answers.value.values()].every(isOver);

/** Whether the numbers of a layer are there, those of its projection aside. */
function isReady(layer: LayerStore): boolean {
  if (layer.entry.value === null) return true;
  return (
    [layer.mean, layer.active, layer.nonfinite, layer.activations, layer.health].every(isSettled) &&
    [...layer.typedMeans.states.value.values()].every(isOver) &&
    layer.isMeasured.value
  );
}

/** A side that has nothing to show keeps nobody waiting. */
function isSideReady(other: Other, layers: ReadonlyMap<string, ComparedLayer>): boolean {
  if (other.view.snapshot.value === null) return true;
  return (
    isOpened(other.opened) &&
    isSettled(other.agreement) &&
    [...layers.values()].every(({ layer, matching }) => matching.value !== null && isReady(layer))
  );
}

export interface Stepping {
  /** The step that is being prepared; null where none is. */
  pending: ReadonlySignal<number | null>;
  playing: ReadonlySignal<boolean>;
  /** Whether the step that is played next should be shown by now, and its numbers are not there. */
  late: ReadonlySignal<boolean>;
  /** Shows a step as soon as it is ready, and soon in any case. */
  goTo: (step: number) => void;
  /** Shows one step after another from here, from the first one where this is the last; or stops. */
  togglePlay: () => void;
}

/** How long a step stays when played. */
export const HOLD_MILLISECONDS = 900;

/** How long one waits for a step that was picked; it is shown unfinished then. */
const PATIENCE_MILLISECONDS = 400;

export function openStepping(
  catalogue: Catalogue,
  urlState: UrlState,
  layerContext: LayerContext & LitContext,
): Stepping {
  const pending = signal<number | null>(null);
  const playing = signal(false);
  const late = signal(false);
  const { numbers, everything } = prepareStep(pending, catalogue, layerContext);
  let controller = new AbortController();

  const stop = () => {
    controller.abort();
    controller = new AbortController();
    batch(() => {
      playing.value = false;
      late.value = false;
      pending.value = null;
    });
    return controller.signal;
  };
  const show = (step: number) =>
    batch(() => {
      const { run, name } = catalogue.reference.peek() ?? { run: null, name: null };
      urlState.follow.value = urlState.follow.peek() && step === catalogue.steps.peek().at(-1);
      urlState.wish.value = { run, name, step };
      pending.value = null;
      late.value = false;
    });
  const shown = () => catalogue.snapshot.peek()?.step;

  const play = async (stopped: AbortSignal) => {
    const steps = catalogue.steps.peek();
    const at = steps.indexOf(shown() ?? Number.NaN);
    const rest = at === steps.length - 1 ? steps : steps.slice(at + 1);
    for (const step of rest) {
      pending.value = step;
      const held = pause(HOLD_MILLISECONDS, stopped).then(() => {
        late.value = !stopped.aborted && !numbers.peek();
      });
      // Projections take as long as they take; they follow.
      await Promise.all([held, until(numbers, stopped)]);
      if (stopped.aborted) return;
      urlState.settle(() => show(step), true);
    }
    stop();
  };
  const goTo = async (step: number, stopped: AbortSignal) => {
    pending.value = step;
    await Promise.race([pause(PATIENCE_MILLISECONDS, stopped), until(everything, stopped)]);
    if (!stopped.aborted) show(step);
  };
  return {
    pending,
    playing,
    late,
    goTo: (step) => void goTo(step, stop()),
    togglePlay: () => {
      const played = playing.peek();
      const stopped = stop();
      if (played) return;
      batch(() => {
        playing.value = true;
        urlState.follow.value = false;
        urlState.projection.value = { ...urlState.projection.peek(), framing: "steps" };
      });
      void play(stopped);
    },
  };
}

/** Resolves when `condition` is true, or `stopped` aborts. */
function until(condition: ReadonlySignal<boolean>, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = condition.subscribe((holds) => {
      if (holds) end();
    });
    stopped.addEventListener("abort", end);
    function end(): void {
      // It may hold at once, before there is anything to end.
      queueMicrotask(() => unsubscribe());
      resolve();
    }
  });
}
