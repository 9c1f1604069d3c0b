/** Draws what became of a row's predictions from one model to another. */

import { ROW_HEIGHT } from "./matrix_layout";
import { differenceColours, type Palette } from "./palette";
import type { OutputLayout } from "./printed";

/** The accuracy of a class or subset in percentage points, or the score of an instance's prediction. */
export type OutputChange =
  | { points: number; byDefinition: boolean }
  | { before: number; after: number; change: "still right" | "broken" | "fixed" | "still wrong" };

/** So many points fill the bar to one side. */
const MOST_POINTS = 50;
/** Beside a bar, for its number. */
const BESIDE = 36;

export function drawChange(
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
    context.fillText(`by definition ${pointsText(change.points)}`, layout.barLeft, top + ROW_HEIGHT / 2 + 0.5);
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
  { barLeft, barWidth }: OutputLayout,
  palette: Palette,
): void {
  const middle = barLeft + barWidth / 2;
  const [low, , high] = differenceColours(palette);
  const length = (Math.max(-1, Math.min(1, points / MOST_POINTS)) * barWidth) / 2;
  context.fillStyle = palette.line;
  context.fillRect(middle - 0.5, top, 1, ROW_HEIGHT);
  context.fillStyle = points < 0 ? low : high;
  context.fillRect(Math.min(middle, middle + length), top + ROW_HEIGHT / 2 - 2, Math.abs(length), 4);
  context.fillStyle = palette.text;
  context.fillText(pointsText(points), barLeft + barWidth + 8, top + ROW_HEIGHT / 2 + 0.5);
}

function drawScores(
  context: CanvasRenderingContext2D,
  { before, after, change }: Exclude<OutputChange, { points: number }>,
  top: number,
  { barLeft, barWidth }: OutputLayout,
  palette: Palette,
): void {
  const y = top + ROW_HEIGHT / 2 + 0.5;
  const short = `${before.toFixed(2)} → ${after.toFixed(2)} `;
  const fits = context.measureText(`score ${short}${change}`).width <= barWidth + BESIDE;
  const scores = fits ? `score ${short}` : short;
  context.fillStyle = palette.secondary;
  context.fillText(scores, barLeft, y);
  if (change !== "still right") context.fillStyle = change === "fixed" ? palette.right : palette.wrong;
  context.fillText(change, barLeft + context.measureText(scores).width, y);
}
