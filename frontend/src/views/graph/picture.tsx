/** Draws the placed graph as SVG, so that every node can be focused, named and clicked. */

import { useComputed } from "@preact/signals";
import { curveMonotoneX, line } from "d3-shape";
import type { GraphNode } from "../../contract/activis";
import { OPERATOR_HEIGHT, type PlacedGraph, type PlacedNode, TENSOR_RADIUS } from "../../draw/graph_layout";
import { useStore } from "../widgets/store";

interface PictureProperties {
  placed: PlacedGraph;
  /** Id of the node that was searched for. */
  found: string | null;
  onToggleGroup: (id: string) => void;
  onHover: (node: GraphNode | null) => void;
  onClick: (node: GraphNode) => void;
}

const curve = line<{ x: number; y: number }>(
  (point) => point.x,
  (point) => point.y,
).curve(curveMonotoneX);

export function GraphPicture({ placed, found, onToggleGroup, onHover, onClick }: PictureProperties) {
  const { hover } = useStore();
  const located = useComputed(() => hover.value?.node ?? null).value ?? found;
  const hovered = (node: GraphNode) => ({
    onPointerEnter: () => onHover(node),
    onPointerLeave: () => onHover(null),
  });
  return (
    <>
      {placed.groups.map(({ node, x, y, width, height }) => (
        <g key={node.id} class={node.id === located ? "open-group located" : "open-group"} {...hovered(node)}>
          <rect x={x} y={y} width={width} height={height} rx="8" />
          <text x={x + 10} y={y + 14}>
            {node.name}
          </text>
          <g {...pressable(`Close ${node.name}`, () => onToggleGroup(node.id))}>
            <rect class="hit" x={x + width - 24} y={y + 1} width="22" height="20" />
            <path d={`M${x + width - 17} ${y + 10} h8`} />
          </g>
        </g>
      ))}
      {placed.edges.map((edge) => (
        <path key={edge.id} class="edge" d={curve([...edge.points]) ?? ""} />
      ))}
      {placed.nodes.map((placedNode) => {
        const { node } = placedNode.visible;
        return (
          <g key={node.id} class={node.id === located ? "located" : undefined} {...hovered(node)}>
            {node.kind === "group" && <ClosedGroup placed={placedNode} onToggle={() => onToggleGroup(node.id)} />}
            {node.kind === "operator" && <Operator placed={placedNode} onHover={onHover} />}
            {node.kind === "tensor" && <Tensor placed={placedNode} onClick={onClick} />}
          </g>
        );
      })}
    </>
  );
}

function pressable(label: string, press: () => void) {
  return {
    role: "button" as const,
    tabindex: 0,
    "aria-label": label,
    class: "pressable",
    onClick: press,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press();
    },
  };
}

function ClosedGroup({ placed, onToggle }: { placed: PlacedNode; onToggle: () => void }) {
  const { x, y, width, height, label, detail, visible } = placed;
  const left = x - width / 2;
  return (
    <g {...pressable(`Open ${visible.node.name}`, onToggle)}>
      <rect class="closed-group" x={left} y={y - height / 2} width={width} height={height} rx="6" />
      <text x={left + 9} y={y + 3.5}>
        {label}
      </text>
      <text class="detail" x={x + width / 2 - 22} y={y + 3.5} text-anchor="end">
        {detail}
      </text>
      <path class="sign" d={`M${x + width / 2 - 17} ${y} h8 M${x + width / 2 - 13} ${y - 4} v8`} />
    </g>
  );
}

const PARAMETER_RISE = 18;

function Operator({ placed, onHover }: { placed: PlacedNode; onHover: PictureProperties["onHover"] }) {
  const { x, y, width, label, visible } = placed;
  const { parameters } = visible;
  return (
    <>
      {parameters.map((parameter, position) => {
        const across = x + (position - (parameters.length - 1) / 2) * 10;
        return (
          <g
            key={parameter.id}
            class="parameter"
            onPointerEnter={() => onHover(parameter)}
            onPointerLeave={() => onHover(visible.node)}
          >
            <path class="edge" d={`M${across} ${y - PARAMETER_RISE + 3} V${y - OPERATOR_HEIGHT / 2}`} />
            <circle cx={across} cy={y - PARAMETER_RISE} r="3" />
            <circle class="hit" cx={across} cy={y - PARAMETER_RISE} r="6" />
          </g>
        );
      })}
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
    </>
  );
}

function Tensor({ placed, onClick }: { placed: PlacedNode; onClick: (node: GraphNode) => void }) {
  const { durable, toggleLayer } = useStore();
  const { x, y, label, detail, visible } = placed;
  const { node } = visible;
  const selected = node.layer !== "" && durable.layers.value.includes(node.layer);
  const recorded =
    node.layer === ""
      ? {}
      : {
          "data-testid": "graph-tensor",
          "data-layer": node.layer,
          "data-selected": String(selected),
          "aria-pressed": selected,
        };
  const press = () => {
    onClick(node);
    if (node.layer !== "") toggleLayer(node.layer);
  };
  const name = node.layer !== "" ? `Layer ${node.layer}` : `Tensor ${node.name}, not recorded`;
  return (
    <g
      {...pressable(name, press)}
      {...recorded}
      class={`pressable tensor${node.layer === "" ? "" : " recorded"}${selected ? " selected" : ""}`}
    >
      <circle class="hit" cx={x} cy={y} r="12" />
      {selected && <circle class="ring" cx={x} cy={y} r="9.5" />}
      <circle class="dot" cx={x} cy={y} r={selected ? TENSOR_RADIUS + 1 : TENSOR_RADIUS} />
      {label !== "" && (
        <text class="tensor-name" x={x} y={y + 22} text-anchor="middle">
          {label}
        </text>
      )}
      {detail !== "" && (
        <text class="detail" x={x} y={y + 33} text-anchor="middle">
          {detail}
        </text>
      )}
    </g>
  );
}
