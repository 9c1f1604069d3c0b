/** Places one level of a graph with dagre. Levels that were placed before are remembered. */

import { Graph as LayoutGraph, layout } from "@dagrejs/dagre";
import type { LayoutItem, Level, Step } from "./graph_levels";
import { edgeKey } from "./graph_levels";

export interface Point {
  x: number;
  y: number;
}

export interface PlacedLevel {
  width: number;
  height: number;
  /** By item, its centre; (0, 0) is the upper left corner of all of them with what is written beside them. */
  centres: Map<string, Point>;
  /** By edge, the points that it goes through. */
  routes: Map<string, Point[]>;
}

const REMEMBERED = 400;
const LEFT = "\0left";
const RIGHT = "\0right";
const GAP = 24;
/** Width to height that loose items are set in. */
const LOOSE_ASPECT = 4;

const remembered = new Map<string, PlacedLevel>();

export function placeLevel(level: Level): PlacedLevel {
  const key = JSON.stringify([level.items, [...level.edges.values()]]);
  const placed = remembered.get(key) ?? placeAnew(level);
  remembered.delete(key);
  remembered.set(key, placed);
  const oldest = remembered.keys().next().value;
  if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  return placed;
}

function placeAnew({ items, edges }: Level): PlacedLevel {
  const joined = new Set([...edges.values()].flatMap(({ source, target }) => [source, target]));
  const centres = new Map<string, Point>();
  const routes = placeJoined(
    items.filter((item) => joined.has(item.id)),
    [...edges.values()],
    centres,
  );
  const bottom = Math.max(0, ...items.map((item) => (centres.get(item.id)?.y ?? -GAP) + item.below + GAP));
  placeLoose(
    items.filter((item) => !joined.has(item.id)),
    bottom,
    centres,
  );
  return movedToOrigin(items, centres, routes);
}

function placeJoined(items: readonly LayoutItem[], edges: readonly Step[], centres: Map<string, Point>) {
  const graph = new LayoutGraph();
  graph.setGraph({ rankdir: "LR", nodesep: GAP, ranksep: 15, edgesep: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of items) graph.setNode(id, { width, height });
  for (const step of edges) addEdge(graph, step);
  if (edges.length > 0) layout(graph);
  for (const { id } of items) centres.set(id, pointAt(graph, id));
  return new Map(edges.map((step) => [edgeKey(step), routeOf(graph, step)]));
}

/** Ports are held at the left and at the right end. */
function addEdge(graph: LayoutGraph, { source, target, port }: Step): void {
  graph.setEdge(source, target);
  const name = port === "entry" ? source : target;
  if (port === null || graph.node(name)) return;
  graph.setNode(name, { width: 0, height: 2 });
  graph.setNode(port === "entry" ? LEFT : RIGHT, { width: 0, height: 0 });
  graph.setEdge(port === "entry" ? LEFT : name, port === "entry" ? name : RIGHT, { weight: 4 });
}

const pointAt = (graph: LayoutGraph, id: string): Point => {
  const { x = 0, y = 0 } = graph.node(id) as Partial<Point>;
  return { x, y };
};

function routeOf(graph: LayoutGraph, { source, target }: Step): Point[] {
  return (graph.edge(source, target) as { points?: Point[] }).points ?? [];
}

/** In rows, as the eye reads. */
function placeLoose(items: readonly LayoutItem[], top: number, centres: Map<string, Point>): void {
  const area = items.reduce((sum, { half, above, below }) => sum + (2 * half + GAP) * (above + below + GAP), 0);
  const width = Math.sqrt(area * LOOSE_ASPECT);
  let [x, y, tallest] = [0, top, 0];
  for (const { id, half, above, below } of items) {
    if (x > 0 && x + 2 * half > width) [x, y, tallest] = [0, y + tallest + GAP, 0];
    centres.set(id, { x: x + half, y: y + above });
    x += 2 * half + GAP;
    tallest = Math.max(tallest, above + below);
  }
}

function movedToOrigin(
  items: readonly LayoutItem[],
  centres: ReadonlyMap<string, Point>,
  routes: ReadonlyMap<string, Point[]>,
): PlacedLevel {
  const box = { left: Number.POSITIVE_INFINITY, top: Number.POSITIVE_INFINITY, right: 0, bottom: 0 };
  for (const { id, half, above, below } of items) {
    const { x, y } = centres.get(id) as Point;
    box.left = Math.min(box.left, x - half);
    box.top = Math.min(box.top, y - above);
    box.right = Math.max(box.right, x + half);
    box.bottom = Math.max(box.bottom, y + below);
  }
  if (items.length === 0) return { width: 0, height: 0, centres: new Map(), routes: new Map() };
  const moved = ({ x, y }: Point) => ({ x: x - box.left, y: y - box.top });
  return {
    width: box.right - box.left,
    height: box.bottom - box.top,
    centres: new Map([...centres].map(([id, point]) => [id, moved(point)])),
    routes: new Map([...routes].map(([key, points]) => [key, points.map(moved)])),
  };
}
