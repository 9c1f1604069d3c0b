/** Relative values are those that NumPy gives, or none. */

import { describe, expect, test } from "vitest";
import { overallMoments, relativeValues } from "../src/store/relative";

const moments = (mean: number[], std: number[], means: number[][]) =>
  overallMoments(
    { shape: [2, mean.length], data: Float64Array.from([...mean, ...std]) },
    { shape: [means.length, mean.length], data: Float32Array.from(means.flat()) },
    means.length,
  );

describe("relative values", () => {
  test("are distances from the mean over all in standard deviations over all", () => {
    const over = moments([2, -1], [0.5, 4], [[2, -1]]);
    expect([...relativeValues(Float32Array.of(3, -3), over)]).toEqual([2, -0.5]);
  });

  test("are 0 where all instances are alike, and none where nothing is known", () => {
    const over = moments([0, 3, Number.NaN], [0, 0, Number.NaN], [[0, 3, Number.NaN]]);
    expect([...relativeValues(Float32Array.of(0, 3, Number.NaN), over)]).toEqual([0, 0, Number.NaN]);
    expect([...relativeValues(Float32Array.of(1, 4, 1), over)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(relativeValues(Float32Array.of(Number.NaN, 3, 0), over)[0]).toBeNaN();
  });

  test("are none where single precision leaves them open", () => {
    const over = moments([1e6, 1e6], [0.1, 1000], [[1e6, 1e6]]);
    const [open, sure] = relativeValues(Float32Array.of(1e6 + 0.0625, 1e6 + 500), over);
    expect(open).toBeNaN();
    expect(sure).toBeCloseTo(0.5, 3);
  });

  test("of one array are one array, so that pictures are kept", () => {
    const over = moments([1], [1], [[1]]);
    const values = Float32Array.of(2);
    expect(relativeValues(values, over)).toBe(relativeValues(values, over));
    expect(relativeValues(values, moments([0], [1], [[1]]))[0]).toBe(2);
  });
});
