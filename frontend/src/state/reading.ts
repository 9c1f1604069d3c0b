/** The instance that the card shows: the hovered one, and after it the same one, so that it can be reached and played. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";

/** Follows `hovered`, a sampled row or -1; -1 until one was hovered, and again when other instances are shown. */
export function followReading(
  hovered: ReadonlySignal<number>,
  instances: ReadonlySignal<InstanceColumns | null>,
): ReadonlySignal<number> {
  const reading = signal(-1);
  let known: InstanceColumns | null = null;
  effect(() => {
    if (instances.value !== known) reading.value = -1;
    known = instances.value;
    if (hovered.value >= 0) reading.value = hovered.value;
  });
  return reading;
}
