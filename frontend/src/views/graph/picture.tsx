/** Picture of the graph as SVG: the part in sight, its edges, and outlines from far away. */

import { type ReadonlySignal, useComputed } from "@preact/signals";
import { curveMonotoneX, line, linkHorizontal } from "d3-shape";
import type { ZoomTransform } from "d3-zoom";
import type { VNode } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { type Box, type PlacedEdge, type PlacedGraph, type PlacedNode, TENSOR_RADIUS } from "../../draw/graph_layout";
import type { VisibleGraph } from "../../draw/graph_tree";
import { Node, OpenGroup } from "./nodes";
import type { GraphSession } from "./session";

/** So many groups can be moved smoothly one by one. */
const MOST_GROUPS = 100;

interface Outlines {
  edges: string;
  operators: string;
  tensors: string;
  groups: string;
  /** What is in none of the paths: recorded tensors, and groups where they are not too many. */
  others: readonly PlacedNode[];
}

function outlinesOf({ nodes, edges }: PlacedGraph): Outlines {
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

interface Drawn {
  nodes: readonly PlacedNode[];
  edges: readonly PlacedEdge[];
}

/** Recorded tensors are always there, so that the Tab key finds them. */
function drawnIn(placed: PlacedGraph, sight: Box): Drawn {
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

type Aside = VisibleGraph["asides"][number];

/** All of them at once can be read only so far. */
const MOST = 2_000;

const asideCurve = linkHorizontal<{ from: Point; to: Point }, Point>()
  .source(({ from }) => from)
  .target(({ to }) => to);

type Point = [number, number];

function Asides({ placed, session }: { placed: PlacedGraph; session: GraphSession }) {
  const attended = (session.hovered.value ?? session.chosen.value)?.id;
  const all = session.controls.value;
  const shown = placed.asides.filter(
    ({ control, source, target }) => (all && control) || source === attended || target === attended,
  );
  return (
    <>
      {shown.slice(0, MOST).map((aside) => (
        <path
          key={`${aside.source} ${aside.target}`}
          class={aside.control ? "edge control" : "edge aside"}
          data-testid="graph-aside"
          d={pathOf(aside, placed.boxes)}
        />
      ))}
    </>
  );
}

function pathOf({ source, target }: Aside, boxes: ReadonlyMap<string, Box>): string {
  const [from, to] = [boxes.get(source), boxes.get(target)];
  if (!from || !to) return "";
  const middle = ({ y, height }: Box) => y + height / 2;
  return asideCurve({ from: [from.x + from.width, middle(from)], to: [to.x, middle(to)] }) ?? "";
}

interface PictureProperties {
  placed: PlacedGraph;
  session: GraphSession;
  /** The part of the graph that is drawn. */
  sight: ReadonlySignal<Box>;
  /** Whether it is seen from so far away that outlines do. */
  far: ReadonlySignal<boolean>;
}

const edgeCurve = line<{ x: number; y: number }>(
  (point) => point.x,
  (point) => point.y,
).curve(curveMonotoneX);

export function GraphPicture({ placed, session, sight, far }: PictureProperties) {
  const outlines = far.value ? outlinesFor(placed) : null;
  const drawn = outlines ? { nodes: outlines.others, edges: [] } : drawnIn(placed, sight.value);
  const tabStop = useMemo(() => tabStops(placed), [placed]);
  // A part that was drawn before is handed over as it was, so that moving the picture draws only what comes into sight.
  const parts = useMemo(() => new Map<string, VNode>(), [placed]);
  const part = (key: string, make: () => VNode) => {
    const made = parts.get(key) ?? make();
    parts.set(key, made);
    return made;
  };
  useLocatedMark(session, [placed, drawn]);
  return (
    <>
      {placed.groups.map((group) => (
        <OpenGroup key={group.node.id} group={group} session={session} tabStop={tabStop(group.node.id)} />
      ))}
      {outlines && <Outlined outlines={outlines} />}
      {drawn.edges.map((edge) =>
        part(`edge ${edge.id}`, () => (
          <path key={edge.id} class={edgeClass(edge)} d={edgeCurve([...edge.points]) ?? ""} />
        )),
      )}
      <Asides placed={placed} session={session} />
      {drawn.nodes.map((node) => {
        const { id } = node.visible.node;
        return part(id, () => <Node key={id} placed={node} session={session} tabStop={tabStop(id)} />);
      })}
    </>
  );
}

const outlines = new WeakMap<PlacedGraph, Outlines>();

function outlinesFor(placed: PlacedGraph): Outlines {
  const made = outlines.get(placed) ?? outlinesOf(placed);
  outlines.set(placed, made);
  return made;
}

const Outlined = ({ outlines: { edges, operators, tensors, groups } }: { outlines: Outlines }) => (
  <>
    <path class="edge" d={edges} />
    <path class="operator" d={operators} />
    <path class="outlined-tensors" d={tensors} />
    <path class="closed-group" d={groups} />
  </>
);

const edgeClass = ({ points }: PlacedEdge): string =>
  (points.at(-1)?.x ?? 0) < (points[0]?.x ?? 0) ? "edge backwards" : "edge";

/** The Tab key stops at recorded tensors; where there are none, at the first node. */
function tabStops(placed: PlacedGraph): (id: string) => boolean {
  const recorded = placed.nodes.filter(({ visible }) => visible.node.layer !== "");
  const stops = new Set(
    (recorded.length > 0 ? recorded : placed.nodes.slice(0, 1)).map(({ visible }) => visible.node.id),
  );
  return (id) => stops.has(id);
}

/** Marks the located node where it is drawn, without drawing anything again. */
function useLocatedMark(session: GraphSession, drawn: readonly unknown[]): void {
  const located = useComputed(() => session.located.value).value;
  useLayoutEffect(() => {
    if (located === null) return undefined;
    const element = document.querySelector(`.graph-canvas [data-node="${CSS.escape(located)}"]`);
    element?.classList.add("located");
    return () => element?.classList.remove("located");
  }, [located, ...drawn]);
}
