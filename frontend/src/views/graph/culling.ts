/** Which part of a large graph is drawn: what is on screen and a margin around it. */

import type { ZoomTransform } from "d3-zoom";
import type { Box, PlacedEdge, PlacedGraph, PlacedNode } from "../../draw/graph_layout";

/** What is drawn changes only when the picture was moved so far: on screen, between half and all of that. */
const TILE = 512;

/** Returns the part of the graph that a picture of this size shows, in whole tiles and one more on each side. */
export function tilesInSight({ x, y, k }: ZoomTransform, width: number, height: number): Box {
  const tile = TILE / 2 ** Math.floor(Math.log2(k));
  const [left, top] = [Math.floor(-x / k / tile) - 1, Math.floor(-y / k / tile) - 1];
  return {
    x: left * tile,
    y: top * tile,
    width: (Math.ceil(width / k / tile) + 3) * tile,
    height: (Math.ceil(height / k / tile) + 3) * tile,
  };
}

export const overlaps = (first: Box, second: Box): boolean =>
  first.x <= second.x + second.width &&
  second.x <= first.x + first.width &&
  first.y <= second.y + second.height &&
  second.y <= first.y + first.height;

export interface Drawn {
  nodes: readonly PlacedNode[];
  edges: readonly PlacedEdge[];
}

/** Recorded tensors are always there, so that the Tab key finds them. */
export function drawnIn(placed: PlacedGraph, sight: Box): Drawn {
  const inSight = ({ visible }: PlacedNode) => {
    const box = placed.boxes.get(visible.node.id);
    return visible.node.layer !== "" || (box !== undefined && overlaps(box, sight));
  };
  return { nodes: placed.nodes.filter(inSight), edges: placed.edges.filter((edge) => overlaps(spanOf(edge), sight)) };
}

const spans = new WeakMap<PlacedEdge, Box>();

function spanOf(edge: PlacedEdge): Box {
  const known = spans.get(edge);
  if (known) return known;
  const [xs, ys] = [edge.points.map(({ x }) => x), edge.points.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const span = { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
  spans.set(edge, span);
  return span;
}
