/** A graph seen from far away: all of one kind in one path, because thousands of elements cannot be moved smoothly. */

import { line } from "d3-shape";
import { type PlacedGraph, type PlacedNode, TENSOR_RADIUS } from "./graph_layout";

/** So many groups can be moved smoothly one by one. */
const MOST_GROUPS = 100;

export interface Outlines {
  edges: string;
  operators: string;
  tensors: string;
  groups: string;
  /** What is in none of the paths: recorded tensors, and groups where they are not too many. */
  others: readonly PlacedNode[];
}

export function outlinesOf({ nodes, edges }: PlacedGraph): Outlines {
  const kinds = new Set(["operator", "tensor"]);
  if (nodes.filter(({ visible }) => visible.node.kind === "group").length > MOST_GROUPS) kinds.add("group");
  const isOutlined = ({ visible: { node } }: PlacedNode) => kinds.has(node.kind) && node.layer === "";
  const outlined = nodes.filter(isOutlined);
  const boxesOf = (kind: string) =>
    outlined
      .filter(({ visible }) => visible.node.kind === kind)
      .map(boxPath)
      .join("");
  return {
    edges: edges.map(({ points }) => straight([...points]) ?? "").join(""),
    operators: boxesOf("operator"),
    tensors: boxesOf("tensor"),
    groups: boxesOf("group"),
    others: nodes.filter((node) => !isOutlined(node)),
  };
}

const straight = line<{ x: number; y: number }>(
  (point) => point.x,
  (point) => point.y,
).digits(1);

function boxPath({ x, y, width, height, visible }: PlacedNode): string {
  const [half, tall] = visible.node.kind === "tensor" ? [TENSOR_RADIUS, 2 * TENSOR_RADIUS] : [width / 2, height];
  return `M${(x - half).toFixed(1)} ${(y - tall / 2).toFixed(1)}h${2 * half}v${tall}h${-2 * half}z`;
}
