/** A tensor: recorded ones are yellow and open their panel, with a bar that says how the layer fares. */

import { useEffect } from "preact/hooks";
import type { GraphNode, LayerHealth } from "../../contract/activis";
import { type PlacedNode, TENSOR_RADIUS } from "../../draw/graph_layout";
import { useStore } from "../../ui/context";
import { pressable, spokenName } from "./pressable";
import type { GraphSession } from "./session";

interface TensorProperties {
  placed: PlacedNode;
  session: GraphSession;
  tabStop: boolean;
}

export function Tensor({ placed, session, tabStop }: TensorProperties) {
  const { durable, toggleLayer } = useStore();
  const { x, y, label, detail, visible } = placed;
  const { node } = visible;
  const recorded = node.layer !== "";
  const selected = recorded && durable.layers.value.includes(node.layer);
  const onPress = () => {
    if (recorded) toggleLayer(node.layer);
    session.chosen.value = recorded ? null : node;
  };
  const onFocus = () => session.point(node);
  const classes = [
    "pressable tensor",
    recorded && "recorded",
    selected && "selected",
    isAmbiguous(node) && "ambiguous",
  ];
  return (
    <g
      {...pressable({ name: tensorName(placed), tabStop, onPress, onFocus })}
      {...(recorded ? recordedAttributes(node, selected) : {})}
      class={classes.filter(Boolean).join(" ")}
    >
      <circle class="hit" cx={x} cy={y} r="12" />
      {selected && <circle class="ring" cx={x} cy={y} r="9.5" />}
      <circle class="dot" cx={x} cy={y} r={selected ? TENSOR_RADIUS + 1 : TENSOR_RADIUS} />
      {label !== "" && (
        <text class="tensor-name" x={x} y={y + 22} text-anchor="middle">
          {label}
        </text>
      )}{" "}
      {detail !== "" && (
        <text class="detail" x={x} y={y + 33} text-anchor="middle">
          {detail}
        </text>
      )}{" "}
      {isAmbiguous(node) && (
        <text class="doubt" x={x} y={y + 3.2} text-anchor="middle">
          ?
        </text>
      )}
      {recorded && <HealthBadge layer={node.layer} x={x} y={y - 18} />}
    </g>
  );
}

const isAmbiguous = (node: GraphNode) => node.layer_candidates.length > 0;

function tensorName({ visible: { node }, label, detail }: PlacedNode): string {
  if (node.layer !== "") return spokenName("Layer", [label, detail], [node.layer]);
  if (!isAmbiguous(node)) return spokenName("Tensor", [label || node.name, detail], [node.name, "not recorded"]);
  return spokenName("Tensor", [label, detail, "?"], [node.name, `perhaps ${node.layer_candidates.join(" or ")}`]);
}

const recordedAttributes = (node: GraphNode, selected: boolean) => ({
  "data-testid": "graph-tensor",
  "data-layer": node.layer,
  "data-selected": String(selected),
  "aria-pressed": selected,
});

const BADGE = { width: 20, height: 3 };

/** How many of its neurons are dead, as in its panel, and a triangle where some are not finite. */
function HealthBadge({ layer, x, y }: { layer: string; x: number; y: number }) {
  const { layerHealth } = useStore();
  useEffect(() => layerHealth.follow(layer), [layer]);
  const health = layerHealth.states.value.get(layer)?.value;
  if (!health) return null;
  const share = health.neurons > 0 ? health.dead / health.neurons : 0;
  const left = x - BADGE.width / 2;
  return (
    <g class="health-badge" data-testid="graph-health" data-layer={layer}>
      <title>{healthText(health)}</title>
      <rect class="track" x={left} y={y} width={BADGE.width} height={BADGE.height} />
      {share > 0 && <rect class="dead" x={left} y={y} width={Math.max(2, share * BADGE.width)} height={BADGE.height} />}
      {health.nonfinite > 0 && <path class="nonfinite" d={`M${left + BADGE.width + 3} ${y + 4} h8 l-4 -7 z`} />}
    </g>
  );
}

export function healthText({ neurons, dead, nonfinite, effective_rank, effective_rank_over }: LayerHealth): string {
  const parts = [
    `${dead} of ${neurons} neurons dead`,
    nonfinite > 0 && `${nonfinite} with non-finite values`,
    effective_rank_over > 0 && `effective rank ${effective_rank.toFixed(1)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}
