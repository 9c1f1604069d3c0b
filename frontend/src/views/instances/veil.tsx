/**
 * Veil over the squares: while some instances are lit, it covers the others, so that the squares need not be drawn anew; and
 * the first of the lit ones is brought into sight.
 */

import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import type { Palette } from "../../draw/palette";
import { pixelsOf } from "../../draw/raster";
import { judgementOf } from "../../store/judgement";
import { usePalette, useSnapshot } from "../../ui/context";
import { pixelRatio, Surface } from "../../ui/surface";
import type { Group } from "./grouping";
import {
  HEAD_HEIGHT,
  type PlacedGroup,
  SQUARE,
  SQUARES_TOP,
  STEP,
  squarePlace,
  squaresInSight,
  WRONG_WIDTH,
} from "./windowing";

export interface VeilProperties {
  /** That is scrolled, and how high it is. */
  container: RefObject<HTMLDivElement | null>;
  height: number;
  instances: InstanceColumns;
  groups: readonly Group[];
  placed: readonly PlacedGroup[];
  /** Of all groups. */
  width: number;
  /** Of the squares in the page, from the top of all groups. */
  top: number;
  bottom: number;
}

export function Veil({ container, height, instances, groups, placed, width, top, bottom }: VeilProperties) {
  useLitInSight(container, groups, placed, height);
  const lit = useSnapshot().litMask.value;
  const palette = usePalette();
  const ratio = pixelRatio.value;
  const looks = useMemo(() => looksOf(instances), [instances]);
  const stamps = useMemo(() => LOOKS.map((look) => stampOf(look, ratio, palette)), [ratio, palette]);
  const kept = useRef<ImageData | null>(null);
  const draw = (context: CanvasRenderingContext2D) => {
    const { canvas } = context;
    if (!lit || canvas.width === 0 || canvas.height === 0) return;
    const isAsLarge = kept.current?.width === canvas.width && kept.current.height === canvas.height;
    const image = isAsLarge && kept.current ? kept.current : new ImageData(canvas.width, canvas.height);
    const pixels = pixelsOf(image).fill(0);
    kept.current = image;
    for (const [at, place] of placed.entries()) {
      for (const side of SIDES) {
        const rows = groups[at]?.[side] ?? [];
        const left = side === "correct" ? 0 : width - WRONG_WIDTH;
        const [first, end] = squaresInSight(place, side, rows.length, { top, bottom });
        for (let position = first; position < end; position++) {
          const row = rows[position] ?? -1;
          const stamp = stamps[looks[row] ?? 0];
          if (lit[row] === 1 || !stamp) continue;
          const square = squarePlace(position, place.perLine[side]);
          const y = place.top + SQUARES_TOP + square.top - top;
          cover(pixels, canvas.width, stamp, Math.floor((left + square.left) * ratio), Math.floor(y * ratio));
        }
      }
    }
    context.putImageData(image, 0, 0);
  };
  return (
    <Surface
      class="veil"
      data-testid="veil"
      data-pixels=""
      aria-hidden="true"
      hidden={lit === null}
      width={width}
      height={bottom - top}
      style={{ top: `${top}px` }}
      draw={draw}
    />
  );
}

const SIDES = ["correct", "misclassified"] as const;
const [WRONG, ALWAYS] = [1, 2];
const LOOKS = [0, WRONG, ALWAYS, WRONG | ALWAYS];

/** By row, how its square looks. */
function looksOf(instances: InstanceColumns): Uint8Array {
  return Uint8Array.from(instances.id, (_, row) => {
    const { kind } = judgementOf(instances, row);
    return (kind === "wrong" || kind === "nothing" ? WRONG : 0) | (instances.always[row] ? ALWAYS : 0);
  });
}

/** As in base.css. */
const RADIUS = 1.5;
const BORDER = 2.5;
const GAP = 1;
/** How far the corner of a test case reaches out, and how long it is. */
const REACH = 2;
const CORNER = 6;

interface Stamp {
  size: number;
  /** Pixels between its edges and those of the square. */
  margin: number;
  /** By `packed`; 0 for what stays to be seen. */
  pixels: Uint32Array;
}

/** Makes what covers a square: the square without its colours; null without a canvas. */
function stampOf(look: number, ratio: number, palette: Palette): Stamp | null {
  const [margin, inside] = [Math.ceil(REACH * ratio), Math.ceil(SQUARE * ratio)];
  const size = inside + 2 * margin;
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.fillStyle = palette.card;
  context.fillRect(margin, margin, inside, inside);
  context.setTransform(ratio, 0, 0, ratio, margin, margin);
  context.fillStyle = palette.faded;
  context.beginPath();
  context.roundRect(0, 0, SQUARE, SQUARE, RADIUS);
  context.fill();
  const isWrong = (look & WRONG) !== 0;
  if (isWrong) {
    for (const [colour, edge] of [[palette.card, BORDER] as const, [palette.faded, BORDER + GAP] as const]) {
      context.fillStyle = colour;
      context.fillRect(edge, edge, SQUARE - 2 * edge, SQUARE - 2 * edge);
    }
  }
  if (look & ALWAYS) {
    // Of a misclassified one, the corner is placed from within the border.
    const reach = isWrong ? REACH - 0.5 : REACH;
    context.beginPath();
    context.moveTo(SQUARE + reach - CORNER, -reach);
    context.lineTo(SQUARE + reach, -reach);
    context.lineTo(SQUARE + reach, CORNER - reach);
    context.fill();
  }
  return { size, margin, pixels: pixelsOf(context.getImageData(0, 0, size, size)) };
}

/** Covers the square whose left upper corner is at (x, y), in device pixels. */
function cover(pixels: Uint32Array, width: number, { size, margin, pixels: stamp }: Stamp, x: number, y: number): void {
  const [first, last] = [Math.max(0, margin - x), Math.min(size, width - x + margin)];
  for (let line = 0; line < size; line++) {
    const to = (y - margin + line) * width + x - margin;
    if (to + first < 0 || to + last > pixels.length) continue;
    for (let column = first; column < last; column++) {
      const pixel = stamp[line * size + column] as number;
      if (pixel !== 0) pixels[to + column] = pixel;
    }
  }
}

const REST_MILLISECONDS = 120;

/**
 * Scrolls the first lit square into sight, with the head of its group where there is room, once the pointer rests; again
 * where the list of what is lit comes below and leaves less room.
 *
 * @param height Of `container`.
 */
function useLitInSight(
  container: RefObject<HTMLDivElement | null>,
  groups: readonly Group[],
  placed: readonly PlacedGroup[],
  height: number,
): void {
  const { litMask } = useSnapshot();
  const shown = useRef<{ mask: Uint8Array | null; height: number }>({ mask: null, height });
  useEffect(
    () =>
      effect(() => {
        const mask = litMask.value;
        if (mask === shown.current.mask && height === shown.current.height) return undefined;
        const timer = setTimeout(() => {
          shown.current = { mask, height };
          if (mask) scrollToLit(container.current, groups, placed, mask);
        }, REST_MILLISECONDS);
        return () => clearTimeout(timer);
      }),
    [container, litMask, groups, placed, height],
  );
}

function scrollToLit(
  element: HTMLDivElement | null,
  groups: readonly Group[],
  placed: readonly PlacedGroup[],
  mask: Uint8Array,
): void {
  for (const [label, group] of groups.entries()) {
    const place = placed[label];
    const tops = SIDES.flatMap((side) => {
      const first = group[side].findIndex((row) => mask[row] === 1);
      return place && first >= 0 ? [place.top + HEAD_HEIGHT + squarePlace(first, place.perLine[side]).top] : [];
    });
    if (!element || !place || tops.length === 0) continue;
    const top = Math.min(...tops);
    const { scrollTop, clientHeight } = element;
    if (top - HEAD_HEIGHT >= scrollTop && top + STEP <= scrollTop + clientHeight) return;
    const isNear = top + STEP - place.top <= clientHeight;
    element.scrollTop = isNear ? place.top : top - clientHeight / 2;
    return;
  }
}
