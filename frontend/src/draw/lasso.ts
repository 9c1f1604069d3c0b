/** A line drawn around dots of a projection, and the dots in it. */

import { polygonContains } from "d3-polygon";
import type { View } from "./projection";

/** Corners in CSS pixels of the view; the last one joins the first. */
export type Lasso = readonly [number, number][];

const FINEST = 2;

/** Returns the line with one more corner, unless that is as good as the last one. */
export function extendLasso(lasso: Lasso, x: number, y: number): Lasso {
  const [lastX, lastY] = lasso.at(-1) ?? [Number.NEGATIVE_INFINITY, 0];
  return Math.hypot(x - lastX, y - lastY) < FINEST ? lasso : [...lasso, [x, y]];
}

/** Returns the rows inside, ascending. `positions`, (rows, 2), are those before zooming; NaN is never inside. */
export function enclosedRows(positions: Float32Array, view: View, lasso: Lasso): number[] {
  if (lasso.length < 3) return [];
  const corners = [...lasso];
  const rows: number[] = [];
  for (let row = 0; row * 2 < positions.length; row++) {
    const x = (positions[row * 2] ?? Number.NaN) * view.scale + view.x;
    const y = (positions[row * 2 + 1] ?? Number.NaN) * view.scale + view.y;
    if (Number.isFinite(x) && Number.isFinite(y) && polygonContains(corners, [x, y])) rows.push(row);
  }
  return rows;
}

/** As the path of an SVG. */
export const lassoPath = (lasso: Lasso): string =>
  lasso.length > 1 ? `M${lasso.map((corner) => corner.join(" ")).join("L")}Z` : "";
