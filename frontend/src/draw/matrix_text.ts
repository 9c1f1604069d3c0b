/**
 * Numbers beside the circles of a small layer and, for the output layer, its predictions and what became of them in
 * another model.
 */
import { type ColumnLayout, columnX } from "./matrix_layout";
import { differenceColours, mix, type Palette } from "./palette";

/** The accuracy of a class or subset in percentage points, or the score of an instance's prediction. */
export type OutputChange =
  | { points: number; byDefinition: boolean }
  | { before: number; after: number; change: "still right" | "broken" | "fixed" | "still wrong" };

/** So many points fill the bar to one side. */
const MOST_POINTS = 50;
/** Beside a bar, for its number. */
const BESIDE = 36;

function drawChange(
  context: CanvasRenderingContext2D,
  change: OutputChange,
  top: number,
  layout: OutputLayout,
  palette: Palette,
): void {
  context.textAlign = "left";
  if (!("points" in change)) drawScores(context, change, top, layout, palette);
  else if (change.byDefinition) {
    context.fillStyle = palette.secondary;
    const text = `by definition ${pointsText(change.points)}`.trim();
    context.fillText(text, layout.barLeft, top + layout.rowHeight / 2 + 0.5);
  } else drawPoints(context, change.points, top, layout, palette);
}

/** `+7`, `−44`; nothing where it would read as zero. */
const pointsText = (points: number): string => {
  const rounded = Math.round(points);
  return rounded === 0 ? "" : `${rounded < 0 ? "−" : "+"}${Math.abs(rounded)}`;
};

function drawPoints(
  context: CanvasRenderingContext2D,
  points: number,
  top: number,
  { barLeft, barWidth, rowHeight }: OutputLayout,
  palette: Palette,
): void {
  const middle = barLeft + barWidth / 2;
  const [low, , high] = differenceColours(palette);
  const length = (Math.max(-1, Math.min(1, points / MOST_POINTS)) * barWidth) / 2;
  context.fillStyle = palette.line;
  context.fillRect(middle - 0.5, top, 1, rowHeight);
  context.fillStyle = points < 0 ? low : high;
  context.fillRect(Math.min(middle, middle + length), top + rowHeight / 2 - 2, Math.abs(length), 4);
  context.fillStyle = palette.text;
  context.fillText(pointsText(points), barLeft + barWidth + 8, top + rowHeight / 2 + 0.5);
}

function drawScores(
  context: CanvasRenderingContext2D,
  { before, after, change }: Exclude<OutputChange, { points: number }>,
  top: number,
  { barLeft, barWidth, rowHeight }: OutputLayout,
  palette: Palette,
): void {
  const y = top + rowHeight / 2 + 0.5;
  const short = `${before.toFixed(2)} → ${after.toFixed(2)} `;
  const fits = context.measureText(`score ${short}${change}`).width <= barWidth + BESIDE;
  const scores = fits ? `score ${short}` : short;
  context.fillStyle = palette.secondary;
  context.fillText(scores, barLeft, y);
  if (change !== "still right") context.fillStyle = change === "fixed" ? palette.right : palette.wrong;
  context.fillText(change, barLeft + context.measureText(scores).width, y);
}

export const FONT = "Roboto, Arial, sans-serif";

export interface PrintedRow {
  top: number;
  values: Float32Array | null;
  /** By class, how many were predicted as it, and maybe as nothing; null where the layer is not the output. */
  predicted: readonly number[] | null;
  /** Class that is right for the row; -1 where the row has several. */
  label: number;
  /** Share that is right of a class or subset. */
  accuracy: number | null;
  /** Between these the share is; null where it is exact. */
  accuracyLimits: readonly [number, number] | null;
  /** Whether that follows from how the row's instances were chosen. */
  byDefinition: boolean;
  /** Score of an instance's predicted class, and whether it is the true one. */
  score: { value: number; correct: boolean } | null;
  /** What is shown in their place where two models are compared. */
  change: OutputChange | null;
}

export interface OutputLayout {
  predictedLeft: number;
  /** 0 where there is no table of counts. */
  predictedPitch: number;
  barLeft: number;
  /** 0 beside a table of counts. */
  barWidth: number;
  /** Of the rows. */
  rowHeight: number;
}

const LEGIBLE = 0.02;
/** From this pitch on, a sign and a leading zero have room. */
const ROOMY_PITCH = 43;
const GAP = 14;
const NARROWEST_BAR = 60;
const WIDEST_BAR = 150;
const PERCENT_WIDTH = 42;
const COUNT_PITCH = { least: 18, most: 56 };

/**
 * Places the table of counts right of the values, or where there is none a bar for accuracies and scores; null where
 * there is no room for it.
 *
 * @param classes columns of the table of counts; 0 for none
 */
export function layoutOutput(columns: ColumnLayout, classes: number, width: number): OutputLayout | null {
  const { rowHeight } = columns;
  const predictedLeft = columns.total * columns.pitch + GAP;
  if (classes === 0) {
    const barWidth = Math.min(WIDEST_BAR, width - predictedLeft - PERCENT_WIDTH);
    return barWidth < NARROWEST_BAR
      ? null
      : { predictedLeft, predictedPitch: 0, barLeft: predictedLeft, barWidth, rowHeight };
  }
  const predictedPitch = Math.min(COUNT_PITCH.most, Math.floor((width - predictedLeft) / classes));
  if (predictedPitch < COUNT_PITCH.least) return null;
  return { predictedLeft, predictedPitch, barLeft: predictedLeft + classes * predictedPitch, barWidth: 0, rowHeight };
}

interface ValuesPicture {
  order: Int32Array;
  columns: ColumnLayout;
  /** Of the scale. */
  max: number;
  palette: Palette;
  /** Whether positive values have a sign too, as differences do. */
  withSign: boolean;
}

/** Prints values; weaker ones in a lighter tone, and nothing beside those that would read as zero. */
export function drawValues(
  context: CanvasRenderingContext2D,
  rows: readonly PrintedRow[],
  { order, columns, max, palette, withSign }: ValuesPicture,
): void {
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  // On a scale that two decimals serve, what they make zero is not printed as a power of ten.
  const least = Math.max(max / 100, max >= LEGIBLE ? 0.005 : 0);
  for (const row of rows) {
    order.forEach((neuron, position) => {
      const value = row.values?.[neuron] ?? Number.NaN;
      if (!Number.isFinite(value) || Math.abs(value) < least) return;
      context.fillStyle = Math.abs(value) >= max / 5 ? palette.text : palette.secondary;
      const text = withSign ? signedNumber(value, columns.pitch < ROOMY_PITCH) : shortNumber(value);
      context.fillText(text, columnX(columns, position) + 8, row.top + columns.rowHeight / 2 + 0.5);
    });
  }
}

/** Draws counts by predicted class (right ones grey, wrong ones red; of an instance its score), or accuracy or score as a bar. */
export function drawOutput(
  context: CanvasRenderingContext2D,
  rows: readonly PrintedRow[],
  layout: OutputLayout,
  palette: Palette,
): void {
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  for (const row of rows) {
    if (layout.predictedPitch > 0) drawCounts(context, row, layout, palette);
    if (row.accuracy !== null && row.byDefinition) drawDefinition(context, row.accuracy, row.top, layout, palette);
    else if (row.accuracy !== null) drawAccuracy(context, row.accuracy, row, layout, palette);
    if (row.change) drawChange(context, row.change, row.top, layout, palette);
    if (row.score && layout.barWidth > 0) drawScore(context, row.score, row.top, layout, palette);
  }
}

function drawCounts(context: CanvasRenderingContext2D, row: PrintedRow, layout: OutputLayout, palette: Palette): void {
  const total = row.predicted?.reduce((sum, count) => sum + count, 0) ?? 0;
  row.predicted?.forEach((count, label) => {
    if (count === 0) return;
    const x = layout.predictedLeft + label * layout.predictedPitch;
    const wrong = row.label >= 0 && label !== row.label;
    const strength = 0.12 + 0.4 * (count / total);
    context.fillStyle = mix(palette.card, wrong ? palette.wrong : palette.bar, strength);
    context.beginPath();
    context.roundRect(x, row.top + 1, layout.predictedPitch - 2, layout.rowHeight - 2, 2);
    context.fill();
    context.fillStyle = palette.text;
    context.textAlign = "center";
    const text = row.score ? shareText(row.score.value, layout.predictedPitch) : compactCount(count);
    context.fillText(text, x + layout.predictedPitch / 2 - 1, row.top + layout.rowHeight / 2 + 0.5);
  });
}

function drawAccuracy(
  context: CanvasRenderingContext2D,
  accuracy: number,
  { top, accuracyLimits }: PrintedRow,
  layout: OutputLayout,
  palette: Palette,
): void {
  const y = top + layout.rowHeight / 2 - 2;
  context.fillStyle = palette.barTrack;
  context.fillRect(layout.barLeft, y, layout.barWidth, 4);
  context.fillStyle = palette.bar;
  context.fillRect(layout.barLeft, y, layout.barWidth * accuracy, 4);
  if (accuracyLimits) drawLimits(context, accuracyLimits, y, layout, palette);
  context.textAlign = "left";
  context.fillStyle = palette.text;
  context.fillText(accuracyText(accuracy, accuracyLimits), numberLeft(layout), top + layout.rowHeight / 2 + 0.5);
}

/** `82 %`, `≈ 82 %`, or that too few were sampled to tell one half from the other. */
function accuracyText(accuracy: number, limits: readonly [number, number] | null): string {
  if (limits && limits[1] - limits[0] > 0.5) return "too few";
  return `${limits ? "≈ " : ""}${Math.round(accuracy * 100)} %`;
}

/** A line between the limits, with an end at each, over the bar. */
function drawLimits(
  context: CanvasRenderingContext2D,
  limits: readonly [number, number],
  y: number,
  { barLeft, barWidth }: OutputLayout,
  palette: Palette,
): void {
  const [low, high] = limits.map((share) => barLeft + Math.round((barWidth - 1) * share)) as [number, number];
  context.fillStyle = palette.text;
  context.fillRect(low, y + 1.5, high - low, 1);
  for (const end of [low, high]) context.fillRect(end, y - 2, 1, 8);
}

function drawDefinition(
  context: CanvasRenderingContext2D,
  accuracy: number,
  top: number,
  layout: OutputLayout,
  palette: Palette,
): void {
  context.textAlign = "left";
  context.fillStyle = palette.secondary;
  const text = `${accuracy === 0 ? "errors" : "right"} by definition`;
  context.fillText(text, layout.barLeft, top + layout.rowHeight / 2 + 0.5);
}

function drawScore(
  context: CanvasRenderingContext2D,
  score: { value: number; correct: boolean },
  top: number,
  layout: OutputLayout,
  palette: Palette,
): void {
  const y = top + layout.rowHeight / 2;
  const colour = score.correct ? palette.secondary : palette.wrong;
  context.fillStyle = palette.line;
  context.fillRect(layout.barLeft, y - 0.5, layout.barWidth, 1);
  context.fillStyle = colour;
  context.beginPath();
  context.arc(layout.barLeft + layout.barWidth * score.value, y, 2.5, 0, 2 * Math.PI);
  context.fill();
  context.textAlign = "left";
  context.fillText(score.value.toFixed(2), numberLeft(layout), y + 0.5);
}

const numberLeft = (layout: OutputLayout): number => layout.barLeft + layout.barWidth + 8;

/** Draws column headings, each cut to its column's width. */
export function drawHeadings(
  context: CanvasRenderingContext2D,
  headings: readonly string[],
  left: (position: number) => number,
  width: number,
  palette: Palette,
): void {
  context.font = `10px ${FONT}`;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillStyle = palette.secondary;
  headings.forEach((heading, position) => {
    context.fillText(fitText(context, heading, width), left(position), 30);
  });
}

/** Cuts `text` so that it is at most `width` wide, with an ellipsis. */
export function fitText(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return `${text.slice(0, length)}…`;
}

/** Two decimals for everyday magnitudes, else two significant digits, in at most six characters. */
export function shortNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 0.005 || magnitude >= 1000)) return value.toExponential(0);
  return magnitude >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** `+0.24`, `−0.10`; where room is short, `+.24`. */
export function signedNumber(value: number, short = false): string {
  const magnitude = shortNumber(Math.abs(value));
  return `${value < 0 ? "−" : value > 0 ? "+" : ""}${short ? magnitude.replace(/^0\./, ".") : magnitude}`;
}

/** `0.97`; where room is short, `.97`. */
const shareText = (share: number, width: number): string =>
  width < 26 ? share.toFixed(2).replace(/^0/, "") : share.toFixed(2);

function compactCount(count: number): string {
  if (count < 999.5) return String(Math.round(count));
  return count < 1_000_000 ? `${Math.round(count / 1000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
