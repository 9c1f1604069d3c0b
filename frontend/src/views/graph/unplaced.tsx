/** Recorded layers as a list: those that the graph does not show, or all while it is slim. */
import type { Graph } from "../../contract/activis";
import { useStore } from "../../ui/context";
import { LayerGlyph } from "../../ui/glyphs";

interface UnplacedLayersProperties {
  /** Null where it is not in sight: then no layer has a place. */
  graph: Graph | null;
  title: string;
}

export function UnplacedLayers({ graph, title }: UnplacedLayersProperties) {
  const { catalogue, durable, toggleLayer } = useStore();
  const placed = new Set(graph?.nodes.map((node) => node.layer));
  const unplaced = catalogue.snapshot.value?.layers.filter((layer) => !placed.has(layer.name)) ?? [];
  if (unplaced.length === 0) return null;
  return (
    <span class="unplaced">
      {title}
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
