import { describe, expect, test } from "vitest";
import { columnAt, columnX, layoutMatrix, layoutRows, rowAt } from "../src/draw/matrix_layout";
import { shortNumber } from "../src/draw/matrix_text";
import { classColours, createRamp, DARK, LIGHT, levelOf, mixes } from "../src/draw/palette";
import { placePoints } from "../src/draw/projection";
import { rgbOf } from "../src/draw/raster";

/** Of one bank. */
const layoutColumns = (total: number, width: number, first: number) =>
  layoutMatrix(total, ["class"], { width, height: 40, bankHead: 24, alone: false }, first).columns;

describe("columns of a matrix", () => {
  test("of a small layer leave room for printed values", () => {
    expect(layoutColumns(6, 772, 0)).toMatchObject({ printed: true, pitch: 772 / 12, visible: 6 });
  });

  test("share the width while circles stay legible", () => {
    expect(layoutColumns(128, 772, 0)).toMatchObject({ pitch: 772 / 128, visible: 128, first: 0 });
  });

  test("of a wide layer are a window that stays inside the layer", () => {
    expect(layoutColumns(300, 772, 290)).toMatchObject({ pitch: 8, visible: 96, first: 204 });
  });

  test("are found again where they are drawn", () => {
    const columns = layoutColumns(300, 772, 100);
    for (const position of [100, 137, 176]) expect(columnAt(columns, columnX(columns, position))).toBe(position);
    expect(columnAt(columns, 771)).toBe(-1);
  });
});

describe("rows of a matrix", () => {
  const layout = layoutRows(["class", "class", "subset", "instance"]);

  test("stand 13 apart with a gap of 5 between groups", () => {
    expect(layout.tops).toEqual([0, 13, 31, 49]);
    expect(layout.height).toBe(62);
  });

  test("are found by height, and none in a gap", () => {
    expect([0, 12.9, 13, 28, 31, 61.9, 62].map((y) => rowAt(layout, y))).toEqual([0, 0, 1, -1, 2, 3, -1]);
  });
});

/** L* of CIE Lab, from 0 to 100. */
function lightness(colour: string): number {
  const linear = rgbOf(colour).map((channel) =>
    channel / 255 > 0.04045 ? ((channel / 255 + 0.055) / 1.055) ** 2.4 : channel / 255 / 12.92,
  );
  const luminance = [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => sum + weight * (linear[at] ?? 0), 0);
  return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
}

describe("a value's colour", () => {
  test("darkens up to the scale's end and is clipped there", () => {
    const ramp = createRamp(LIGHT, 2, false);
    const levels = [0, 0.5, 1, 2, 9].map((value) => levelOf(ramp, value));
    expect(levels[0]).toBe(0);
    expect(levels[3]).toBe(63);
    expect(levels[4]).toBe(63);
    expect(levels).toEqual([...levels].sort((first, second) => first - second));
  });

  test("diverges around zero in a signed layer", () => {
    const ramp = createRamp(LIGHT, 1, true);
    expect(levelOf(ramp, -1)).toBe(0);
    expect(levelOf(ramp, 1)).toBe(63);
    expect(ramp.levels[0]).toBe("rgb(179, 74, 0)");
    expect(ramp.levels[63]).toBe("rgb(31, 95, 174)");
  });

  test.each([LIGHT, DARK])(
    "is as much lighter or darker at every step",
    ({ ramp, sequential, diverging: [, ...half] }) => {
      for (const ends of [ramp, sequential, half]) {
        const steps = mixes(ends, 9).map(lightness);
        const [first = 0, last = 0] = [steps[0], steps[8]];
        for (const [at, step] of steps.entries()) expect(step).toBeCloseTo(first + ((last - first) * at) / 8, 0);
      }
    },
  );
});

describe("class colours", () => {
  const many = Array.from({ length: 12 }, (_, at) => `c${at}`);

  test("are fixed by position for up to ten classes", () => {
    expect(classColours(LIGHT, ["ABBR", "DESC", "NUM"], [])).toEqual(["#45B5DA", "#2B62AE", "#C9AE2A"]);
  });

  test("of more classes go to the chosen ones, the others are grey", () => {
    const colours = classColours(LIGHT, many, ["c9", "c2", "c5", "gone"]);
    expect(colours[9]).toBe("#45B5DA");
    expect(colours[2]).toBe("#2B62AE");
    expect(colours[5]).toBe("#C9AE2A");
    expect(colours[0]).toBe(LIGHT.otherClass);
  });

  test("of more classes go to the first ten without a choice", () => {
    expect(classColours(LIGHT, many, []).filter((colour) => colour === LIGHT.otherClass)).toHaveLength(2);
  });
});

describe("a projection", () => {
  const placed = placePoints(Float32Array.of(0, 0, 10, 5, Number.NaN, Number.NaN), 116, 66);

  test("fits its box with one scale for both axes, y upwards", () => {
    expect([...placed.positions.slice(0, 4)]).toEqual([8, 58, 108, 8]);
  });

  test("finds the nearest instance within reach and none without a place", () => {
    expect(placed.index().find(10, 56, 8)).toBe(0);
    expect(placed.index().find(58, 30, 8)).toBeUndefined();
    expect(placed.count).toBe(2);
  });

  test("of identical points stands in the middle", () => {
    expect([...placePoints(Float32Array.of(3, 3, 3, 3), 100, 60).positions]).toEqual([50, 30, 50, 30]);
  });
});

test("printed numbers are short", () => {
  expect([0.954, 0.004, 12.345, 321.5, 12345, -0.5].map(shortNumber)).toEqual([
    "0.95",
    "4e-3",
    "12.35",
    "322",
    "1e+4",
    "-0.50",
  ]);
});
