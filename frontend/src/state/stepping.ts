/**
 * Moves through the recorded steps.
 *
 * The next step is opened out of sight, through the same cache; what is shown stays until its numbers are there, and then
 * everything changes at once.
 */

import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Catalogue } from "./catalogue";
import type { Durable } from "./durable";
import type { LayerContext } from "./layer";
import { pause } from "./polling";
import { prepareStep } from "./preparing";

export interface Stepping {
  /** The step that is being prepared; null where none is. */
  pending: ReadonlySignal<number | null>;
  playing: ReadonlySignal<boolean>;
  /** Whether the step that is played next should be shown by now, and is not ready. */
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

export function openStepping(catalogue: Catalogue, durable: Durable, layerContext: LayerContext): Stepping {
  const pending = signal<number | null>(null);
  const playing = signal(false);
  const late = signal(false);
  const ready = prepareStep(pending, catalogue, layerContext);
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
      durable.follow.value = durable.follow.peek() && step === catalogue.steps.peek().at(-1);
      durable.wish.value = { run, name, step };
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
        late.value = !stopped.aborted && !ready.peek();
      });
      await Promise.all([held, until(ready, stopped)]);
      if (stopped.aborted) return;
      durable.settle(() => show(step), true);
    }
    stop();
  };
  const goTo = async (step: number, stopped: AbortSignal) => {
    pending.value = step;
    await Promise.race([pause(PATIENCE_MILLISECONDS, stopped), until(ready, stopped)]);
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
        durable.follow.value = false;
        durable.projection.value = { ...durable.projection.peek(), framing: "steps" };
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
