import { describe, expect, test } from "vitest";
import { scaleEnd } from "../src/draw/matrix_header";
import { comparedKeys, compareKey, renamedInSort, standardisedDifference } from "../src/store/row_comparison";

const moments = (mean: number[], std: number[] | null, count: number[] | number) => ({
  mean: Float32Array.from(mean),
  std: std && Float32Array.from(std),
  count: typeof count === "number" ? count : Float32Array.from(count),
});

describe("the standardised difference of two groups", () => {
  // By hand: (5 - 2) / sqrt((1 + 9) / 2) = 3 / sqrt(5), and sqrt(14 / 40 + 1.8 / 28) with n = 10 and 4.
  test("is measured by the root of the mean variance, with Hedges and Olkin's error", () => {
    const difference = standardisedDifference(moments([5], [1], [10]), moments([2], [3], 4));
    expect(difference?.measure).toBe("d");
    expect(difference?.values[0]).toBeCloseTo(1.3416407865, 9);
    expect(difference?.errors?.[0]).toBeCloseTo(Math.sqrt(0.35 + 1.8 / 28), 9);
    expect(difference?.errors?.[0]).toBeCloseTo(0.6436503, 6);
  });

  // sqrt(1 / 10 + 0.5² / 5 + d² / 28): an error of 0.5 in place of 3 / sqrt(4), in units of sqrt(5).
  test("of an estimated mean has its own error, and none where too little was sampled", () => {
    const errors = (error: number) => ({ ...moments([2], [3], 4), errors: Float64Array.of(error) });
    const difference = standardisedDifference(moments([5], [1], [10]), errors(0.5));
    expect(difference?.errors?.[0]).toBeCloseTo(Math.sqrt(0.1 + 0.05 + 1.8 / 28), 9);
    expect(standardisedDifference(moments([5], [1], [10]), errors(Number.NaN))?.errors?.[0]).toBeNaN();
  });

  test("is negative where the second is higher, with the same error", () => {
    const difference = standardisedDifference(moments([2], [3], 4), moments([5], [1], 10));
    expect(difference?.values[0]).toBeCloseTo(-1.3416407865, 9);
    expect(difference?.errors?.[0]).toBeCloseTo(0.6436503, 6);
  });

  test("is nought for equal means, endless where nothing varies, unknown where a mean is", () => {
    const first = moments([1, 3, 1, Number.NaN], [2, 0, 0, 1], 5);
    const second = moments([1, 1, 1, 1], [2, 0, 0, 1], 5);
    const difference = standardisedDifference(first, second);
    expect([...(difference?.values ?? [])]).toEqual([0, Number.POSITIVE_INFINITY, 0, Number.NaN]);
    expect(difference?.errors?.[0]).toBeCloseTo(Math.sqrt(0.4), 9);
    expect(difference?.errors?.[1]).toBeNaN();
  });
});

describe("one instance", () => {
  test("has a z-value against a group, by the group's deviation alone", () => {
    const group = moments([2], [0.5], 100);
    const instance = moments([3.5], null, 1);
    expect(standardisedDifference(instance, group)).toEqual({ measure: "z", values: Float64Array.of(3), errors: null });
    expect(standardisedDifference(group, instance)?.values).toEqual(Float64Array.of(-3));
  });

  test("has nothing to be measured by against another one", () => {
    expect(standardisedDifference(moments([1], null, 1), moments([2], null, 1))).toBeNull();
  });
});

describe("the scale of differences", () => {
  test("ends at a whole number, one at least, whatever cannot be shown", () => {
    expect(scaleEnd([0.1, -0.2])).toBe(1);
    expect(scaleEnd([1, -3.5, Number.NaN, Number.POSITIVE_INFINITY])).toBe(4);
    expect(scaleEnd([-4.1])).toBe(5);
  });
});

describe("the sort key of two rows", () => {
  test("gives back the keys, whatever is in them", () => {
    const keys = ["typed:a, b < 'c'", "class:100 %"] as const;
    expect(comparedKeys(compareKey(...keys))).toEqual(keys);
    expect(comparedKeys("class:compare")).toBeNull();
    expect(comparedKeys("compare:class%3Acat")).toBeNull();
  });

  test("follows a row to its new name", () => {
    const sort = compareKey("typed:old", "class:cat");
    expect(renamedInSort(sort, "typed:old", "typed:new")).toBe(compareKey("typed:new", "class:cat"));
    expect(renamedInSort("typed:old", "typed:old", "typed:new")).toBe("typed:new");
    expect(renamedInSort("variance", "typed:old", "typed:new")).toBe("variance");
  });
});
