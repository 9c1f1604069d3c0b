/** A visible graph with a place for everything in it. Lengths in the graph's own pixels, before zooming. */

import type { GraphNode } from "../contract/activis";
import type { Place } from "./graph_engine";
import { connectedEnds, type Label, labelOf, roomOf, titleWidth } from "./graph_labels";
import type { LayoutItem, LayoutRequest } from "./graph_levels";
import type { VisibleGraph, VisibleNode } from "./graph_tree";

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
