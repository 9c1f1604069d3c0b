/** A row's way through the layers: which class it is like, by numbers that can be checked by hand. */

import { describe, expect, test } from "vitest";
import { classLikeness, likest, nearestShares, strongestNeurons } from "../src/store/row_path";
import { likenessList } from "../src/views/panel/readout";

const table = (rows: number[][]) => ({
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
});

describe("likeness to the classes", () => {
  // The average of the two means is (2, 2): the first class lies at (2, -2) from it, the second at (-2, 2).
  const means = table([
    [4, 0],
    [0, 4],
  ]);

  test("is 1 in a class's direction from the average of the means, -1 against it, 0 across, however far", () => {
    expect([...classLikeness(Float32Array.of(4, 0), means, 2)]).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(-1, 12),
    ]);
    expect(classLikeness(Float32Array.of(2.5, 1.5), means, 2)[0]).toBeCloseTo(1, 12);
    expect(classLikeness(Float32Array.of(3, 3), means, 2)[0]).toBeCloseTo(0, 12);
    expect(classLikeness(Float32Array.of(3, 2), means, 2)[0]).toBeCloseTo(Math.SQRT1_2, 12);
  });

  test("is unknown for a row in the middle, a class without instances and a single class", () => {
    expect([...classLikeness(Float32Array.of(2, 2), means, 2)]).toEqual([Number.NaN, Number.NaN]);
    const empty = table([
      [4, 0],
      [Number.NaN, Number.NaN],
      [0, 4],
    ]);
    const found = classLikeness(Float32Array.of(4, 0), empty, 3);
    expect(found[0]).toBeCloseTo(1, 12);
    expect(found[1]).toBeNaN();
    expect([...classLikeness(Float32Array.of(1, 2), table([[4, 0]]), 1)]).toEqual([Number.NaN]);
  });

  test("leaves out neurons that are not finite", () => {
    const broken = table([
      [4, 0, Number.NaN],
      [0, 4, 1],
    ]);
    expect(classLikeness(Float32Array.of(4, 0, 7), broken, 2)[0]).toBeCloseTo(1, 12);
    expect(classLikeness(Float32Array.of(4, 0, Number.POSITIVE_INFINITY), broken, 2)[0]).toBeCloseTo(1, 12);
  });

  test("the shares say which class each member is most like, of others nothing", () => {
    const activations = table([
      [3, 1],
      [9, 0],
      [1, 2],
      [0, 9],
    ]);
    const found = nearestShares(activations, Uint8Array.of(1, 1, 1, 0), means, 2);
    expect([...found.shares]).toEqual([2 / 3, 1 / 3]);
    expect(found.over).toBe(3);
  });

  test("a member that is as like two classes counts for half of each", () => {
    const alike = table([
      [4, 0],
      [4, 0],
      [0, 4],
    ]);
    const found = nearestShares(table([[9, 0]]), Uint8Array.of(1), alike, 3);
    expect([...found.shares]).toEqual([0.5, 0.5, 0]);
    expect(found.over).toBe(1);
  });
});

test("the likest classes come first, of alike ones the first; unknown ones and the row's own are left out", () => {
  const likeness = Float64Array.of(0.2, 0.9, Number.NaN, 0.9, -0.3);
  expect(likest(likeness, 3)).toEqual([1, 3, 0]);
  expect(likest(likeness, 2, 1)).toEqual([3, 0]);
  expect(likest(likeness, 9)).toEqual([1, 3, 0, 4]);
});

test("of few classes all are told in their order, of a thousand those that the row is most like", () => {
  expect(likenessList(Float64Array.of(0.1, 0.9), ["cat", "dog"])).toBe("cat 0.10, dog 0.90");
  const names = Array.from({ length: 1_000 }, (_, label) => `c${label}`);
  const told = likenessList(
    Float64Array.from(names, (_, label) => label / 1_000),
    names,
  );
  expect(told.startsWith("c999 1.00, c998 1.00, ")).toBe(true);
  expect(told.endsWith("c988 0.99; 988 others are less like it")).toBe(true);
});

test("the strongest neurons come first, zero and less are none", () => {
  expect(strongestNeurons(Float32Array.of(0, 3, -1, 7, Number.NaN, 5, 4))).toEqual([3, 5, 6]);
  expect(strongestNeurons(Float32Array.of(0, -2))).toEqual([]);
});
