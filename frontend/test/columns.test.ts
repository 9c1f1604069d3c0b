import { describe, expect, test } from "vitest";
import type { NpyArray } from "../src/contract/npy";
import { columnOrder, NAMED_NEURONS, strongestClasses } from "../src/store/layer";
import { valueScale } from "../src/store/numbers";

/** Means (subsets, neurons) from rows; neurons beyond the given ones are zero. */
function means(rows: number[][], neurons = NAMED_NEURONS + 2): NpyArray<Float32Array> {
  const data = new Float32Array(rows.length * neurons);
  rows.forEach((row, at) => {
    data.set(row, at * neurons);
  });
  return { shape: [rows.length, neurons], data };
}

const CAT = [0, 3, 1, 2];
const DOG = [4, 1, 1, 0];
const NAN = Number.NaN;

describe("the order of the neurons", () => {
  test("follows the row that sorts, strongest first", () => {
    const layer = means([CAT, DOG]);
    const order = columnOrder("class:dog", layer, 2, layer.data.subarray(18, 36));
    expect([...order.slice(0, 4)]).toEqual([0, 1, 2, 3]);
    const byCat = columnOrder("class:cat", layer, 2, layer.data.subarray(0, 18));
    expect([...byCat.slice(0, 4)]).toEqual([1, 3, 2, 0]);
  });

  test("puts missing values last and negative ones before them", () => {
    const layer = means([[NAN, -1, 2]]);
    const order = columnOrder("class:cat", layer, 1, layer.data);
    expect(order[0]).toBe(2);
    expect(order[16]).toBe(1);
    expect(order[17]).toBe(0);
  });

  test("groups neurons by the class they answer to most, silent neurons last", () => {
    const order = columnOrder("strongest", means([CAT, DOG]), 2, null);
    expect([...order.slice(0, 4)]).toEqual([1, 3, 2, 0]);
    expect(order[4]).toBe(4);
  });

  test("by variance begins with the neuron whose classes differ most", () => {
    const order = columnOrder("variance", means([CAT, DOG]), 2, null);
    expect([...order.slice(0, 4)]).toEqual([0, 1, 3, 2]);
  });

  test("stays natural in a layer small enough to have named neurons", () => {
    const layer = means([CAT], NAMED_NEURONS);
    expect([...columnOrder("class:cat", layer, 1, layer.data)]).toEqual(Array.from({ length: 16 }, (_, at) => at));
  });

  test("stays natural until the row's values are there", () => {
    expect([...columnOrder("instance:38", means([CAT]), 1, null).slice(0, 3)]).toEqual([0, 1, 2]);
  });
});

test("a neuron's strongest class ignores subsets, missing values and zeros", () => {
  const layer = means([
    [0, 3, NAN],
    [4, 1, 2],
    [9, 9, 9],
  ]);
  expect([...strongestClasses(layer, 2).slice(0, 4)]).toEqual([1, 0, 1, -1]);
});

describe("a panel's scale", () => {
  test("ends at the 99th percentile of the class means, rounded up", () => {
    expect(valueScale(means([[1.62]], 1), 1, false)).toEqual({ max: 2, signed: false });
    expect(valueScale(means([[0.43]], 1), 1, false).max).toBe(0.5);
  });

  test("leaves out subsets and missing values, and takes magnitudes", () => {
    expect(
      valueScale(
        means(
          [
            [-3.9, NAN],
            [1, 2],
            [50, 50],
          ],
          2,
        ),
        2,
        true,
      ),
    ).toEqual({ max: 4, signed: true });
  });

  test("of a layer that is all zero is 1", () => {
    expect(valueScale(means([[0, 0]], 2), 1, false).max).toBe(1);
  });
});
