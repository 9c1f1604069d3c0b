/** How the layers fare that are in sight, asked for one after another once everything else is there. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { LayerHealth } from "../contract/activis";
import type { Client } from "../contract/client";
import type { Catalogue } from "./catalogue";
import type { Cache, Loadable } from "./resource";
import { createQueue, createResources } from "./resources";

export interface LayerHealths {
  states: ReadonlySignal<ReadonlyMap<string, Loadable<LayerHealth>>>;
  /** Keeps a layer's health known until the returned function is called. */
  follow: (layer: string) => () => void;
}

/** Panels that were just opened come first. */
const PATIENCE = 800;

export function openLayerHealths(client: Client, cache: Cache, catalogue: Catalogue): LayerHealths {
  const followed: Signal<readonly string[]> = signal([]);
  const queue = createQueue();
  const { states } = createResources<LayerHealth>(
    () => followed.value,
    (layer) => {
      const reference = catalogue.reference.value;
      if (!reference || !catalogue.snapshot.value?.layers.some(({ name }) => name === layer)) return null;
      return {
        key: `health ${layer} ${catalogue.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.health(reference, layer, signal)),
      };
    },
    cache,
  );
  return {
    states,
    follow: (layer) => {
      const waiting = setTimeout(() => {
        followed.value = [...followed.peek(), layer];
      }, PATIENCE);
      return () => {
        clearTimeout(waiting);
        const at = followed.peek().indexOf(layer);
        followed.value = followed.peek().filter((_, position) => position !== at);
      };
    },
  };
}
