/** Zooming and panning of the graph, and where the camera goes when a new layout is there. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomBehavior, type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Box, PlacedGraph } from "../../draw/graph_layout";
import type { Shown } from "./session";

const MARGIN = 8;
const LEGIBLE = 0.9;
/** So small may a graph be at first for all of its recorded tensors to be in sight. */
const LEAST_LEGIBLE = 0.6;
/** Of a picture that is made taller for its recorded tensors. */
const TALLEST_AT_FIRST = 170;
const LARGEST_FIT = { usual: 1.1, tall: 2 };
/** A picture of this height is there to be looked at. */
const TALL = 240;
const SMALLEST = 0.05;
const LARGEST = 4;
/** Between what is shown and the edge of the picture, on screen. */
const ROOM = 24;

export interface Zoom {
  transform: ReadonlySignal<ZoomTransform>;
  by: (factor: number) => void;
  /** Brings all of the graph into sight, however small. */
  fit: () => void;
  /** Brings a point of the graph to the middle. */
  centre: (x: number, y: number) => void;
  /** Moves as little as is needed to have a box of the graph in sight. */
  reveal: (box: Box) => void;
}

/** Follows what is shown: fits it at first and, while the user has not moved it, whenever the element's size changes. */
export function useZoom(element: RefObject<SVGSVGElement | null>, shown: Shown): Zoom {
  const transform = useMemo(() => signal(zoomIdentity), []);
  const behaviour = useRef<ZoomBehavior<SVGSVGElement, unknown> | null>(null);
  const moved = useRef(false);
  const before = useRef<{ placed: PlacedGraph; glanced: ZoomTransform | null } | null>(null);

  const go = (next: ZoomTransform) => {
    if (element.current && behaviour.current) select(element.current).call(behaviour.current.transform, next);
  };
  const fitAll = (least: number) => {
    const svg = element.current;
    if (!svg || svg.clientWidth === 0) return;
    go(fittingTransform(shown.placed, svg.clientWidth, svg.clientHeight, least));
    moved.current = least === SMALLEST;
  };
  const reveal = (box: Box) => {
    const svg = element.current;
    if (svg) go(revealing(transform.peek(), box, svg.clientWidth, svg.clientHeight));
  };
  const latestFit = useRef(fitAll);
  latestFit.current = fitAll;

  useLayoutEffect(() => {
    const svg = element.current;
    if (!svg) return undefined;
    behaviour.current = zoom<SVGSVGElement, unknown>()
      .scaleExtent([SMALLEST, LARGEST])
      .on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
        if (event.sourceEvent) moved.current = true;
        transform.value = event.transform;
      });
    select(svg).call(behaviour.current).on("dblclick.zoom", null);
    const observer = new ResizeObserver(() => {
      if (!moved.current) latestFit.current(LEGIBLE);
    });
    observer.observe(svg);
    return () => observer.disconnect();
  }, [element, transform]);

  useLayoutEffect(() => {
    const { placed, aim } = shown;
    const old = before.current;
    const glanced = aim.kind === "glance" ? (old?.glanced ?? transform.peek()) : null;
    before.current = { placed, glanced };
    if (aim.kind === "fit") fitAll(LEGIBLE);
    if (aim.kind === "keep") {
      const [from, to] = [old?.placed.boxes.get(aim.id), placed.boxes.get(aim.id)];
      if (from && to) go(keeping(transform.peek(), from, to));
      if (to) reveal({ ...to, x: middle(transform.peek(), element.current?.clientWidth ?? 0), width: 0 });
      moved.current = true;
    }
    if (aim.kind === "show" || aim.kind === "glance") {
      const box = placed.boxes.get(aim.id);
      if (box) reveal(box);
      moved.current = true;
    }
    if (aim.kind === "return" && old?.glanced) go(old.glanced);
  }, [shown]);

  return {
    transform,
    by: (factor) => {
      if (element.current && behaviour.current) select(element.current).call(behaviour.current.scaleBy, factor);
      moved.current = true;
    },
    fit: () => fitAll(SMALLEST),
    centre: (x, y) => {
      if (element.current && behaviour.current) select(element.current).call(behaviour.current.translateTo, x, y);
      moved.current = true;
    },
    reveal,
  };
}

/** Height of a picture that has all recorded tensors in sight, as far as that leaves the panels their room. */
export const neededHeight = ({ recorded }: PlacedGraph): number =>
  Math.min(TALLEST_AT_FIRST, Math.ceil((recorded?.height ?? 0) * LEGIBLE + 2 * MARGIN));

/**
 * As large as fits but of `least` scale. A graph that is too large then begins where data enters it, but for its recorded
 * tensors, which come into sight: all of them, or the last.
 */
export function fittingTransform(
  { bounds, recorded, nodes, edges }: PlacedGraph,
  width: number,
  height: number,
  least: number,
): ZoomTransform {
  const largest = height < TALL ? LARGEST_FIT.usual : LARGEST_FIT.tall;
  const fitting = Math.min((width - 2 * MARGIN) / bounds.width, (height - 2 * MARGIN) / bounds.height, largest);
  const legible = Math.max(least, Number.isFinite(fitting) ? fitting : 1);
  const holding = recorded
    ? Math.min((width - 2 * MARGIN) / recorded.width, (height - 2 * MARGIN) / recorded.height)
    : legible;
  const scale = Math.min(legible, Math.max(holding, Math.min(least, LEAST_LEGIBLE)));
  const left = Math.max(MARGIN, (width - bounds.width * scale) / 2);
  const spare = height - bounds.height * scale;
  const joined = new Set(edges.map(({ source }) => source));
  const starts = nodes.filter(({ visible }) => joined.has(visible.node.id));
  const entry = starts.reduce((first, node) => (node.x < first.x ? node : first), {
    x: Number.POSITIVE_INFINITY,
    y: 0,
  });
  const entered = height / 2 - (entry.y - bounds.y) * scale;
  const top = spare >= 2 * MARGIN ? spare / 2 : Math.max(spare - MARGIN, Math.min(MARGIN, entered));
  const [x, y] = [left - bounds.x * scale, top - bounds.y * scale];
  const across = recorded ? inSight(x, recorded.x * scale, recorded.width * scale, width) : x;
  const down = recorded ? inSight(y, recorded.y * scale, recorded.height * scale, height) : y;
  return zoomIdentity.translate(across, down).scale(scale);
}

/** Moves by as little as brings a stretch into sight; of one that is too long the end. */
const inSight = (shift: number, from: number, length: number, available: number): number =>
  Math.min(
    available - MARGIN - from - length,
    Math.max(shift, Math.min(MARGIN - from, available - MARGIN - from - length)),
  );

/** The middle of a box's left side, where the data enters, stays where it is on screen. */
function keeping(transform: ZoomTransform, from: Box, to: Box): ZoomTransform {
  return transform.translate(from.x - to.x, from.y + from.height / 2 - (to.y + to.height / 2));
}

/** Somewhere in the middle of the picture, so that revealing moves it up and down alone. */
const middle = (transform: ZoomTransform, width: number): number => transform.invertX(width / 2);

/** A box that is larger than the picture begins at its left upper corner. */
function revealing(transform: ZoomTransform, box: Box, width: number, height: number): ZoomTransform {
  const shift = (low: number, high: number, available: number) =>
    low < ROOM || high - low > available - 2 * ROOM ? ROOM - low : Math.min(0, available - ROOM - high);
  const [left, top] = transform.apply([box.x, box.y]);
  const [right, bottom] = transform.apply([box.x + box.width, box.y + box.height]);
  const inSight = left >= 0 && right <= width && top >= 0 && bottom <= height;
  if (inSight) return transform;
  return zoomIdentity
    .translate(transform.x + shift(left, right, width), transform.y + shift(top, bottom, height))
    .scale(transform.k);
}
