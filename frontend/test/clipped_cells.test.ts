/** What lies beyond a scale is seen at its cell, and said at the scale's end. */

import { expect, test } from "vitest";
import { drawCells } from "../src/draw/matrix";
import type { ColumnLayout } from "../src/draw/matrix_layout";
import { createRamp, DARK, isClipped, LIGHT } from "../src/draw/palette";
import { SvgContext } from "../src/draw/svg_context";
import { extremesOf } from "../src/store/numbers";

/** By colour, how many shapes a row of cells is filled with. */
function filled(values: number[], signed: boolean, palette = LIGHT): Record<string, number> {
  const context = SvgContext.create(() => ({ width: 7 }) as TextMetrics);
  const shape = { printed: false, pitch: 12, radius: 5, rowHeight: 13 };
  const columns: ColumnLayout = { ...shape, first: 0, visible: values.length, total: values.length };
  const row = { top: 0, values: Float32Array.from(values), shares: null };
  const order = Int32Array.from(values, (_, at) => at);
  drawCells(context, [row], { order, columns, ramp: createRamp(palette, 1, signed), palette, width: 240 });
  const text = context.document(240, 20);
  const colours = [...text.matchAll(/<path d="M[^"]*" fill="([^"]+)"/g)].map(([, colour]) => colour ?? "");
  return Object.fromEntries([...new Set(colours)].map((name) => [name, colours.filter((one) => one === name).length]));
}

test.each([
  ["light", LIGHT],
  ["dark", DARK],
])("a clipped cell has an outline in the text's colour, %s", (_, palette) => {
  expect(filled([-1.5, -1, 0.5, 1, 1.01, Number.NaN, Number.POSITIVE_INFINITY], true, palette)[palette.text]).toBe(2);
  expect(filled([-1, 0.5, 1], true, palette)[palette.text]).toBeUndefined();
});

test("the outline is apart from a colour that is as dark", () => {
  const colours = filled([0.5, 1.5, 2], false);
  expect([colours[LIGHT.text], colours[LIGHT.card]]).toEqual([2, 2]);
});

test("a scale clips what is beyond its end, on the side that it has", () => {
  expect([1, 1.1, -1.1].map((value) => isClipped(createRamp(LIGHT, 1, true), value))).toEqual([false, true, true]);
  expect([1, 1.1, -1.1].map((value) => isClipped(createRamp(LIGHT, 1, false), value))).toEqual([false, true, false]);
});

test("the extremes of a row are those of its finite values", () => {
  const values = Float32Array.of(Number.NaN, -2, 3, Number.POSITIVE_INFINITY);
  expect(extremesOf(values)).toEqual({ low: -2, high: 3 });
  expect(extremesOf(values)).toBe(extremesOf(values));
});
