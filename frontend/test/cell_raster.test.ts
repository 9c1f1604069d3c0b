import { expect, test } from "vitest";
import { createStamp, packed, pixelsOf, stampAlone } from "../src/draw/raster";

const RED = packed([200, 10, 20]);
const raster = (width: number, height: number) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) });
const alphas = (data: Uint8ClampedArray) => Array.from(data).filter((_, at) => at % 4 === 3);

test("a disc is opaque in its middle, fades at its edge, and is nothing outside", () => {
  const image = raster(9, 9);
  stampAlone(pixelsOf(image), 9, createStamp(3), [4.5, 4.5], RED);
  const alpha = alphas(image.data);
  expect(alpha[4 * 9 + 4]).toBe(255);
  expect(alpha[0]).toBe(0);
  const partly = alpha.filter((share) => share > 0 && share < 255);
  expect(partly.length).toBeGreaterThan(4);
  expect(Array.from(image.data.slice(4 * (4 * 9 + 4), 4 * (4 * 9 + 4) + 3))).toEqual([200, 10, 20]);
});

test("its area is that of the circle, wherever it stands between pixels", () => {
  for (const x of [8, 8.25, 8.5, 8.75]) {
    const image = raster(17, 17);
    stampAlone(pixelsOf(image), 17, createStamp(4), [x, 8.5], RED);
    const area = alphas(image.data).reduce((sum, share) => sum + share / 255, 0);
    expect(Math.abs(area - Math.PI * 16)).toBeLessThan(1);
  }
});

test("a disc over the edge is cut, and does not come back on the other side", () => {
  const image = raster(6, 6);
  for (const place of [
    [0, 3],
    [6, 3],
    [3, 0],
    [3, 6],
  ] as const)
    stampAlone(pixelsOf(image), 6, createStamp(2), place, RED);
  const alpha = alphas(image.data);
  expect(alpha[0]).toBe(0);
  expect(alpha[3 * 6]).toBe(255);
  const lonely = raster(6, 6);
  stampAlone(pixelsOf(lonely), 6, createStamp(2), [0, 3], RED);
  expect(
    alphas(lonely.data)
      .filter((_, at) => at % 6 > 2)
      .every((share) => share === 0),
  ).toBe(true);
});
