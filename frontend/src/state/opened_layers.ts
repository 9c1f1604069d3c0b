/** Layers that are open while they are wanted. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";

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
