/** Path of the graph in one line, beside a layer that is shown alone: its layers, and what stands between them. */

import { batch } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type PathStop, pathStops } from "../../draw/graph_path";
import { useTab } from "../../ui/context";
import { Icon, LayerGlyph } from "../../ui/glyphs";

export function GraphPath() {
  const { catalogue, graph, urlState } = useTab();
  const layers = catalogue.snapshot.value?.layers;
  const loaded = graph.state.value.value ?? null;
  const stops = useMemo(() => pathStops(loaded, layers?.map(({ name }) => name) ?? []), [loaded, layers]);
  const list = useRef<HTMLOListElement>(null);
  const shown = urlState.maximised.value;
  useLayoutEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [stops, shown]);
  return (
    <nav class="graph-path" data-testid="graph-path" aria-label="Layers in the order of the graph">
      <b>Graph</b>
      <ol ref={list}>
        {stops.map((stop, at) => (
          <li key={stop.layer || `between ${at}`}>
            {stop.layer === "" ? <Between stop={stop} /> : <LayerStop layer={stop.layer} />}
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="quiet"
        data-testid="show-graph"
        aria-label="Show the graph"
        title="Show the graph"
        onClick={() => {
          urlState.graphSize.value = "normal";
        }}
      >
        <Icon name="down" />
      </button>
    </nav>
  );
}

/** Shows its layer alone in the place of the one that is, opened where it is not. */
function LayerStop({ layer }: { layer: string }) {
  const { urlState, toggleLayer } = useTab();
  const isOpen = urlState.layers.value.includes(layer);
  const isShown = urlState.maximised.value === layer;
  return (
    <button
      type="button"
      class="path-layer"
      data-testid="path-layer"
      data-layer={layer}
      aria-current={isShown ? "true" : undefined}
      title={isShown ? layer : `${layer}: click to show it alone`}
      onClick={() =>
        batch(() => {
          if (!isOpen) toggleLayer(layer);
          urlState.maximised.value = layer;
        })
      }
    >
      {isShown ? <LayerGlyph /> : <i class="key-tensor recorded" />}
      <span>{layer}</span>
    </button>
  );
}

/** So many names of what stands side by side. */
const MOST_BESIDE = 3;

function Between({ stop: { names } }: { stop: PathStop }) {
  return (
    <span class="path-between" title={names.join(", ")}>
      {besideText(names)}
    </span>
  );
}

/** `conv3, 4, 5`; an ellipsis for many. */
export function besideText(names: readonly string[]): string {
  if (names.length > MOST_BESIDE) return "…";
  const [first = "", ...others] = names;
  const stem = /^(.*?)\d+$/.exec(first)?.[1] ?? "";
  const isShared =
    stem !== "" && others.every((name) => name.startsWith(stem) && /^\d+$/.test(name.slice(stem.length)));
  return [first, ...others.map((name) => (isShared ? name.slice(stem.length) : name))].join(", ");
}
