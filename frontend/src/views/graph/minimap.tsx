/** Minimap of the graph: all of it, and which part is in sight; a press or a drag goes there. */

import type { ReadonlySignal } from "@preact/signals";
import type { ZoomTransform } from "d3-zoom";
import type { Box, PlacedGraph } from "../../draw/graph_layout";
import type { Palette } from "../../draw/palette";
import { usePalette } from "../../ui/context";
import { type Size, Surface } from "../../ui/surface";
import type { Zoom } from "./zoom";

interface MinimapProperties {
  placed: PlacedGraph;
  zoom: Zoom;
  /** Of the picture, on screen. */
  size: Size;
}

const WIDTH = 200;
const TALLEST = 60;
const LEAST = 22;

export function Minimap({ placed, zoom, size }: MinimapProperties) {
  const palette = usePalette();
  const { bounds } = placed;
  const height = Math.min(TALLEST, Math.max(LEAST, (bounds.height / bounds.width) * WIDTH));
  const move = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.buttons !== 1) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    zoom.centre(
      bounds.x + ((event.clientX - left) / WIDTH) * bounds.width,
      bounds.y + ((event.clientY - top) / height) * bounds.height,
    );
  };
  return (
    <div
      class="graph-minimap"
      data-testid="graph-minimap"
      data-unprinted
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={move}
    >
      <Whole placed={placed} palette={palette} height={height} />
      <Window bounds={bounds} height={height} transform={zoom.transform} size={size} />
    </div>
  );
}

function Whole({ placed, palette, height }: { placed: PlacedGraph; palette: Palette; height: number }) {
  return <Surface width={WIDTH} height={height} draw={(context) => paintWhole(context, placed, palette, height)} />;
}

function paintWhole(context: CanvasRenderingContext2D, placed: PlacedGraph, palette: Palette, height: number): void {
  const { bounds, groups, nodes } = placed;
  const [across, down] = [WIDTH / bounds.width, height / bounds.height];
  const fill = ({ x, y, width, height: tall }: Box, colour: string) => {
    context.fillStyle = colour;
    context.fillRect(
      (x - bounds.x) * across,
      (y - bounds.y) * down,
      Math.max(1, width * across),
      Math.max(1, tall * down),
    );
  };
  for (const group of groups) fill(group, palette.line);
  for (const { x, y, width, height: tall, visible } of nodes) {
    const colour = visible.node.layer !== "" ? palette.recorded : palette.tertiary;
    fill({ x: x - width / 2, y: y - tall / 2, width, height: tall }, colour);
  }
}

interface WindowProperties {
  bounds: Box;
  height: number;
  transform: ReadonlySignal<ZoomTransform>;
  size: Size;
}

function Window({ bounds, height, transform, size }: WindowProperties) {
  const { x, y, k } = transform.value;
  const share = (low: number, length: number, from: number, whole: number, pixels: number) => {
    const start = Math.max(0, Math.min(1, (low - from) / whole));
    const end = Math.max(0, Math.min(1, (low + length - from) / whole));
    return { start: start * pixels, length: Math.max(3, (end - start) * pixels) };
  };
  const wide = share(-x / k, size.width / k, bounds.x, bounds.width, WIDTH);
  const tall = share(-y / k, size.height / k, bounds.y, bounds.height, height);
  return (
    <i
      style={{ left: `${wide.start}px`, top: `${tall.start}px`, width: `${wide.length}px`, height: `${tall.length}px` }}
    />
  );
}
