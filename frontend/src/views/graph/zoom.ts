/** Zooming and panning of the graph. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Box } from "../../draw/graph_layout";

const MARGIN = 8;
const LEGIBLE = 0.6;
const LARGEST_FIT = 1.1;

export interface Zoom {
  /** An SVG transform. */
  transform: ReadonlySignal<string>;
  by: (factor: number) => void;
  fit: () => void;
  /** Brings a point of the graph to the middle. */
  centre: (x: number, y: number) => void;
}

/** Fits `bounds` at first, whenever they change and, while the user has not moved it, whenever the element's size does. */
export function useZoom(element: RefObject<SVGSVGElement | null>, bounds: Box): Zoom {
  const transform = useMemo(() => signal(""), []);
  const behaviour = useRef<ZoomBehavior<SVGSVGElement, unknown> | null>(null);
  const moved = useRef(false);

  const fit = () => {
    const svg = element.current;
    if (!svg || svg.clientWidth === 0 || !behaviour.current) return;
    select(svg).call(behaviour.current.transform, fittingTransform(bounds, svg.clientWidth, svg.clientHeight));
    moved.current = false;
  };
  const latestFit = useRef(fit);
  latestFit.current = fit;

  useLayoutEffect(() => {
    const svg = element.current;
    if (!svg) return undefined;
    behaviour.current = zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.1, 4])
      .on("zoom", (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
        if (event.sourceEvent) moved.current = true;
        transform.value = event.transform.toString();
      });
    select(svg).call(behaviour.current).on("dblclick.zoom", null);
    const observer = new ResizeObserver(() => {
      if (!moved.current) latestFit.current();
    });
    observer.observe(svg);
    return () => observer.disconnect();
  }, [element, transform]);

  useLayoutEffect(() => latestFit.current(), [bounds.x, bounds.y, bounds.width, bounds.height]);

  return {
    transform,
    by: (factor) => {
      if (element.current && behaviour.current) select(element.current).call(behaviour.current.scaleBy, factor);
      moved.current = true;
    },
    fit,
    centre: (x, y) => {
      if (element.current && behaviour.current) select(element.current).call(behaviour.current.translateTo, x, y);
      moved.current = true;
    },
  };
}

/** As large as fits but never too small to read; a graph that is too wide then begins at its left end. */
function fittingTransform(bounds: Box, width: number, height: number) {
  const fitting = Math.min((width - 2 * MARGIN) / bounds.width, (height - 2 * MARGIN) / bounds.height, LARGEST_FIT);
  const scale = Math.max(LEGIBLE, Number.isFinite(fitting) ? fitting : 1);
  const left = (available: number, length: number) => Math.max(MARGIN, (available - length * scale) / 2);
  return zoomIdentity
    .translate(left(width, bounds.width) - bounds.x * scale, left(height, bounds.height) - bounds.y * scale)
    .scale(scale);
}
