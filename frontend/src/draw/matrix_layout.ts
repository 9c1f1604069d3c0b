/** Layout of a matrix: where its rows, columns and banks stand, and which of them a point is in, in CSS pixels. */

/** Of a row that has no room to be taller. */
export const ROW_HEIGHT = 13;
/** Of rows that stand in several banks, or may be as tall as they like. */
export const BANKED_ROW = 14;
const TALLEST_ROW = 28;
/** Circles of one column stay nearer to each other than this many times their distance to the next column. */
const SLIMMEST = 1.8;
export const GROUP_GAP = 5;
/** Between the rows and the temporary row. */
export const TEMPORARY_GAP = 4;

/** Neurons are printed, not only drawn, up to this many. */
const PRINTED_NEURONS = 16;
export const PRINTED_PITCH = { least: 38, most: 76 };

/** Of circles: the most across and down, and of a layer that is shown alone. */
const WIDEST_PITCH = 20;
const TALLEST_PITCH = 24;
const WIDEST_ALONE = 26;
/** Where there is more room across, columns are at most so many times as far apart as rows. */
const WIDEST_SPREAD = 1.6;
/** Neurons are scrolled rather than drawn closer than this. */
export const LEGIBLE_PITCH = 6;
export const SCROLL_PITCH = 8;
/** The same as `SLIMMEST` where neurons are scrolled: rows take the height that is there. */
const SLIMMEST_SCROLLED = 2.5;
/** A layer that is shown alone has all of its neurons in banks, up to this many. */
const MOST_ALONE = 1024;
/** So much larger circles are worth one more bank. */
const WORTH_A_BANK = 1.1;

/** Rows at the top or the bottom stay in sight while they take at most this share of the height. */
const STAYING_SHARE = 0.45;

export interface RowLayout {
  /** From the top of all rows. */
  tops: readonly number[];
  /** Lines between groups of rows. */
  separators: readonly number[];
  height: number;
  /** Of one row. */
  rowHeight: number;
}

/** Stacks rows of `groups`, one name per row; a gap stands where the name changes. */
export function layoutRows(groups: readonly string[], rowHeight = ROW_HEIGHT): RowLayout {
  const tops: number[] = [];
  const separators: number[] = [];
  let y = 0;
  groups.forEach((group, position) => {
    if (position > 0 && group !== groups[position - 1]) {
      separators.push(y + GROUP_GAP / 2);
      y += GROUP_GAP;
    }
    tops.push(y);
    y += rowHeight;
  });
  return { tops, separators, height: y, rowHeight };
}

/** The rows in sight of a matrix that may be taller than its place. */
export interface RowView {
  /** From the top of the place, by position of the row; NaN for a row out of sight. */
  tops: readonly number[];
  separators: readonly number[];
  /** Of the place. */
  height: number;
  /** Of one row. */
  rowHeight: number;
}

/**
 * Places rows in `height`. Rows of the first and the last of several groups stay where they are while the others scroll,
 * so that the classes can be read and the pinned instances compared; whole rows scroll, none is cut.
 *
 * @param scrollTop from 0 to the layout's height less `height`
 */
export function viewRows(layout: RowLayout, groups: readonly string[], scrollTop: number, height: number): RowView {
  if (layout.height <= height) return layout;
  const { rowHeight } = layout;
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
      return position >= groups.length - foot ? y - beyond : place(y - shift, rowHeight);
    }),
    separators: layout.separators.map(separatorPlace).filter(Number.isFinite),
    height,
    rowHeight,
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
  const end = (tops.at(-1) ?? 0) + layout.rowHeight;
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
export function rowAt({ tops, rowHeight }: Pick<RowView, "tops" | "rowHeight">, y: number): number {
  return tops.findIndex((top) => y >= top && y < top + rowHeight);
}

export interface ColumnLayout {
  /** Whether values stand beside their circles. */
  printed: boolean;
  pitch: number;
  radius: number;
  /** Of the rows that they cross. */
  rowHeight: number;
  /** Position of the first column in sight. */
  first: number;
  /** Columns in sight. */
  visible: number;
  total: number;
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

/** What a matrix has room for. */
export interface MatrixPlace {
  /** Of the cells. */
  width: number;
  /** From the top of the first row to the bottom of the last temporary row. */
  height: number;
  /** Of what stands above the rows of every bank but the first. */
  bankHead: number;
  /** Whether no other layer is shown. */
  alone: boolean;
}

export interface MatrixLayout {
  rows: RowLayout;
  /** All columns in sight. */
  columns: ColumnLayout;
  /** The same, as they go on from bank to bank like text from line to line. */
  banks: readonly ColumnLayout[];
  /** From the rows of one bank to those of the next. */
  stride: number;
  /** Of all banks, with the temporary row of each. */
  height: number;
}

/** How many columns stand in a bank, and how far apart. */
interface Fit {
  banks: number;
  perBank: number;
  pitch: number;
  rowHeight: number;
}

/**
 * Places rows and columns where circles become largest: in one line, or in banks below each other, each with all rows.
 * Only rows that overflow one bank are scrolled, and neurons only where no number of banks keeps them legible.
 *
 * @param groups The kinds of the rows, one per row
 * @param first Position of the first column in sight, where neurons are scrolled
 */
export function layoutMatrix(
  total: number,
  groups: readonly string[],
  place: MatrixPlace,
  first: number,
): MatrixLayout {
  const printed = isPrinted(total, place.width);
  const fit = printed ? fitPrinted(total, groups, place) : fitCircles(total, groups, place);
  const visible = Math.min(total, fit.banks * fit.perBank);
  const radius = printed ? Math.min(6, 0.4 * fit.rowHeight) : Math.min(0.47 * fit.pitch, 0.43 * fit.rowHeight);
  const columns: ColumnLayout = {
    printed,
    pitch: fit.pitch,
    radius,
    rowHeight: fit.rowHeight,
    first: Math.min(Math.max(0, first), total - visible),
    visible,
    total,
  };
  const banks = Array.from({ length: Math.max(1, Math.ceil(visible / fit.perBank)) }, (_, bank) => ({
    ...columns,
    first: columns.first + bank * fit.perBank,
    visible: Math.min(fit.perBank, visible - bank * fit.perBank),
  }));
  const rows = layoutRows(groups, fit.rowHeight);
  const bankHeight = rows.height + TEMPORARY_GAP + fit.rowHeight;
  const stride = bankHeight + place.bankHead;
  return { rows, columns, banks, stride, height: banks.length * stride - place.bankHead };
}

export const isPrinted = (total: number, width: number): boolean =>
  total <= PRINTED_NEURONS && total * PRINTED_PITCH.least <= width;

/** Half the width is left for what stands beside the values of an output layer. */
function fitPrinted(total: number, groups: readonly string[], place: MatrixPlace): Fit {
  const half = place.width / 2 / Math.max(1, total);
  const pitch = Math.min(PRINTED_PITCH.most, Math.max(PRINTED_PITCH.least, half));
  return { banks: 1, perBank: Math.max(1, total), pitch, rowHeight: fitRow(groups, place, 1, TALLEST_ROW) };
}

function fitCircles(total: number, groups: readonly string[], place: MatrixPlace): Fit {
  const fitting = [...fittingBanks(total, groups, place)];
  const legible = place.alone ? SCROLL_PITCH : LEGIBLE_PITCH;
  const best = fitting
    .filter(({ pitch }) => pitch >= legible)
    .reduce<Fit | null>((one, other) => (one && circle(other) < WORTH_A_BANK * circle(one) ? one : other), null);
  if (best) {
    const pitch = Math.max(best.pitch, Math.min(place.width / best.perBank, WIDEST_SPREAD * best.rowHeight));
    return { ...best, pitch };
  }
  const perBank = Math.max(1, Math.floor(place.width / SCROLL_PITCH));
  const all = Math.ceil(total / perBank);
  const scrolls = place.alone && total <= MOST_ALONE && fitRow(groups, place, 1, TALLEST_ROW) >= BANKED_ROW;
  const banks = scrolls ? all : Math.min(all, Math.max(1, fitting.length));
  const rowHeight = scrolls ? BANKED_ROW : fitRow(groups, place, banks, SLIMMEST_SCROLLED * SCROLL_PITCH);
  return { banks, perBank, pitch: SCROLL_PITCH, rowHeight };
}

const circle = ({ pitch, rowHeight }: Fit): number => Math.min(pitch, rowHeight);

/** Every number of banks for whose rows there is room, with all neurons in sight; at least one bank. */
function* fittingBanks(total: number, groups: readonly string[], place: MatrixPlace): Generator<Fit> {
  const [across, down] = place.alone ? [WIDEST_ALONE, WIDEST_ALONE] : [WIDEST_PITCH, TALLEST_PITCH];
  for (let banks = 1; banks <= Math.max(1, total); banks++) {
    const perBank = Math.max(1, Math.ceil(total / banks));
    const pitch = Math.min(across, place.width / perBank);
    const rowHeight = fitRow(groups, place, banks, Math.min(down, SLIMMEST * pitch));
    if (banks > 1 && rowHeight < BANKED_ROW) return;
    yield { banks, perBank, pitch, rowHeight };
  }
}

/** Returns how tall rows are that share the height, with one more in each bank for the temporary row. */
function fitRow(groups: readonly string[], place: MatrixPlace, banks: number, most: number): number {
  const gaps = groups.filter((group, position) => position > 0 && group !== groups[position - 1]).length;
  const taken = banks * (gaps * GROUP_GAP + TEMPORARY_GAP) + (banks - 1) * place.bankHead;
  const fitting = Math.floor((place.height - taken) / (banks * (groups.length + 1)));
  if (banks === 1 && fitting < ROW_HEIGHT) return BANKED_ROW;
  return Math.min(fitting, Math.max(BANKED_ROW, Math.round(most)));
}
