/** One neuron is a strip: its values across, never a picture that t-SNE made up. */

import { describe, expect, test } from "vitest";
import { WHOLE } from "../src/draw/projection";
import { endsOf, placeStrip, stripTicks } from "../src/draw/strip";
import { soleColumn } from "../src/store/numbers";

/** 112 of it are above the axis. */
const SIZE = { width: 228, height: 144 };

const across = ({ positions }: { positions: Float32Array }) => [...positions].filter((_, at) => at % 2 === 0);
const down = ({ positions }: { positions: Float32Array }) => [...positions].filter((_, at) => at % 2 === 1);

describe("a strip", () => {
  const values = Float32Array.of(0, 0.25, 1, 0.5, Number.NaN);
  const strip = placeStrip({ values, codes: [0, 0, 1, 1, 0], classes: 2, ...SIZE });

  test("has values across in proportion, between round ends", () => {
    expect([strip.low, strip.high]).toEqual([0, 1]);
    expect(across(strip)).toEqual([14, 64, 214, 114, Number.NaN]);
    expect(strip.count).toBe(4);
  });

  test("has a lane for each class that is there", () => {
    expect(down(strip).slice(0, 4)).toEqual([31, 31, 81, 81]);
    const one = placeStrip({ values, codes: [1, 1, 1, 1, 1], classes: 2, ...SIZE });
    expect(down(one).slice(0, 4)).toEqual([56, 56, 56, 56]);
  });

  test("stacks like values evenly around the middle, and keeps a crowd within its lane", () => {
    const alike = Float32Array.from({ length: 300 }, (_, row) => (row < 299 ? 0.5 : 1));
    const stacked = placeStrip({ values: alike, codes: new Int8Array(300), classes: 1, ...SIZE });
    const heights = down(stacked).slice(0, 299);
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(6);
    expect(Math.max(...heights)).toBeLessThanOrEqual(112 - 6);
    expect(new Set(heights).size).toBe(299);
    expect(heights[149]).toBeCloseTo(56, 4);
    const few = placeStrip({ values: alike.subarray(0, 2), codes: [0, 0], classes: 1, ...SIZE });
    expect(down(few)).toEqual([53.5, 58.5]);
  });

  test("is the same for the same values, and puts alike ones in its middle", () => {
    expect(placeStrip({ values, codes: [0, 0, 1, 1, 0], classes: 2, ...SIZE }).positions).toEqual(strip.positions);
    const same = placeStrip({ values: Float32Array.of(3, 3), codes: [0, 1], classes: 2, ...SIZE });
    expect(across(same)).toEqual([114, 114]);
    expect(stripTicks(same, WHOLE, SIZE.width)).toEqual([{ x: 114, text: "3" }]);
  });
});

describe("the axis of a strip", () => {
  const ends = { low: -1, high: 1 };

  test("says round values where they are", () => {
    expect(stripTicks(ends, WHOLE, 228)).toEqual([
      { x: 14, text: "−1.0" },
      { x: 64, text: "−0.5" },
      { x: 114, text: "0.0" },
      { x: 164, text: "0.5" },
      { x: 214, text: "1.0" },
    ]);
  });

  test("has finer values where it is zoomed", () => {
    const ticks = stripTicks(ends, { scale: 10, x: -1026, y: 0 }, 228);
    expect(ticks.map(({ text }) => text)).toEqual(["−0.10", "−0.05", "0.00", "0.05", "0.10"]);
    expect(ticks[2]?.x).toBeCloseTo(114, 6);
  });
});

describe("strips of several steps", () => {
  const [first, second] = [Float32Array.of(0, 1, Number.NaN), Float32Array.of(3, 4, Number.POSITIVE_INFINITY)];

  test("have one scale, and no axis where they are small", () => {
    const ends = endsOf([first, second]);
    expect(ends).toEqual([0, 4]);
    const strip = placeStrip({
      values: first,
      codes: [0, 0, 0],
      classes: 1,
      width: 228,
      height: 112,
      ends,
      axisHeight: 0,
    });
    expect([strip.low, strip.high, strip.height]).toEqual([0, 4, 112]);
    expect(across(strip)).toEqual([14, 64, Number.NaN]);
    expect(endsOf([])).toEqual([undefined, undefined]);
  });
});

describe("a layer", () => {
  const sole = (shape: [number, number], ...data: number[]) => soleColumn({ shape, data: Float32Array.from(data) });

  test("is a strip where one neuron is all there is, or the only one in which instances differ", () => {
    expect(sole([3, 1], 2, 2, 2)).toBe(0);
    expect(sole([3, 2], 1, 5, Number.NaN, 6, 1, 5)).toBe(1);
    expect(sole([3, 2], 1, 5, 2, 6, 1, 5)).toBeNull();
    expect(sole([2, 2], 1, 5, 1, 5)).toBeNull();
  });
});
