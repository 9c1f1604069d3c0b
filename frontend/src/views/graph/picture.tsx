/** Draws the part of the placed graph that is in sight as SVG, so that every node can be focused, named and clicked. */

import { type ReadonlySignal, useComputed } from "@preact/signals";
import { curveMonotoneX, line } from "d3-shape";
import type { VNode } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import type { Box, PlacedEdge, PlacedGraph } from "../../draw/graph_layout";
import { type Outlines, outlinesOf } from "../../draw/graph_outlines";
import { Asides } from "./asides";
import { drawnIn } from "./culling";
import { Node, OpenGroup } from "./nodes";
import type { GraphSession } from "./session";

interface PictureProperties {
  placed: PlacedGraph;
  session: GraphSession;
  /** The part of the graph that is drawn. */
  sight: ReadonlySignal<Box>;
  /** Whether it is seen from so far away that outlines do. */
  far: ReadonlySignal<boolean>;
}

const curve = line<{ x: number; y: number }>(
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
        part(`edge ${edge.id}`, () => <path key={edge.id} class={edgeClass(edge)} d={curve([...edge.points]) ?? ""} />),
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
