/** Layout of a visible graph: labels, sizes and places. Lengths are in the graph's own units. */
import type { GraphNode } from "../contract/activis";
import type { Place } from "./graph_engine";
import type { LayoutItem, LayoutRequest, VisibleGraph, VisibleNode } from "./graph_tree";

export const OPERATOR_HEIGHT = 16;
export const TENSOR_RADIUS = 5;
export const PARAMETER_PITCH = 10;
export const PARAMETER_RISE = 18;
/** So many variables and constants stand beside an operator; its card lists them all. */
export const MOST_PARAMETERS = 6;
const GROUP_HEIGHT = 22;
const LABEL_HEIGHT = 22;
/** Of a recorded tensor, up to what is drawn above it. */
const BADGE_RISE = 20;
/** Between a tensor's name and its shape. */
const DETAIL_GAP = 5;

interface Label {
  /** Written in it or below it; empty for an inner tensor. */
  label: string;
  detail: string;
}

export interface Room {
  width: number;
  height: number;
  /** From its centre, with its label and its parameters. */
  half: number;
  above: number;
  below: number;
}

/** A tensor's shape for people: `any` where an axis has no fixed length. */
export function shapeText(shape: readonly number[], known: boolean): string {
  if (!known) return "unknown shape";
  if (shape.length === 0) return "scalar";
  return shape.map((axis) => (axis < 0 ? "any" : String(axis))).join(" × ");
}

/** What a group is called: blocks that are repeated read as one with a count. */
export const groupTitle = (group: GraphNode): string =>
  group.repeats > 0 ? `${group.name} × ${group.repeats}` : group.name;

function labelOf(visible: VisibleNode, ends: ReadonlySet<string>): Label {
  const { node, operators } = visible;
  if (node.kind === "group") return { label: shorten(groupTitle(node), 26), detail: `${operators} ops` };
  if (node.kind === "operator") return { label: shorten(node.operator || node.name, 18), detail: "" };
  const unnamed = node.layer === "" && node.layer_candidates.length === 0 && !ends.has(node.id);
  if (unnamed) return { label: "", detail: "" };
  const inner = node.has_shape ? node.shape.slice(node.shape[0] === -1 ? 1 : 0) : [];
  return { label: shorten(node.layer || node.name, 18), detail: inner.length > 0 ? shapeText(inner, true) : "" };
}

/** Tensors that come from nowhere or go nowhere: the model's inputs and outputs. */
function connectedEnds(visible: VisibleGraph): Set<string> {
  const sources = new Set(visible.edges.map((edge) => edge.source));
  const targets = new Set(visible.edges.map((edge) => edge.target));
  const ids = visible.nodes.map(({ node }) => node.id);
  return new Set(ids.filter((id) => sources.has(id) !== targets.has(id)));
}

export function roomOf({ node, parameters, recorded }: VisibleNode, { label, detail }: Label): Room {
  if (node.kind === "group") {
    return boxed(textWidth(label, 6) + textWidth(detail, 5.2) + (recorded > 0 ? 60 : 46), GROUP_HEIGHT);
  }
  if (node.kind === "operator") {
    const beside = Math.min(parameters.length, MOST_PARAMETERS) * PARAMETER_PITCH;
    const room = boxed(Math.max(44, textWidth(label, 5.3) + 14, beside), OPERATOR_HEIGHT);
    return parameters.length > 0 ? { ...room, above: PARAMETER_RISE + 4 } : room;
  }
  const dot = boxed(2 * TENSOR_RADIUS + 4, OPERATOR_HEIGHT);
  if (label === "") return dot;
  const half = (textWidth(label, 5.8) + (detail === "" ? 0 : DETAIL_GAP + textWidth(detail, 5.2))) / 2;
  const above = node.layer === "" ? dot.above : BADGE_RISE;
  return { ...dot, width: Math.max(dot.width, 1.4 * half), half, above, below: LABEL_HEIGHT };
}

const titleWidth = (group: GraphNode): number => textWidth(shorten(groupTitle(group), 60), 5.8) + 36;

const boxed = (width: number, height: number): Room => ({
  width,
  height,
  half: width / 2,
  above: height / 2,
  below: height / 2,
});

const textWidth = (text: string, perCharacter: number): number => text.length * perCharacter;

const shorten = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** x and y are its centre. */
export interface PlacedNode extends Box, Label {
  visible: VisibleNode;
}

export interface PlacedEdge {
  id: string;
  source: string;
  target: string;
  points: readonly { x: number; y: number }[];
}

export interface PlacedGraph {
  nodes: readonly PlacedNode[];
  /** Open groups, outer before inner; x and y are the upper left corner. */
  groups: readonly (Box & { node: GraphNode })[];
  edges: readonly PlacedEdge[];
  asides: VisibleGraph["asides"];
  /** What has to fit on screen. */
  bounds: Box;
  /** What of it comes first: recorded tensors, and closed groups that hold some; null where there is none. */
  recorded: Box | null;
  /** By node or open group, its box; x and y are the upper left corner. */
  boxes: ReadonlyMap<string, Box>;
}

export async function layoutGraph(visible: VisibleGraph, place: Place): Promise<PlacedGraph> {
  const ends = connectedEnds(visible);
  const labelled = visible.nodes.map((node) => {
    const label = labelOf(node, ends);
    return { visible: node, ...label, room: roomOf(node, label) };
  });
  const items = labelled.map(({ visible: { node }, room }) => itemOf(node, room));
  const { centres, boxes, routes } = await place(requestOf(visible, items));
  const nodes = labelled.map(({ room, ...node }) => ({
    ...node,
    width: room.width,
    height: room.height,
    ...(centres.get(node.visible.node.id) ?? { x: 0, y: 0 }),
  }));
  const outer = items.map((item) => outerBox(item, centres.get(item.id) ?? { x: 0, y: 0 }));
  const recorded = outer.filter((_, at) => labelled[at]?.visible.node.layer || labelled[at]?.visible.recorded);
  return {
    nodes,
    groups: visible.openGroups.map((node) => ({ node, ...(boxes.get(node.id) ?? NOWHERE) })),
    edges: visible.edges.map((edge, at) => ({
      id: `${edge.source} ${edge.target}`,
      ...edge,
      points: routes[at] ?? [],
    })),
    asides: visible.asides,
    bounds: boundsOf([...outer, ...boxes.values()]),
    recorded: recorded.length > 0 ? boundsOf(recorded) : null,
    boxes: new Map([...boxes, ...items.map(({ id }, at): [string, Box] => [id, outer[at] ?? NOWHERE])]),
  };
}

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

const itemOf = (node: GraphNode, room: Omit<LayoutItem, "id" | "parent" | "apart">): LayoutItem => ({
  id: node.id,
  parent: node.parent,
  apart: node.auxiliary,
  ...room,
});

const requestOf = (visible: VisibleGraph, items: readonly LayoutItem[]): LayoutRequest => ({
  items,
  groups: visible.openGroups.map((node) => ({
    id: node.id,
    parent: node.parent,
    title: titleWidth(node),
    apart: node.auxiliary,
  })),
  edges: visible.edges,
});

/** What a node covers with what is written beside it. */
const outerBox = ({ half, above, below }: LayoutItem, { x, y }: { x: number; y: number }): Box => ({
  x: x - half,
  y: y - above,
  width: 2 * half,
  height: above + below,
});

function boundsOf(boxes: readonly Box[]): Box {
  if (boxes.length === 0) return NOWHERE;
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0];
  for (const { x, y, width, height } of boxes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
