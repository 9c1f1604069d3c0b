/** Rings around instances of a projection, with their names beside, none over another; diamonds for test cases. */
import { FONT } from "./matrix_text";
import type { Palette } from "./palette";

export interface PointMark {
  x: number;
  y: number;
  /** Empty where no name is to be written. */
  label: string;
  colour: string;
  /** Of its ring, in CSS pixels. */
  radius?: number;
  /** Makes it a diamond of this colour. */
  filled?: string;
}

/** Where a name is written: its left edge and its middle. */
interface LabelPlace {
  mark: PointMark;
  text: string;
  left: number;
  middle: number;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const RING = 5.5;
export const LABEL_FONT = `500 10px ${FONT}`;
const LABEL_HEIGHT = 11;
const LONGEST = 12;

/**
 * Finds a place for each mark's name: right of the ring, left, above, below; a name without a free place is left out.
 * The last marks choose first, because the last is the hovered one.
 */
export function placeLabels(
  marks: readonly PointMark[],
  width: number,
  height: number,
  widthOf: (text: string) => number,
): LabelPlace[] {
  const rings = marks.map(ringBox);
  const places: LabelPlace[] = [];
  const taken: Box[] = [];
  for (let at = marks.length - 1; at >= 0; at--) {
    const mark = marks[at];
    if (!mark?.label || !Number.isFinite(mark.x)) continue;
    const text = mark.label.length > LONGEST ? `${mark.label.slice(0, LONGEST - 1)}…` : mark.label;
    const free = candidates(mark, widthOf(text)).find((box) => {
      const inside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
      const others = [...taken, ...rings.filter((_, other) => other !== at)];
      return inside && !others.some((other) => overlaps(box, other));
    });
    if (!free) continue;
    taken.push(free);
    places.unshift({ mark, text, left: free.left, middle: (free.top + free.bottom) / 2 });
  }
  return places;
}

/** Boxes of the marks' rings and of the names beside them. */
export function markBoxes(
  marks: readonly PointMark[],
  width: number,
  height: number,
  widthOf: (text: string) => number,
): Box[] {
  const rings = marks.filter(({ x }) => Number.isFinite(x)).map(ringBox);
  const names = placeLabels(marks, width, height, widthOf).map(({ text, left, middle }) => {
    const wide = widthOf(text);
    return boxAround(left + wide / 2, middle, wide, LABEL_HEIGHT);
  });
  return [...rings, ...names];
}

const ringBox = ({ x, y, radius = RING }: PointMark): Box => boxAround(x, y, 2 * radius, 2 * radius);

function candidates({ x, y, radius = RING }: PointMark, wide: number): Box[] {
  const aside = radius + 3 + wide / 2;
  const above = radius + 2 + LABEL_HEIGHT / 2;
  const offsets = [
    [aside, 0],
    [-aside, 0],
    [0, -above],
    [0, above],
    [aside, -above],
    [-aside, -above],
    [aside, above],
    [-aside, above],
  ];
  return offsets.map(([right = 0, down = 0]) => boxAround(x + right, y + down, wide, LABEL_HEIGHT));
}

const boxAround = (x: number, y: number, width: number, height: number): Box => ({
  left: x - width / 2,
  top: y - height / 2,
  right: x + width / 2,
  bottom: y + height / 2,
});

const overlaps = (first: Box, second: Box): boolean =>
  first.left < second.right && second.left < first.right && first.top < second.bottom && second.top < first.bottom;

/** Draws the rings, then the names. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  marks: readonly PointMark[],
  width: number,
  height: number,
  palette: Palette,
): void {
  for (const mark of marks) {
    if (!Number.isFinite(mark.x)) continue;
    if (mark.filled) {
      drawDiamond(context, mark, mark.filled, palette);
      continue;
    }
    drawRing(context, mark, palette.card, 4.5);
    drawRing(context, mark, mark.colour, 2);
  }
  // A font makes the browser bring the page's styles up to date: only where it is needed.
  if (marks.every(({ label }) => label === "")) return;
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.strokeStyle = palette.card;
  context.fillStyle = palette.text;
  context.lineWidth = 3;
  for (const { text, left, middle } of placeLabels(marks, width, height, (name) => context.measureText(name).width)) {
    context.strokeText(text, left, middle);
    context.fillText(text, left, middle);
  }
}

function drawRing(context: CanvasRenderingContext2D, mark: PointMark, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(mark.x, mark.y, mark.radius ?? RING, 0, 2 * Math.PI);
  context.stroke();
}

function drawDiamond(context: CanvasRenderingContext2D, { x, y, colour }: PointMark, fill: string, palette: Palette) {
  context.beginPath();
  context.moveTo(x, y - RING);
  context.lineTo(x + RING, y);
  context.lineTo(x, y + RING);
  context.lineTo(x - RING, y);
  context.closePath();
  context.strokeStyle = palette.card;
  context.lineWidth = 4;
  context.stroke();
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke();
}

/** Between the ring of a dot and its outline, and the outline's width. */
const OUTLINE = 1.6;

/** Draws outlines around some dots in the text's colour; where they touch they are one. */
export function drawOutlines(
  context: CanvasRenderingContext2D,
  places: readonly { x: number; y: number }[],
  radius: number,
  { text }: Pick<Palette, "text">,
): void {
  const present = places.filter(({ x }) => Number.isFinite(x));
  if (present.length === 0) return;
  const fillDiscs = (size: number) => {
    context.beginPath();
    for (const { x, y } of present) {
      context.moveTo(x + size, y);
      context.arc(x, y, size, 0, 2 * Math.PI);
    }
    context.fill();
  };
  context.save();
  context.fillStyle = text;
  fillDiscs(radius + OUTLINE / 2);
  // What is inside any of them shows the dots below.
  context.globalCompositeOperation = "destination-out";
  fillDiscs(radius - OUTLINE / 2);
  context.restore();
}
