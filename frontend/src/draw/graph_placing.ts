/**
 * Placement of a graph, level by level, by dagre, in a worker; where there are no workers this file is imported instead.
 * Levels that were placed before are remembered.
 */

import { Graph as LayoutGraph, layout } from "@dagrejs/dagre";
import { edgeKey, type LayoutItem, type LayoutRequest, type Level, type Step, sortIntoLevels } from "./graph_tree";

export interface Point {
  x: number;
  y: number;
}

interface PlacedLevel {
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
/** Between nodes that stand below each other. */
const ROW_GAP = 10;
/** Width to height that loose items are set in. */
const LOOSE_ASPECT = 4;

const remembered = new Map<string, PlacedLevel>();

function placeLevel(level: Level): PlacedLevel {
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
  graph.setGraph({ rankdir: "LR", nodesep: ROW_GAP, ranksep: 15, edgesep: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const item of items) graph.setNode(item.id, { width: item.width, height: heightOf(item) });
  for (const step of edges) addEdge(graph, step);
  if (edges.length > 0) layout(graph);
  const heights = new Map(items.map(({ id, height }) => [id, height]));
  for (const { id } of items) centres.set(id, pointAt(graph, id));
  return new Map(edges.map((step) => [edgeKey(step), routeOf(graph, step, heights)]));
}

/** With what is written below it, or stands above, as far as that is more than the gap. */
const heightOf = ({ height, above, below }: LayoutItem): number =>
  Math.max(height, 2 * Math.max(above, below) - ROW_GAP);

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

/** Begins and ends at what is drawn, not at what is written below it. */
function routeOf(graph: LayoutGraph, { source, target }: Step, heights: ReadonlyMap<string, number>): Point[] {
  const points = (graph.edge(source, target) as { points?: Point[] }).points ?? [];
  const beside = (id: string, { x, y }: Point): Point => {
    const [middle, reach] = [pointAt(graph, id).y, (heights.get(id) ?? 0) / 2];
    return { x, y: Math.min(middle + reach, Math.max(middle - reach, y)) };
  };
  return points.map((point, at) =>
    at === 0 ? beside(source, point) : at === points.length - 1 ? beside(target, point) : point,
  );
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

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LayoutResult {
  /** By item, its centre. */
  centres: Map<string, Point>;
  /** By open group, its box; x and y are the upper left corner. */
  boxes: Map<string, Rectangle>;
  /** By edge of the request, the points it goes through. */
  routes: Point[][];
}

const PADDING = { side: 10, top: 22, bottom: 9 };
const APART_GAP = 40;

export function placeGraph(request: LayoutRequest): LayoutResult {
  const { levels, passages } = sortIntoLevels(request);
  const placed = new Map<string, PlacedLevel>();
  const sizes = new Map<string, Pick<Rectangle, "width" | "height">>();
  for (const { id, title } of [...request.groups].reverse()) {
    const inner = placeLevel(withSizes(levels.get(id) as Level, sizes));
    placed.set(id, inner);
    const width = Math.max(inner.width + 2 * PADDING.side, title);
    sizes.set(id, { width, height: inner.height + PADDING.top + PADDING.bottom });
  }
  placed.set("", placeTop(withSizes(levels.get("") as Level, sizes)));
  const boxes = findBoxes(request, placed, sizes);
  const centres = new Map(
    request.items.map((item) => [item.id, absolute(item.parent, placed.get(item.parent)?.centres.get(item.id), boxes)]),
  );
  return { centres, boxes, routes: passages.map((steps) => routeThrough(steps, placed, boxes)) };
}

function withSizes({ items, edges }: Level, sizes: ReadonlyMap<string, { width: number; height: number }>): Level {
  const sized = items.map((item): LayoutItem => {
    const size = sizes.get(item.id);
    return size ? { ...item, ...size, half: size.width / 2, above: size.height / 2, below: size.height / 2 } : item;
  });
  return { items: sized, edges };
}

/** What stands apart has a row of its own below the model. */
function placeTop({ items, edges }: Level): PlacedLevel {
  const model = placeLevel({ items: items.filter((item) => !item.apart), edges });
  const apart = placeLevel({ items: items.filter((item) => item.apart), edges: new Map() });
  const drop = model.height === 0 ? 0 : model.height + APART_GAP;
  const dropped = [...apart.centres].map(([id, { x, y }]): [string, Point] => [id, { x, y: y + drop }]);
  return {
    width: Math.max(model.width, apart.width),
    height: drop + apart.height,
    centres: new Map([...model.centres, ...dropped]),
    routes: model.routes,
  };
}

function findBoxes(
  request: LayoutRequest,
  placed: ReadonlyMap<string, PlacedLevel>,
  sizes: ReadonlyMap<string, { width: number; height: number }>,
): Map<string, Rectangle> {
  const boxes = new Map<string, Rectangle>();
  for (const { id, parent } of request.groups) {
    const { x, y } = absolute(parent, placed.get(parent)?.centres.get(id), boxes);
    const { width, height } = sizes.get(id) as Rectangle;
    boxes.set(id, { x: x - width / 2, y: y - height / 2, width, height });
  }
  return boxes;
}

function absolute(group: string, { x, y }: Point = { x: 0, y: 0 }, boxes: ReadonlyMap<string, Rectangle>): Point {
  const box = boxes.get(group);
  return box ? { x: x + box.x + PADDING.side, y: y + box.y + PADDING.top } : { x, y };
}

/** Joins the steps of an edge: where it goes through a border, it does so at the height of its port. */
function routeThrough(
  steps: readonly Step[],
  placed: ReadonlyMap<string, PlacedLevel>,
  boxes: ReadonlyMap<string, Rectangle>,
): Point[] {
  const route: Point[] = [];
  for (const step of steps) {
    const inner = placed.get(step.group)?.routes.get(edgeKey(step)) ?? [];
    const points = inner.map((point) => absolute(step.group, point, boxes));
    const box = boxes.get(step.group);
    // The ends at open groups' borders are dagre's guess; the ports say better where they are.
    if (step.port === "entry" && box) points.splice(0, 1, { x: box.x, y: points[0]?.y ?? box.y });
    if (step.port === "exit" && box) points.splice(-1, 1, { x: box.x + box.width, y: points.at(-1)?.y ?? box.y });
    if (step.port !== "exit" && boxes.has(step.target)) points.pop();
    if (step.port !== "entry" && boxes.has(step.source)) points.shift();
    route.push(...points);
  }
  return route;
}

if (typeof document === "undefined") {
  self.onmessage = ({ data }: MessageEvent<{ number: number; request: LayoutRequest }>) => {
    self.postMessage({ number: data.number, result: placeGraph(data.request) });
  };
}
