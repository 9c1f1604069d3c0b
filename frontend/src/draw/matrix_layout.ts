/** Where a matrix's rows and columns stand, and which of them a point is in. Lengths in CSS pixels. */

export const ROW_HEIGHT = 13;
export const GROUP_GAP = 5;

/** Neurons are printed, not only drawn, up to this many. */
export const PRINTED_NEURONS = 16;
const PRINTED_PITCH = { least: 38, most: 46 };

const STRETCH_AT_LEAST = 5.8;
const SCROLL_PITCH = 10;
const WIDEST_PITCH = 24;

export interface RowLayout {
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

/** Returns the position of the row at `y`, -1 for none. */
export function rowAt(layout: RowLayout, y: number): number {
  return layout.tops.findIndex((top) => y >= top && y < top + ROW_HEIGHT);
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
