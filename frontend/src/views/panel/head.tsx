/** Names a layer and says how it fares: type and shape, what stands beside it in the graph, dead neurons. */

import { neighbours } from "../../state/graph_order";
import type { LayerStore } from "../../state/layer";
import { Icon, LayerGlyph } from "../widgets/glyphs";
import { countText, percentText } from "../widgets/numbers";
import { useStore } from "../widgets/store";

export function PanelHead({ layer }: { layer: LayerStore }) {
  const { catalogue, toggleLayer } = useStore();
  const entry = layer.entry.value;
  const snapshot = catalogue.snapshot.value;
  if (!entry || !snapshot) return null;
  return (
    <div class="panel-head">
      <h3>
        <LayerGlyph />
        <span title={layer.name}>{layer.name}</span>
        <button type="button" class="quiet" aria-label={`Close ${layer.name}`} onClick={() => toggleLayer(layer.name)}>
          <Icon name="close" />
        </button>
      </h3>
      <p>
        {entry.dtype} · {countText(snapshot.instances)} × {countText(entry.neurons)}
      </p>
      {entry.pooling !== "" && (
        <p title={`One instance is ${entry.shape.join(" × ")} before pooling`}>{entry.pooling} over positions</p>
      )}
      <Neighbours layer={layer} />
      <Health layer={layer} />
    </div>
  );
}

const MOST_NEIGHBOURS = 4;

function Neighbours({ layer }: { layer: LayerStore }) {
  const { graph, hover } = useStore();
  const loaded = graph.state.value.value;
  const nodes = loaded && loaded.source !== "layers" ? neighbours(loaded, layer.name) : [];
  if (nodes.length < 2) return null;
  return (
    <ul class="neighbours" aria-label="In the graph">
      {nodes.slice(0, MOST_NEIGHBOURS).map((node) => (
        <li
          key={node.id}
          title={node.full_name}
          onPointerEnter={() => {
            hover.value = { source: "head", layer: layer.name, node: node.id };
          }}
          onPointerLeave={() => {
            hover.value = null;
          }}
        >
          <i class={node.kind === "tensor" ? "key-tensor recorded" : "key-operator"} />
          <span>{node.kind === "tensor" ? node.layer || node.name : node.operator || node.name}</span>
        </li>
      ))}
    </ul>
  );
}

function Health({ layer }: { layer: LayerStore }) {
  const dead = layer.dead.value;
  const nonfinite = layer.nonfiniteCounts.value;
  const signed = layer.entry.value?.signed ?? false;
  const deadNeurons = dead?.reduce((sum, flag) => sum + flag, 0) ?? 0;
  const brokenNeurons = nonfinite?.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0) ?? 0;
  return (
    <div class="health">
      {dead && !signed && (
        <p title="Never above zero, over all instances">
          {percentText(deadNeurons / dead.length)} dead ({countText(deadNeurons)} of {countText(dead.length)})
          <span class="meter">
            <i class={deadNeurons > 0 ? "bad" : ""} style={{ width: `${(100 * deadNeurons) / dead.length}%` }} />
          </span>
        </p>
      )}
      {brokenNeurons > 0 && (
        <p class="wrong" title="NaN or infinite activations; left out of the averages">
          ▲ {countText(brokenNeurons)} {brokenNeurons === 1 ? "neuron" : "neurons"} with non-finite values
        </p>
      )}
    </div>
  );
}
