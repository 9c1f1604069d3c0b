/** How operators, tensors, closed and open groups look, and what a click on them does. */
import type { GraphNode } from "../../contract/activis";
import {
  type Box,
  groupTitle,
  MOST_PARAMETERS,
  OPERATOR_HEIGHT,
  PARAMETER_PITCH,
  PARAMETER_RISE,
  type PlacedNode,
} from "../../draw/graph_layout";
import { pressable, spokenName } from "./pressable";
import type { GraphSession } from "./session";
import { Tensor } from "./tensor";

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
