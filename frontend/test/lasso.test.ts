import { describe, expect, test } from "vitest";
import { enclosedRows, extendLasso, type Lasso, lassoPath, WHOLE } from "../src/draw/projection";

/** Dots at (10, 10), (30, 10), (10, 30) and one without a place. */
const DOTS = Float32Array.of(10, 10, 30, 10, 10, 30, Number.NaN, Number.NaN);
const LEFT: Lasso = [
  [0, 0],
  [20, 0],
  [20, 40],
  [0, 40],
];

describe("a lasso", () => {
  test("holds the dots inside of it, in ascending order", () => {
    expect(enclosedRows(DOTS, WHOLE, LEFT)).toEqual([0, 2]);
  });

  test("goes by what is seen, not by where dots were before zooming", () => {
    expect(enclosedRows(DOTS, { scale: 2, x: -10, y: -25 }, LEFT)).toEqual([2]);
    expect(enclosedRows(DOTS, { scale: 2, x: -50, y: 0 }, LEFT)).toEqual([1]);
  });

  test("holds what is in a notch only where the line runs around it", () => {
    const notched: Lasso = [
      [0, 0],
      [40, 0],
      [40, 40],
      [20, 5],
      [0, 40],
    ];
    expect(enclosedRows(DOTS, WHOLE, notched)).toEqual([0, 1]);
  });

  test("of two corners holds nothing", () => {
    expect(enclosedRows(DOTS, WHOLE, LEFT.slice(0, 2))).toEqual([]);
  });

  test("gets no corner where the pointer hardly moved", () => {
    const one = extendLasso([], 5, 5);
    expect(extendLasso(one, 6, 5)).toBe(one);
    expect(extendLasso(one, 7, 5)).toEqual([
      [5, 5],
      [7, 5],
    ]);
    expect(lassoPath(LEFT)).toBe("M0 0L20 0L20 40L0 40Z");
  });
});
