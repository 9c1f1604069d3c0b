/**
 * Windowing of the groups of squares. Lengths in CSS pixels.
 *
 * Up to `ALL_SHOWN` squares in up to `MOST_GROUPS` groups are all in the page, whatever is in sight: the browser's own
 * search and tests find them. Of more, those in sight and a little beyond are; scroll to reach the others.
 */

import type { Group } from "./grouping";

const ALL_SHOWN = 2_000;
const MOST_GROUPS = 100;
/** Of a side; base.css has it too. */
export const SQUARE = 11;
/** From one square to the next. */
export const STEP = 13;
/** Of the misclassified ones, at the right. */
export const WRONG_WIDTH = 72;
const COLUMN_GAP = 8;
/** From the top of a group to its squares: a line and the group's head. */
export const SQUARES_TOP = 31;
/** The least of a group above its squares in sight. */
export const HEAD_HEIGHT = 32;
const FOOT_HEIGHT = 7;
const SPARE = 250;
/** What is in the page follows scrolling in steps of this length. */
export const SCROLL_STEP = 150;

export interface PlacedGroup {
  label: number;
  top: number;
  height: number;
  /** Squares in a line, of the correct and of the misclassified. */
  perLine: { correct: number; misclassified: number };
}

/** Stacks the groups in a column of `width`; `whole` where none of them has misclassified ones, without labels. */
export function placeGroups(groups: readonly Group[], width: number, whole = false): PlacedGroup[] {
  const perLine = {
    correct: Math.max(1, Math.floor((width - (whole ? 0 : WRONG_WIDTH + COLUMN_GAP) + 2) / STEP)),
    misclassified: Math.floor((WRONG_WIDTH + 2) / STEP),
  };
  let top = 0;
  return groups.map((group, label) => {
    const lines = Math.max(
      Math.ceil(group.correct.length / perLine.correct),
      Math.ceil(group.misclassified.length / perLine.misclassified),
    );
    const placed = { label, top, height: HEAD_HEIGHT + lines * STEP + FOOT_HEIGHT, perLine };
    top += placed.height;
    return placed;
  });
}

/** What is in sight, or everything. */
interface Sight {
  top: number;
  bottom: number;
}

export const EVERYTHING: Sight = { top: Number.NEGATIVE_INFINITY, bottom: Number.POSITIVE_INFINITY };

/** The top of what is in the page: the same for a little way of scrolling. */
export const steppedTop = (scrollTop: number): number => Math.floor(scrollTop / SCROLL_STEP) * SCROLL_STEP;

/** @param top By `steppedTop`. */
export function sightOf(groups: readonly Group[], top: number, height: number): Sight {
  const squares = groups.reduce((sum, group) => sum + group.correct.length + group.misclassified.length, 0);
  if (squares <= ALL_SHOWN && groups.length <= MOST_GROUPS) return EVERYTHING;
  return { top: top - SPARE, bottom: top + SCROLL_STEP + height + SPARE };
}

export const isInSight = ({ top, height }: PlacedGroup, sight: Sight): boolean =>
  top + height > sight.top && top < sight.bottom;

/** First and last-but-one position of the squares in sight. */
export function squaresInSight(placed: PlacedGroup, side: keyof Group, count: number, sight: Sight): [number, number] {
  const perLine = placed.perLine[side];
  const line = (y: number) => Math.floor((y - placed.top - HEAD_HEIGHT) / STEP);
  const first = Number.isFinite(sight.top) ? Math.max(0, line(sight.top)) : 0;
  const last = Number.isFinite(sight.bottom) ? Math.max(0, line(sight.bottom) + 1) : Number.POSITIVE_INFINITY;
  return [Math.min(count, first * perLine), Math.min(count, last * perLine)];
}

/** Left upper corner of a square within its side. */
export const squarePlace = (position: number, perLine: number): { left: number; top: number } => ({
  left: (position % perLine) * STEP,
  top: Math.floor(position / perLine) * STEP,
});
