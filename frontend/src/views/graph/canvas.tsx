/** Canvas of the graph with its camera: panned, zoomed, walked by keyboard, with a minimap. */

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { ZoomTransform } from "d3-zoom";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Box, PlacedGraph } from "../../draw/graph_layout";
import { nodeOf } from "../../draw/graph_tree";
import { useSnapshot } from "../../ui/context";
import { deferred } from "../../ui/deferred";
import { Icon } from "../../ui/glyphs";
import { type Size, useSize } from "../../ui/surface";
import { GraphPicture, tilesInSight } from "./picture";
import type { GraphSession, Shown } from "./session";
import { useZoom, type Zoom } from "./zoom";

type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** Steps aside count double, so that a row is followed before it is left. */
const ASIDE = 2;

const isDirection = (key: string): key is Direction =>
  key === "ArrowLeft" || key === "ArrowRight" || key === "ArrowUp" || key === "ArrowDown";

/** Returns the id of the nearest node or title of an open group in a direction; null where there is none. */
export function nodeBeside({ nodes, groups }: PlacedGraph, id: string, direction: Direction): string | null {
  const places = new Map([
    ...groups.map(({ node, ...box }): [string, Place] => [node.id, titleOf(box)]),
    ...nodes.map(({ visible, x, y }): [string, Place] => [visible.node.id, { x, y }]),
  ]);
  const from = places.get(id);
  if (!from) return null;
  let [best, nearest] = [null as string | null, Number.POSITIVE_INFINITY];
  for (const [other, place] of places) {
    const { ahead, aside } = distance(from, place, direction);
    if (other === id || ahead <= 0 || ahead + ASIDE * aside >= nearest) continue;
    [best, nearest] = [other, ahead + ASIDE * aside];
  }
  return best;
}

interface Place {
  x: number;
  y: number;
}

const titleOf = ({ x, y }: Box): Place => ({ x: x + 20, y: y + 10 });

function distance(from: Place, to: Place, direction: Direction): { ahead: number; aside: number } {
  const [right, down] = [to.x - from.x, to.y - from.y];
  if (direction === "ArrowRight") return { ahead: right, aside: Math.abs(down) };
  if (direction === "ArrowLeft") return { ahead: -right, aside: Math.abs(down) };
  return { ahead: direction === "ArrowDown" ? down : -down, aside: Math.abs(right) };
}

const Minimap = deferred(async () => (await import("./minimap")).Minimap);

function isWhole(bounds: Box, { x, y, k }: ZoomTransform, { width, height }: Size): boolean {
  const [left, top] = [bounds.x * k + x, bounds.y * k + y];
  return left >= -1 && top >= -1 && left + bounds.width * k <= width + 1 && top + bounds.height * k <= height + 1;
}

/** There where not all of the graph is in sight. */
function MinimapOfParts({ zoom, ...properties }: { placed: PlacedGraph; zoom: Zoom; size: Size }) {
  const { placed, size } = properties;
  return isWhole(placed.bounds, zoom.transform.value, size) ? null : <Minimap zoom={zoom} {...properties} />;
}

/** On screen, names are smaller than can be read below this scale. */
const FAR = 0.35;

export function GraphCanvas({ session, shown }: { session: GraphSession; shown: Shown }) {
  const [element, size] = useSize<SVGSVGElement>();
  const zoom = useZoom(element, shown);
  const sight = useSight(zoom.transform, size);
  const far = useComputed(() => zoom.transform.value.k < FAR);
  useGlances(session);
  return (
    <div class="graph-frame">
      <svg
        ref={element}
        class={far.value ? "graph-canvas far" : "graph-canvas"}
        data-nodes={shown.placed.nodes.length}
        aria-label="Graph, left to right; arrow keys go from node to node"
        onKeyDown={walkBetween(session, shown, zoom)}
      >
        <Zoomed transform={zoom.transform}>
          <GraphPicture placed={shown.placed} session={session} sight={sight} far={far} />
        </Zoomed>
      </svg>
      <ZoomButtons zoom={zoom} />
      <MinimapOfParts placed={shown.placed} zoom={zoom} size={size} />
    </div>
  );
}

/** The part of the graph that is drawn; it changes by whole tiles. */
function useSight(transform: ReadonlySignal<ZoomTransform>, size: Size): ReadonlySignal<Box> {
  const latest = useSignal(size);
  useLayoutEffect(() => {
    latest.value = size;
  }, [size]);
  const last = useRef<Box>({ x: 0, y: 0, width: 0, height: 0 });
  return useComputed(() => {
    const next = tilesInSight(transform.value, latest.value.width, latest.value.height);
    const same = (Object.keys(next) as (keyof Box)[]).every((side) => next[side] === last.current[side]);
    if (!same) last.current = next;
    return last.current;
  });
}

/** Moves what it holds without drawing it again. */
function Zoomed({ transform, children }: { transform: ReadonlySignal<ZoomTransform>; children: ComponentChildren }) {
  return <g transform={transform.value.toString()}>{children}</g>;
}

/** The arrow keys go to the nearest node and take the picture along. */
function walkBetween(session: GraphSession, { placed }: Shown, zoom: Zoom) {
  return (event: KeyboardEvent & { currentTarget: SVGSVGElement }) => {
    const from = (event.target as Element).closest("[data-node]")?.getAttribute("data-node");
    if (!from || !isDirection(event.key)) return;
    event.preventDefault();
    const next = nodeBeside(placed, from, event.key);
    const box = next && placed.boxes.get(next);
    if (!next || !box) return;
    zoom.reveal(box);
    session.point(nodeOf(session.index, next));
    const svg = event.currentTarget;
    // What comes into sight by that is drawn before the next frame.
    requestAnimationFrame(() => {
      svg.querySelector<SVGElement>(`[data-node="${CSS.escape(next)}"] [role=button]`)?.focus();
    });
  };
}

/** Follows the neighbours' names in the panels. */
function useGlances(session: GraphSession): void {
  const { hover } = useSnapshot();
  const pointed = useComputed(() => hover.value?.node ?? null).value;
  useEffect(() => session.glance(pointed), [session, pointed]);
}

function ZoomButtons({ zoom }: { zoom: Zoom }) {
  return (
    <span class="button-group zoom-buttons" data-unprinted>
      <button type="button" aria-label="Zoom out" onClick={() => zoom.by(1 / 1.4)}>
        <Icon name="minus" />
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => zoom.by(1.4)}>
        <Icon name="plus" />
      </button>
      <button type="button" aria-label="Fit the graph" onClick={zoom.fit}>
        <Icon name="fit" />
      </button>
    </span>
  );
}
