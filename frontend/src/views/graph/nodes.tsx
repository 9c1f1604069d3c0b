/** Nodes of the graph: operators, tensors, closed and open groups, as buttons. */

import { useEffect } from "preact/hooks";
import type { GraphNode, LayerHealth } from "../../contract/activis";
import {
  type Box,
  groupTitle,
  MOST_PARAMETERS,
  OPERATOR_HEIGHT,
  PARAMETER_PITCH,
  PARAMETER_RISE,
  type PlacedNode,
  TENSOR_RADIUS,
} from "../../draw/graph_layout";
import { useTab } from "../../ui/context";
import { countedText } from "../../ui/numbers";
import type { GraphSession } from "./session";

interface Press {
  name: string;
  /** Whether the Tab key stops at it; the arrow keys reach everything. */
  tabStop: boolean;
  onPress: () => void;
  onFocus?: () => void;
  /** Of something that opens and closes: which it is. */
  expanded?: boolean;
}

/** A name that holds what is written, as it is written, so that it can be called by that; then what is not. */
const spokenName = (what: string, written: readonly string[], more: readonly string[]): string => {
  const label = written.filter(Boolean).join(" ");
  return [`${what} ${label}`, ...more.filter((text) => text !== "" && text !== written[0])].join(", ");
};

function pressable({ name, tabStop, onPress, onFocus, expanded }: Press) {
  return {
    role: "button" as const,
    tabindex: tabStop ? 0 : -1,
    "aria-label": name,
    "aria-expanded": expanded,
    class: "pressable",
    onClick: onPress,
    onFocus,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      onPress();
    },
  };
}

interface TensorProperties {
  placed: PlacedNode;
  session: GraphSession;
  tabStop: boolean;
}

function Tensor({ placed, session, tabStop }: TensorProperties) {
  const { urlState, toggleLayer } = useTab();
  const { x, y, label, detail, visible } = placed;
  const { node } = visible;
  const recorded = node.layer !== "";
  const selected = recorded && urlState.layers.value.includes(node.layer);
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
          {label}{" "}
          {detail !== "" && (
            <tspan class="detail" dx="2">
              {detail}
            </tspan>
          )}
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
  const { layerHealth } = useTab();
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
    `${dead} of ${countedText(neurons, "neuron")} dead`,
    nonfinite > 0 && `${nonfinite} with non-finite values`,
    effective_rank_over > 0 && `effective rank ${effective_rank.toFixed(1)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

interface NodeProperties {
  placed: PlacedNode;
  session: GraphSession;
  tabStop: boolean;
}

/** A node with its place in the document: found there by its id. */
export function Node({ placed, session, tabStop }: NodeProperties) {
  const { node } = placed.visible;
  return (
    <g data-node={node.id} {...pointedAt(session, node)}>
      {node.kind === "group" && <ClosedGroup placed={placed} session={session} tabStop={tabStop} />}
      {node.kind === "operator" && <Operator placed={placed} session={session} tabStop={tabStop} />}
      {node.kind === "tensor" && <Tensor placed={placed} session={session} tabStop={tabStop} />}
    </g>
  );
}

function pointedAt(session: GraphSession, node: GraphNode) {
  return {
    onPointerEnter: () => session.point(node),
    onPointerLeave: () => session.point(null),
  };
}

const focusing = (session: GraphSession, node: GraphNode) => () => session.point(node);

function ClosedGroup({ placed, session, tabStop }: NodeProperties) {
  const { x, y, width, height, label, detail, visible } = placed;
  const { node, recorded } = visible;
  const [left, right] = [x - width / 2, x + width / 2];
  const onPress = () => session.toggle(node.id);
  const more = [groupTitle(node), recorded > 0 ? `${recorded} recorded inside` : ""];
  const name = spokenName("Open", [label, detail], more);
  return (
    <g
      {...pressable({ name, tabStop, onPress, onFocus: focusing(session, node), expanded: false })}
      data-testid="graph-group"
      data-group={node.id}
    >
      {node.repeats > 0 && (
        <rect class="behind" x={left + 3} y={y - height / 2 - 3} width={width} height={height} rx="6" />
      )}
      <rect
        class={node.auxiliary ? "closed-group auxiliary" : "closed-group"}
        x={left}
        y={y - height / 2}
        width={width}
        height={height}
        rx="6"
      />
      <text x={left + 9} y={y + 3.5}>
        {label}
      </text>{" "}
      {recorded > 0 && <circle class="recorded-inside" cx={right - 28 - 5.6 * detail.length} cy={y} r="3.5" />}
      <text class="detail" x={right - 22} y={y + 3.5} text-anchor="end">
        {detail}
      </text>
      <path class="sign" d={`M${right - 17} ${y} h8 M${right - 13} ${y - 4} v8`} />
    </g>
  );
}

function Operator({ placed, session, tabStop }: NodeProperties) {
  const { x, y, width, label, visible } = placed;
  const { node } = visible;
  const onPress = () => {
    session.chosen.value = node;
  };
  return (
    <>
      <Parameters placed={placed} session={session} />
      <g
        {...pressable({
          name: spokenName("Operator", [label], [node.operator, node.name]),
          tabStop,
          onPress,
          onFocus: focusing(session, node),
        })}
      >
        <rect
          class="operator"
          x={x - width / 2}
          y={y - OPERATOR_HEIGHT / 2}
          width={width}
          height={OPERATOR_HEIGHT}
          rx="2"
        />
        <text class="operator-name" x={x} y={y + 3.3} text-anchor="middle">
          {label}
        </text>
      </g>
    </>
  );
}

function Parameters({ placed, session }: Pick<NodeProperties, "placed" | "session">) {
  const { x, y, visible } = placed;
  const shown = visible.parameters.slice(0, MOST_PARAMETERS);
  return (
    <>
      {shown.map((parameter, position) => {
        const across = x + (position - (shown.length - 1) / 2) * PARAMETER_PITCH;
        const choose = () => {
          session.chosen.value = parameter;
        };
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the operator's card leads to it by keys
          <g
            key={parameter.id}
            class="parameter"
            onPointerEnter={focusing(session, parameter)}
            onPointerLeave={focusing(session, visible.node)}
            onClick={choose}
          >
            <path class="edge" d={`M${across} ${y - PARAMETER_RISE + 3} V${y - OPERATOR_HEIGHT / 2}`} />
            <circle cx={across} cy={y - PARAMETER_RISE} r="3" />
            <circle class="hit" cx={across} cy={y - PARAMETER_RISE} r="6" />
          </g>
        );
      })}
    </>
  );
}

interface OpenGroupProperties {
  group: Box & { node: GraphNode };
  session: GraphSession;
  tabStop: boolean;
}

/** Its title bar closes it. */
export function OpenGroup({ group, session, tabStop }: OpenGroupProperties) {
  const { node, x, y, width, height } = group;
  const onPress = () => session.toggle(node.id);
  const name = `Close ${groupTitle(node)}`;
  return (
    <g data-node={node.id} class={node.auxiliary ? "open-group auxiliary" : "open-group"} {...pointedAt(session, node)}>
      <rect x={x} y={y} width={width} height={height} rx="8" />
      <g
        {...pressable({ name, tabStop, onPress, onFocus: focusing(session, node), expanded: true })}
        data-testid="graph-group"
        data-group={node.id}
      >
        <rect class="hit" x={x} y={y} width={width} height="20" />
        <text x={x + 10} y={y + 14}>
          {groupTitle(node)}
        </text>
        <path d={`M${x + width - 17} ${y + 10} h8`} />
      </g>
    </g>
  );
}
