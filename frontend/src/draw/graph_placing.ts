/**
 * Places a graph from left to right, every open group for itself: opening one makes room in the groups around it and
 * changes the order of nothing. This file is a worker's; where there are no workers it is imported instead.
 */

import { type PlacedLevel, type Point, placeLevel } from "./graph_level";
import { edgeKey, type LayoutItem, type LayoutRequest, type Level, type Step, sortIntoLevels } from "./graph_levels";

export interface Rectangle {
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
