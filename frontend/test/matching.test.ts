import { describe, expect, test } from "vitest";
import { columnMatching, gather, matchByClass, matchByIndex, subtract } from "../src/store/compared_layer";
import { matching } from "./samples";

describe("columns matched by the plugin", () => {
  test("keep their partners, and those that are too little alike are weak", () => {
    const found = columnMatching(matching({ correlations: [0.9, 0.3, 0.29], partners: [1, 0, 2] }), false);
    expect([...found.partners]).toEqual([1, 0, 2]);
    expect([...found.weak]).toEqual([0, 0, 1]);
    expect(found.method).toBe("best");
  });

  test("without a known correlation, a pair is weak and a gap is none", () => {
    const found = columnMatching(
      matching({ partners: [0, -1], correlations: [0, 0], known: [false, false], median_over: 0 }),
      false,
    );
    expect([...found.weak]).toEqual([1, 0]);
    expect([...(found.correlations ?? [])]).toEqual([Number.NaN, Number.NaN]);
    expect(found.median).toBeNaN();
  });

  test("of two steps of one run by index, all are one neuron each however much it changed", () => {
    const answer = matching({ method: "index", partners: [0, 1], correlations: [0.1, -0.5], known: [true, true] });
    expect([...columnMatching(answer, true).weak]).toEqual([0, 0]);
    expect([...columnMatching(answer, false).weak]).toEqual([1, 1]);
  });
});

test("without correlations, neurons stand under their numbers and the rest leaves gaps", () => {
  expect([...matchByIndex(3, 2).partners]).toEqual([0, 1, -1]);
});

test("outputs stand under the class of their name", () => {
  expect([...matchByClass(["cat", "dog", "owl"], ["dog", "cat", "bee"]).partners]).toEqual([1, 0, -1]);
});

test("values are gathered by partner, and weak or missing ones are never subtracted", () => {
  const found = columnMatching(
    matching({ partners: [2, 0, -1, 1], correlations: [0.9, 0.8, 0, 0.1], known: [true, true, false, true] }),
    false,
  );
  const other = Float32Array.of(5, 7, 11);
  expect([...gather(other, found.partners)]).toEqual([11, 5, Number.NaN, 7]);
  expect([...subtract(other, Float32Array.of(1, 2, 3, 4), found)]).toEqual([10, 3, Number.NaN, Number.NaN]);
});
