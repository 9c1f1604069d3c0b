/** Layout of a panel: its share of the height, and how much of it the projection takes, in CSS pixels. */
import {
  BANKED_ROW,
  GROUP_GAP,
  isPrinted,
  LEGIBLE_PITCH,
  PRINTED_PITCH,
  ROW_HEIGHT,
  SCROLL_PITCH,
  TEMPORARY_GAP,
} from "./matrix_layout";

/** Of the panel itself, with its edge, and where the page is low; of what stands above the first rows, and above those of every other bank. */
const PANEL_HEAD = { usual: 36, low: 30 };
const MATRIX_HEAD = { most: 41, drawn: 31, bank: 24 };
/** Names of rows, and what is left free around the cells. */
const LABELS = 250;

/** What a panel shows. */
export interface PanelContent {
  neurons: number;
  rows: number;
  /** Between groups of rows. */
  gaps: number;
  /** Columns of the table of predictions; 0 where there is none. */
  predictions: number;
  /** Whether no other layer is shown. */
  alone: boolean;
}

/** Of the height that panels have together. */
export interface PanelNeed {
  /** In pixels, with few rows in sight; it does not follow from the panel's height. */
  least: number;
  /** The same with the rows in sight, as far as all panels have as much. */
  wanted: number;
  share: number;
}

/** Rows that a panel holds without scrolling, if there are so many; before the page scrolls few of few rows, more of many. */
const HELD_ROWS = { least: 4, many: 9, wanted: 11 };
const MANY_ROWS = 13;
/** A layer of more banks needs no more than one of these; where two give its circles this much, it has both. */
const MOST_NEEDED = 6;
const USUAL_PITCH = 12;

/**
 * @param cells Width of the cells, about
 * @param most The same beside the narrowest projection
 */
export function panelNeed({ neurons, rows, gaps }: PanelContent, cells: number, most = cells): PanelNeed {
  const printed = isPrinted(neurons, most);
  const head = PANEL_HEAD.usual + MATRIX_HEAD.most + gaps * GROUP_GAP;
  const lines = (pitch: number) => (printed ? 1 : Math.round((neurons * pitch) / Math.max(1, cells)));
  const banks = Math.max(1, Math.min(2, lines(USUAL_PITCH)), Math.min(MOST_NEEDED, lines(SCROLL_PITCH)));
  const headed = (above: number, held: number) => above + MATRIX_HEAD.most + TEMPORARY_GAP + (held + 1) * ROW_HEIGHT;
  const least = rows < MANY_ROWS ? Math.min(HELD_ROWS.least, rows) : HELD_ROWS.many;
  return {
    least: headed(PANEL_HEAD.low, least),
    wanted: headed(PANEL_HEAD.usual, Math.min(HELD_ROWS.wanted, rows)) + Math.min(gaps, 2) * GROUP_GAP,
    share: head + banks * (rows + 1) * BANKED_ROW + (banks - 1) * MATRIX_HEAD.bank,
  };
}

/** Width of the cells in a panel at least and at most: before its height, and with it the projection's width, is known. */
export const usualCells = (width: number): number => Math.max(0, (1 - MOST_SHARE) * width - LABELS);
export const mostCells = (width: number): number => Math.max(0, width - NARROWEST - LABELS);

/** Of a projection, with what stands around its picture. */
export interface ProjectionPlace {
  /** Whether it lies below the matrix. */
  below: boolean;
  width: number;
  height: number;
}

const MOST_SHARE = 0.43;
/** Of a layer of one neuron, whose values stand across. */
const MOST_OF_STRIP = 0.5;
const NARROWEST = 226;
/** Around the picture of a projection. */
const BESIDE = 20;
const ABOVE_AND_BELOW = 37;
/** Below a matrix it has at most this share of the height. */
const MOST_HEIGHT = 0.45;

/** Width of a projection whose picture is a square as high as the panel. */
export const squareProjection = (width: number, height: number): number =>
  Math.max(NARROWEST, Math.min(MOST_SHARE * width, height - ABOVE_AND_BELOW + BESIDE));

/**
 * Makes the picture a square as high as the panel, as far as the matrix leaves it the width; where the panel is taller
 * than wide, it lies below. Beside printed values it is as wide as those of other panels, a strip wider.
 *
 * @param others Width of the widest projection of another panel.
 */
export function placeProjection(content: PanelContent, width: number, height: number, others = 0): ProjectionPlace {
  if (height > width) {
    return { below: true, width, height: Math.floor(Math.min(MOST_HEIGHT * height, width + ABOVE_AND_BELOW - BESIDE)) };
  }
  const square = squareProjection(width, height);
  const { neurons, predictions } = content;
  const left = width - LABELS;
  if (isPrinted(neurons, mostCells(width))) {
    const rest = left - neurons * PRINTED_PITCH.least - neededTable(predictions);
    const wanted = Math.max(square, Math.min(others, MOST_SHARE * width), neurons === 1 ? MOST_OF_STRIP * width : 0);
    return { below: false, width: Math.floor(Math.max(NARROWEST, Math.min(wanted, rest))), height };
  }
  const rest = left - legibleCells(content, height);
  // A matrix that is scrolled in any case gains little from more room.
  return { below: false, width: Math.floor(rest < NARROWEST ? square : Math.min(square, rest)), height };
}

/** Width in which every neuron stands and is legible, in as many banks as the height holds. */
function legibleCells({ neurons, rows, alone }: PanelContent, height: number): number {
  const bank = (rows + 1) * BANKED_ROW + TEMPORARY_GAP + MATRIX_HEAD.bank;
  const banks = Math.max(1, Math.floor((height - PANEL_HEAD.usual - MATRIX_HEAD.drawn + MATRIX_HEAD.bank) / bank));
  return Math.ceil(neurons / banks) * (alone ? SCROLL_PITCH : LEGIBLE_PITCH);
}

/** Width of the table of predictions. */
const neededTable = (predictions: number): number => (predictions === 0 ? 0 : 14 + predictions * 24);

/** In a page of one column, of the circles; of the banks, beyond which neurons are scrolled; of the rows together. */
const COLUMN_PITCH = 14;
const MOST_BANKS = 12;
const TALLEST_ROWS = 4000;
/** Of the picture, and how wide it is for its height. */
const COLUMN_PICTURE = { most: 420, share: 0.55 };

/** A panel of a page of one column that scrolls: as tall as what it holds, its projection below the matrix. */
export function columnPanel({ neurons, rows, gaps }: PanelContent, width: number): { height: number; picture: number } {
  const cells = Math.max(1, width - LABELS);
  const [usual = 1, legible = 1] = [COLUMN_PITCH, SCROLL_PITCH].map((pitch) => Math.ceil((neurons * pitch) / cells));
  const wanted = usual <= MOST_BANKS ? usual : legible <= MOST_BANKS ? legible : 1;
  const banks = isPrinted(neurons, cells) ? 1 : Math.max(1, wanted);
  const bank = (rows + 1) * BANKED_ROW + gaps * GROUP_GAP + TEMPORARY_GAP;
  const matrix = Math.min(TALLEST_ROWS, banks * bank + (banks - 1) * MATRIX_HEAD.bank);
  const head = banks > 1 ? MATRIX_HEAD.drawn : MATRIX_HEAD.most;
  const picture = ABOVE_AND_BELOW + Math.round(Math.min(COLUMN_PICTURE.most, COLUMN_PICTURE.share * width));
  return { height: PANEL_HEAD.usual + head + matrix + picture, picture };
}
