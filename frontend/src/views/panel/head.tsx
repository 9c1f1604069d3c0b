/** Names a layer and says how it fares: type and shape, what stands beside it in the graph, its health. */
import { neighbours, sourceKind } from "../../store/graph_order";
import type { LayerStore } from "../../store/layer";
import { useStore } from "../../ui/context";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import { Health } from "./health";

/** Of a layer's name: as many as three lines hold. */
const MOST_CHARACTERS = 36;

/** Layers of one model differ at the ends of their names more often than in the middle. */
const withoutMiddle = (name: string): string =>
  name.length <= MOST_CHARACTERS
    ? name
    : `${name.slice(0, MOST_CHARACTERS / 2 - 1)}…${name.slice(-MOST_CHARACTERS / 2)}`;

export function PanelHead({ layer }: { layer: LayerStore }) {
  const { catalogue, durable, toggleLayer } = useStore();
  const maximised = durable.maximised.value === layer.name;
  const entry = layer.entry.value;
  const snapshot = catalogue.snapshot.value;
  if (!entry || !snapshot) return null;
  return (
    <div class="panel-head">
      <h3>
        <span class="buttons">
          <button
            type="button"
            class="quiet"
            data-testid="maximise"
            aria-pressed={maximised}
            aria-label={`Show ${layer.name} alone`}
            title={maximised ? "Show every open layer again" : "Show this layer alone, as large as fits"}
            onClick={() => {
              durable.maximised.value = maximised ? "" : layer.name;
            }}
          >
            <Icon name={maximised ? "restore" : "maximise"} />
          </button>
          <button
            type="button"
            class="quiet"
            aria-label={`Close ${layer.name}`}
            onClick={() => toggleLayer(layer.name)}
          >
            <Icon name="close" />
          </button>
        </span>
        <LayerGlyph />
        <span title={layer.name}>{withoutMiddle(layer.name)}</span>
      </h3>
      <p>
        {entry.dtype} · {countText(snapshot.instances)} × {countText(entry.neurons)}
      </p>
      {entry.pooling !== "" && (
        <p title={`One instance is ${entry.shape.join(" × ")} before pooling`}>
          {entry.pooling === "first" || entry.pooling === "last"
            ? `${entry.pooling} position`
            : `${entry.pooling} over positions`}
        </p>
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
  const nodes = loaded && sourceKind(loaded) !== "layers" ? neighbours(loaded, layer.name) : [];
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
