/** Recorded layers that the graph does not show, so that they can be opened all the same. */

import type { Graph } from "../../contract/activis";
import { LayerGlyph } from "../widgets/glyphs";
import { useStore } from "../widgets/store";

/** `graph` is null where it could not be loaded: then no layer has a place. */
export function UnplacedLayers({ graph }: { graph: Graph | null }) {
  const { catalogue, durable, toggleLayer } = useStore();
  const placed = new Set(graph?.nodes.map((node) => node.layer));
  const unplaced = catalogue.snapshot.value?.layers.filter((layer) => !placed.has(layer.name)) ?? [];
  if (unplaced.length === 0) return null;
  return (
    <span class="unplaced">
      not in the graph:
      {unplaced.map(({ name }) => {
        const selected = durable.layers.value.includes(name);
        return (
          <button
            key={name}
            type="button"
            data-testid="graph-tensor"
            data-layer={name}
            data-selected={String(selected)}
            aria-pressed={selected}
            title={name}
            onClick={() => toggleLayer(name)}
          >
            {selected ? <LayerGlyph /> : <i class="key-tensor recorded" />}
            <span>{name}</span>
          </button>
        );
      })}
    </span>
  );
}
