/** Draws what stands above a matrix: the overview of all neurons, and the class that each neuron answers to most. */

import type { ColumnLayout } from "./matrix_layout";
import { minimapHeight } from "./minimap";
import { levelOf, type Palette, type Ramp } from "./palette";

/** What stands above a matrix, and where; lengths in CSS pixels. */
export interface HeaderLayout {
  /** Of the neurons that do not fit: nothing, the sorting row as a strip, or every row as a map. */
  overview: "none" | "strip" | "map";
  overviewTop: number;
  overviewHeight: number;
  strongestTop: number;
  height: number;
}

export const STRONGEST_HEIGHT = 4;
const BELOW_STRONGEST = 4;
/** From so many windows on, a strip no longer tells where to look. */
const MAP_FROM = 8;
const MAP_TOP = 18;
/** Between the map and the strip below it, where lines lead from one to the other. */
export const FUNNEL_HEIGHT = 9;

/**
 * @param groups the kinds of the rows, one per row
 * @param map whether there may be a map
 */
export function layoutHeader(columns: ColumnLayout, groups: readonly string[], map = true): HeaderLayout {
  const strip: HeaderLayout = {
    overview: columns.visible < columns.total ? "strip" : "none",
    overviewTop: 20,
    overviewHeight: 5,
    strongestTop: 28,
    height: 36,
  };
  if (!map || columns.printed || columns.total <= MAP_FROM * columns.visible) return strip;
  const overviewHeight = minimapHeight(groups.length, groupEnds(groups).size);
  const strongestTop = MAP_TOP + overviewHeight + FUNNEL_HEIGHT + 1;
  const height = strongestTop + STRONGEST_HEIGHT + BELOW_STRONGEST;
  return { overview: "map", overviewTop: MAP_TOP, overviewHeight, strongestTop, height };
}

/** Positions of the rows that end a group, but for the last group. */
export function groupEnds(groups: readonly string[]): Set<number> {
  const ends = new Set<number>();
  groups.forEach((group, position) => {
    if (position + 1 < groups.length && group !== groups[position + 1]) ends.add(position);
  });
  return ends;
}

export interface OverviewPicture {
  order: Int32Array;
  /** (neurons,): what the strip shows, e.g. the row that sorts. */
  values: Float32Array;
  ramp: Ramp;
  width: number;
  height: number;
}

/** Draws every neuron, the strongest of those that share a pixel. */
export function drawOverview(context: CanvasRenderingContext2D, picture: OverviewPicture): void {
  const { order, values, ramp, width, height } = picture;
  const pixels = Math.floor(width);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = Math.floor((pixel / pixels) * order.length);
    const to = Math.max(from + 1, Math.floor(((pixel + 1) / pixels) * order.length));
    context.fillStyle = ramp.levels[levelOf(ramp, strongest(order, values, from, to))] ?? "";
    context.fillRect(pixel, 0, 1, height);
  }
}

function strongest(order: Int32Array, values: Float32Array, from: number, to: number): number {
  let best = 0;
  for (let position = from; position < to; position++) {
    const value = values[order[position] ?? 0] ?? 0;
    if (Math.abs(value) > Math.abs(best)) best = value;
  }
  return best;
}

/** Draws lines from the window on the map to the columns that it holds. */
export function drawFunnel(
  context: CanvasRenderingContext2D,
  columns: ColumnLayout,
  header: HeaderLayout,
  width: number,
  palette: Palette,
): void {
  const top = header.overviewTop + header.overviewHeight + 1.5;
  const bottom = top + FUNNEL_HEIGHT - 2.5;
  const scale = width / columns.total;
  context.strokeStyle = palette.accent;
  context.globalAlpha = 0.5;
  context.beginPath();
  context.moveTo(columns.first * scale, top);
  context.lineTo(0, bottom);
  context.moveTo((columns.first + columns.visible) * scale, top);
  context.lineTo(columns.visible * columns.pitch, bottom);
  context.stroke();
  context.globalAlpha = 1;
}

export interface StrongestPicture {
  order: Int32Array;
  /** (neurons,): a class, or -1. */
  strongest: Int32Array;
  colours: readonly string[];
  columns: ColumnLayout;
  palette: Palette;
  /** (neurons,): non-finite activations; a mark stands under the neurons that have some. */
  nonfinite: Float32Array | null;
  top: number;
}

export function drawStrongest(context: CanvasRenderingContext2D, picture: StrongestPicture): void {
  const { order, strongest: classes, colours, columns, palette, nonfinite, top } = picture;
  const gap = columns.pitch > 8 ? 1 : 0.5;
  for (let position = columns.first; position < columns.first + columns.visible; position++) {
    const neuron = order[position] ?? 0;
    const x = (position - columns.first) * columns.pitch;
    const label = classes[neuron] ?? -1;
    context.fillStyle = label < 0 ? palette.barTrack : (colours[label] ?? palette.otherClass);
    context.fillRect(x, top, columns.pitch - gap, STRONGEST_HEIGHT);
    if ((nonfinite?.[neuron] ?? 0) > 0) drawMark(context, x + columns.pitch / 2, top + STRONGEST_HEIGHT, palette);
  }
}

function drawMark(context: CanvasRenderingContext2D, x: number, top: number, palette: Palette): void {
  context.fillStyle = palette.wrong;
  context.beginPath();
  context.moveTo(x, top + 0.5);
  context.lineTo(x + 2.5, top + 4);
  context.lineTo(x - 2.5, top + 4);
  context.fill();
}
