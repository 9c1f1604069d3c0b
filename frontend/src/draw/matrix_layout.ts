/** Layout of a matrix: where its rows and columns stand, and which of them a point is in, in CSS pixels. */

export const ROW_HEIGHT = 13;
export const GROUP_GAP = 5;

/** Neurons are printed, not only drawn, up to this many. */
const PRINTED_NEURONS = 16;
const PRINTED_PITCH = { least: 38, most: 46 };

const STRETCH_AT_LEAST = 5.8;
const SCROLL_PITCH = 10;
const WIDEST_PITCH = 24;

/** Rows at the top or the bottom stay in sight while they take at most this share of the height. */
const STAYING_SHARE = 0.45;

export interface RowLayout {
  /** From the top of all rows. */
  tops: readonly number[];
  /** Lines between groups of rows. */
  separators: readonly number[];
  height: number;
}

/** Stacks rows of `groups`, one name per row; a gap stands where the name changes. */
export function layoutRows(groups: readonly string[]): RowLayout {
  const tops: number[] = [];
  const separators: number[] = [];
  let y = 0;
  groups.forEach((group, position) => {
    if (position > 0 && group !== groups[position - 1]) {
      separators.push(y + GROUP_GAP / 2);
      y += GROUP_GAP;
    }
    tops.push(y);
    y += ROW_HEIGHT;
  });
  return { tops, separators, height: y };
}

/** The rows in sight of a matrix that may be taller than its place. */
export interface RowView {
  /** From the top of the place, by position of the row; NaN for a row out of sight. */
  tops: readonly number[];
  separators: readonly number[];
  /** Of the place. */
  height: number;
}

/**
 * Places rows in `height`. Rows of the first and the last of several groups stay where they are while the others scroll,
 * so that the classes can be read and the pinned instances compared; whole rows scroll, none is cut.
 *
 * @param scrollTop from 0 to the layout's height less `height`
 */
export function viewRows(layout: RowLayout, groups: readonly string[], scrollTop: number, height: number): RowView {
  if (layout.height <= height) return { tops: layout.tops, separators: layout.separators, height: layout.height };
  const { head, foot, top, bottom, beyond, starts } = scrollingRows(layout, groups, height);
  const progress = Math.min(1, Math.max(0, scrollTop / beyond));
  const shift = (starts[Math.round(progress * (starts.length - 1))] ?? top) - top;

  const place = (y: number, length: number) => (y >= top && y + length <= bottom ? y : Number.NaN);
  const separatorPlace = (y: number) => {
    if (y < top) return y;
    return y - beyond > bottom - GROUP_GAP ? y - beyond : place(y - shift, 1);
  };
  return {
    tops: layout.tops.map((y, position) => {
      if (position < head) return y;
      return position >= groups.length - foot ? y - beyond : place(y - shift, ROW_HEIGHT);
    }),
    separators: layout.separators.map(separatorPlace).filter(Number.isFinite),
    height,
  };
}

interface ScrollingRows {
  /** How many rows stay at the top, and at the bottom. */
  head: number;
  foot: number;
  /** Of the place in which the others scroll. */
  top: number;
  bottom: number;
  /** How much taller the layout is than its place. */
  beyond: number;
  /** Tops, in the layout, of the rows that may be the first in sight. */
  starts: readonly number[];
}

function scrollingRows(layout: RowLayout, groups: readonly string[], height: number): ScrollingRows {
  const head = stayingHead(layout, groups, height);
  const foot = stayingFoot(layout, groups, height);
  const beyond = layout.height - height;
  const tops = layout.tops.slice(head, groups.length - foot);
  const top = tops[0] ?? 0;
  const bottom = (layout.tops[groups.length - foot] ?? layout.height) - beyond;
  const end = (tops.at(-1) ?? 0) + ROW_HEIGHT;
  const last = tops.findIndex((start) => end - start <= bottom - top);
  return { head, foot, top, bottom, beyond, starts: tops.slice(0, last + 1) };
}

function stayingHead(layout: RowLayout, groups: readonly string[], height: number): number {
  const count = groups.findIndex((group) => group !== groups[0]);
  return count > 0 && (layout.tops[count] ?? 0) <= STAYING_SHARE * height ? count : 0;
}

function stayingFoot(layout: RowLayout, groups: readonly string[], height: number): number {
  const last = groups.findLastIndex((group) => group !== groups.at(-1));
  const count = groups.length - 1 - last;
  const top = layout.tops[last + 1] ?? 0;
  return last >= 0 && layout.height - top <= STAYING_SHARE * height ? count : 0;
}

/** Returns how far to scroll, as little as needed, so that a row is in sight. */
export function scrollToRow(
  layout: RowLayout,
  groups: readonly string[],
  position: number,
  scrollTop: number,
  height: number,
): number {
  const shows = (scroll: number) => Number.isFinite(viewRows(layout, groups, scroll, height).tops[position]);
  if (shows(scrollTop)) return scrollTop;
  const { beyond, starts } = scrollingRows(layout, groups, height);
  const showing = starts.map((_, step) => (step * beyond) / Math.max(1, starts.length - 1)).filter(shows);
  const distance = (scroll: number) => Math.abs(scroll - scrollTop);
  return showing.reduce((best, scroll) => (distance(scroll) < distance(best) ? scroll : best), showing[0] ?? scrollTop);
}

/** Returns the position of the row at `y`, -1 for none. */
export function rowAt(tops: readonly number[], y: number): number {
  return tops.findIndex((top) => y >= top && y < top + ROW_HEIGHT);
}

export interface ColumnLayout {
  /** Whether values stand beside their circles. */
  printed: boolean;
  pitch: number;
  radius: number;
  /** Position of the first column in sight. */
  first: number;
  /** Columns in sight. */
  visible: number;
  total: number;
}

/** Fits all columns into `width` where they stay legible, else shows a window of them from `first` on. */
export function layoutColumns(total: number, width: number, first: number): ColumnLayout {
  if (total <= PRINTED_NEURONS && total * PRINTED_PITCH.least <= width) {
    // Half the width is left for what stands beside the values of an output layer.
    const pitch = Math.min(PRINTED_PITCH.most, Math.max(PRINTED_PITCH.least, width / 2 / Math.max(1, total)));
    return { printed: true, pitch, radius: 5, first: 0, visible: total, total };
  }
  const fitting = width / Math.max(1, total);
  const pitch = fitting >= STRETCH_AT_LEAST ? Math.min(fitting, WIDEST_PITCH) : SCROLL_PITCH;
  const visible = Math.min(total, Math.max(1, Math.floor(width / pitch + 1e-6)));
  const last = Math.max(0, total - visible);
  const radius = Math.min(5, 0.47 * pitch);
  return { printed: false, pitch, radius, first: Math.min(Math.max(0, first), last), visible, total };
}

/** Middle of the circle at `position`, by the order shown. */
export function columnX(columns: ColumnLayout, position: number): number {
  const inset = columns.printed ? 7 : columns.pitch / 2;
  return (position - columns.first) * columns.pitch + inset;
}

/** Returns the position of the column at `x`, -1 for none. */
export function columnAt(columns: ColumnLayout, x: number): number {
  const position = columns.first + Math.floor(x / columns.pitch);
  return x >= 0 && position < Math.min(columns.total, columns.first + columns.visible) ? position : -1;
}
