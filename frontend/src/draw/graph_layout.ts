/** Places the visible graph from left to right with dagre. Lengths in the graph's own pixels, before zooming. */

import { Graph as LayoutGraph, layout } from "@dagrejs/dagre";
import type { GraphNode } from "../contract/activis";
import type { VisibleGraph, VisibleNode } from "./graph_tree";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedNode extends Box {
  visible: VisibleNode;
  /** What is written in it or below it; empty for an inner tensor. */
  label: string;
  detail: string;
}

export interface PlacedGraph {
  nodes: readonly PlacedNode[];
  /** Boxes of the open groups, outer before inner; x and y are the upper left corner. */
  groups: readonly (Box & { node: GraphNode })[];
  edges: readonly { id: string; source: string; target: string; points: readonly { x: number; y: number }[] }[];
  /** What has to fit on screen. */
  bounds: Box;
}

export const OPERATOR_HEIGHT = 16;
export const TENSOR_RADIUS = 5;
const GROUP_HEIGHT = 22;
const GROUP_PADDING = { side: 10, top: 21, bottom: 9 };
const LABEL_HEIGHT = 26;

export function layoutGraph(visible: VisibleGraph): PlacedGraph {
  const graph = new LayoutGraph({ compound: true });
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 15, edgesep: 10, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const ends = connectedEnds(visible);
  for (const group of visible.openGroups) graph.setNode(group.id, { width: 0, height: 0 });
  const labelled = visible.nodes.map((node) => ({ visible: node, ...labelOf(node, ends) }));
  for (const { visible: node, label } of labelled) graph.setNode(node.node.id, sizeOf(node, label));
  for (const node of [...visible.openGroups, ...visible.nodes.map((node) => node.node)]) {
    if (node.parent !== "") graph.setParent(node.id, node.parent);
  }
  for (const edge of visible.edges) graph.setEdge(edge.source, edge.target);
  layout(graph);

  const nodes = labelled.map((node) => ({ ...node, ...boxOf(graph.node(node.visible.node.id)) }));
  const groups = placeGroups(visible, nodes);
  const edges = visible.edges.map((edge) => ({
    id: `${edge.source} ${edge.target}`,
    ...edge,
    points: (graph.edge(edge.source, edge.target) as { points?: { x: number; y: number }[] })?.points ?? [],
  }));
  return { nodes, groups, edges, bounds: boundsOf([...nodes.map(outerBox), ...groups]) };
}

/** A tensor's shape for people: `?` where an axis is unknown, without the batch axis if `batch` is unknown too. */
export function shapeText(shape: readonly number[], known: boolean): string {
  if (!known) return "unknown shape";
  if (shape.length === 0) return "scalar";
  return shape.map((axis) => (axis < 0 ? "?" : String(axis))).join(" × ");
}

function labelOf(visible: VisibleNode, ends: ReadonlySet<string>): { label: string; detail: string } {
  const { node, operators } = visible;
  if (node.kind === "group") return { label: shorten(node.name, 22), detail: `${operators} ops` };
  if (node.kind === "operator") return { label: shorten(node.operator || node.name, 18), detail: "" };
  if (node.layer === "" && !ends.has(node.id)) return { label: "", detail: "" };
  const inner = node.has_shape ? node.shape.slice(node.shape[0] === -1 ? 1 : 0) : [];
  return { label: shorten(node.layer || node.name, 18), detail: inner.length > 0 ? shapeText(inner, true) : "" };
}

/** Tensors that come from nowhere or go nowhere: the model's inputs and outputs. */
function connectedEnds(visible: VisibleGraph): Set<string> {
  const sources = new Set(visible.edges.map((edge) => edge.source));
  const targets = new Set(visible.edges.map((edge) => edge.target));
  const ids = visible.nodes.map(({ node }) => node.id);
  return new Set(ids.filter((id) => !sources.has(id) || !targets.has(id)));
}

function sizeOf({ node, parameters }: VisibleNode, label: string): { width: number; height: number } {
  if (node.kind === "group") return { width: textWidth(label, 6.2) + 74, height: GROUP_HEIGHT };
  if (node.kind === "operator") {
    return { width: Math.max(44, textWidth(label, 5.3) + 14, parameters.length * 9), height: OPERATOR_HEIGHT };
  }
  return { width: 2 * TENSOR_RADIUS + 4, height: OPERATOR_HEIGHT };
}

const boxOf = (node: Partial<Box> | undefined): Box => ({
  x: node?.x ?? 0,
  y: node?.y ?? 0,
  width: node?.width ?? 0,
  height: node?.height ?? 0,
});

/** What a node covers with its label and its parameters. */
function outerBox(node: PlacedNode): Box {
  const isTensor = node.visible.node.kind === "tensor";
  const halfLabel = isTensor ? textWidth(node.label, 5.8) / 2 : 0;
  const half = Math.max(node.width / 2, halfLabel);
  const above = node.height / 2 + (node.visible.parameters.length > 0 ? 16 : 0);
  const below = isTensor && node.label !== "" ? LABEL_HEIGHT + 6 : node.height / 2;
  return { x: node.x - half, y: node.y - above, width: 2 * half, height: above + below };
}

function placeGroups(visible: VisibleGraph, nodes: readonly PlacedNode[]): (Box & { node: GraphNode })[] {
  const boxes = new Map<string, Box[]>();
  const add = (parent: string, box: Box) => boxes.set(parent, [...(boxes.get(parent) ?? []), box]);
  for (const node of nodes) add(node.visible.parent, outerBox(node));
  const placed = [...visible.openGroups].reverse().map((group) => {
    const inner = boundsOf(boxes.get(group.id) ?? []);
    const width = Math.max(inner.width + 2 * GROUP_PADDING.side, textWidth(group.name, 5.8) + 36);
    const box = {
      x: inner.x - (width - inner.width) / 2,
      y: inner.y - GROUP_PADDING.top,
      width,
      height: inner.height + GROUP_PADDING.top + GROUP_PADDING.bottom,
    };
    add(group.parent, box);
    return { ...box, node: group };
  });
  return placed.reverse();
}

function boundsOf(boxes: readonly Box[]): Box {
  if (boxes.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

const textWidth = (text: string, perCharacter: number): number => text.length * perCharacter;

const shorten = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);
