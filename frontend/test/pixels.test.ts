import { describe, expect, test } from "vitest";
import { colourInstances } from "../src/draw/colouring";
import { placeLabels } from "../src/draw/marks";
import { paintMinimap } from "../src/draw/matrix_header";
import { createRamp, LIGHT } from "../src/draw/palette";
import {
  createPaintedPoints,
  nearestRow,
  pan,
  placePoints,
  WHOLE,
  zoomAround,
  zoomPoints,
} from "../src/draw/projection";
import { createStamp, packed, paintStamp, pixelsOf, type Raster, rgbOf } from "../src/draw/raster";
import { instances } from "./samples";

const raster = (width: number, height: number): Raster => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height),
});

const pixel = ({ data, width }: Raster, x: number, y: number): number[] => [
  ...data.slice(4 * (y * width + x), 4 * (y * width + x) + 4),
];

describe("a stamp", () => {
  test("covers as much as a disc of its radius, wherever its middle lies", () => {
    for (const [x, y] of [
      [10, 10],
      [10.25, 9.6],
    ] as const) {
      const field = raster(20, 20);
      pixelsOf(field).fill(packed([0, 0, 0]));
      paintStamp(field, createStamp(3), x, y, [255, 255, 255]);
      const covered = field.data.reduce((sum, value, at) => (at % 4 === 0 ? sum + value : sum), 0) / 255;
      expect(Math.abs(covered - Math.PI * 9)).toBeLessThan(0.6);
    }
  });

  test("has its middle where it was asked for", () => {
    const field = raster(9, 9);
    paintStamp(field, createStamp(1.5), 4.5, 4.5, [255, 0, 0]);
    expect(pixel(field, 4, 4).slice(0, 3)).toEqual([255, 0, 0]);
    expect(pixel(field, 3, 4)).toEqual(pixel(field, 5, 4));
    expect(pixel(field, 4, 3)).toEqual(pixel(field, 4, 5));
  });

  test("is cut at the edges", () => {
    const field = raster(4, 4);
    paintStamp(field, createStamp(2), 0, 0, [255, 255, 255]);
    expect(pixel(field, 0, 0)[0]).toBe(255);
    expect(pixel(field, 3, 3)[0]).toBe(0);
  });
});

describe("painted dots", () => {
  const painted = createPaintedPoints(
    {
      positions: Float32Array.of(10, 10, 30, 10, Number.NaN, Number.NaN),
      codes: [0, 1, 0],
      colours: ["#ff0000", "#0000ff"],
      palette: LIGHT,
    },
    () => raster(40, 20),
    1,
  );

  test("have the colours of their codes on the card's", () => {
    expect(pixel(painted.all(), 10, 10)).toEqual([255, 0, 0, 255]);
    expect(pixel(painted.all(), 30, 10)).toEqual([0, 0, 255, 255]);
    expect(pixel(painted.all(), 20, 10)).toEqual([...rgbOf(LIGHT.card), 255]);
  });

  test("are grey where they are not lit", () => {
    const litMask = painted.lit(Uint8Array.of(0, 1, 0));
    expect(pixel(litMask, 10, 10)).toEqual([...rgbOf(LIGHT.faded), 255]);
    expect(pixel(litMask, 30, 10)).toEqual([0, 0, 255, 255]);
  });
});

describe("rings around errors", () => {
  const painted = createPaintedPoints(
    {
      positions: Float32Array.of(10, 10, 30, 10, 50, 10),
      codes: [0, 0, 1],
      colours: ["#ff0000", "#0000ff"],
      rings: [-1, 1, 2],
      palette: LIGHT,
    },
    () => raster(120, 40),
    2,
  );

  test("have the predicted class's colour around a dot of the true one; without a prediction the text's", () => {
    expect(pixel(painted.all(), 60, 20)).toEqual([255, 0, 0, 255]);
    expect(pixel(painted.all(), 67, 20).slice(0, 3)).toEqual([0, 0, 255]);
    expect(pixel(painted.all(), 107, 20).slice(0, 3)).toEqual([...rgbOf(LIGHT.text)]);
    expect(pixel(painted.all(), 27, 20).slice(0, 3)).toEqual([...rgbOf(LIGHT.card)]);
  });

  test("are there of what is lit alone", () => {
    const litMask = painted.lit(Uint8Array.of(1, 0, 1));
    expect(pixel(litMask, 67, 20).slice(0, 3)).toEqual([...rgbOf(LIGHT.card)]);
    expect(pixel(litMask, 107, 20).slice(0, 3)).toEqual([...rgbOf(LIGHT.text)]);
  });

  test("are those of the errors where dots have the true class's colour", () => {
    const columns = instances({ predicted: [0, -1, 0] });
    const ringsOf = (by: string) => colourInstances(by, columns, ["#111111", "#222222"], LIGHT).rings;
    expect([...(ringsOf("label") ?? [])]).toEqual([-1, 2, 0]);
    expect(ringsOf("predicted")).toBeNull();
    expect(ringsOf("score")).toBeNull();
  });
});

describe("a minimap", () => {
  const ramp = createRamp(LIGHT, 1, false);
  const colour = (level: number) => [...rgbOf(ramp.levels[level] ?? ""), 255];

  test("shows the strongest of the neurons that share a pixel, in the order shown", () => {
    const map = raster(2, 4);
    const rows = [Float32Array.of(0, 1, 0, 0)];
    paintMinimap({ rows, gaps: new Set(), order: Int32Array.of(0, 2, 3, 1), ramp }, map);
    expect(pixel(map, 0, 0)).toEqual(colour(0));
    expect(pixel(map, 1, 3)).toEqual(colour(63));
  });

  test("leaves a gap between groups and rows empty that are not there yet", () => {
    const map = raster(1, 10);
    const rows = [Float32Array.of(1), null];
    paintMinimap({ rows, gaps: new Set([0]), order: Int32Array.of(0), ramp }, map);
    expect([0, 3, 4, 7].map((y) => pixel(map, 0, y)[3])).toEqual([255, 255, 0, 0]);
  });

  test("of more rows than pixels keeps the strongest of the rows that share one", () => {
    const map = raster(1, 56);
    const rows = Array.from({ length: 112 }, (_, row) => Float32Array.of(row === 1 ? 1 : 0));
    paintMinimap({ rows, gaps: new Set(), order: Int32Array.of(0), ramp }, map);
    const strong = Array.from({ length: 56 }, (_, y) => y).filter((y) => pixel(map, 0, y)[0] === colour(63)[0]);
    expect(strong).toHaveLength(1);
  });
});

describe("zooming a projection", () => {
  const placed = placePoints(Float32Array.of(0, 0, 10, 10), 116, 116);

  test("keeps the point under the pointer where it is", () => {
    const view = zoomAround(WHOLE, 2, 8, 108);
    expect([...zoomPoints(placed.positions, view).slice(0, 2)]).toEqual([8, 108]);
    expect(nearestRow(placed, view, 8, 108, 3)).toBe(0);
    expect(nearestRow(placed, view, 108, 8, 3)).toBeUndefined();
  });

  test("never shows less than the whole, and moves no further than its edge", () => {
    expect(zoomAround(zoomAround(WHOLE, 2, 30, 30), 0.1, 50, 50)).toEqual(WHOLE);
    expect(pan({ scale: 2, x: 0, y: 0 }, 500, -500, 116, 116)).toEqual({ scale: 2, x: 0, y: -116 });
  });
});

describe("names in a projection", () => {
  const mark = (x: number, y: number, label: string) => ({ x, y, label, colour: "#000000" });
  const place = (...marks: ReturnType<typeof mark>[]) => placeLabels(marks, 200, 100, (text) => 6 * text.length);

  test("stand right of their ring, and left of it at the edge", () => {
    const [first, second] = place(mark(50, 50, "#1"), mark(195, 50, "#22"));
    expect(first?.left).toBe(58.5);
    expect(second?.left).toBe(195 - 8.5 - 18);
  });

  test("do not overlap each other nor another's ring", () => {
    const places = place(mark(50, 50, "#100"), mark(60, 52, "#200"), mark(56, 58, "#300"));
    const boxes = places.map(({ left, middle, text }) => ({ left, right: left + 6 * text.length, middle }));
    expect(boxes.length).toBeGreaterThan(1);
    for (const one of boxes) {
      for (const other of boxes.filter((box) => box !== one)) {
        const apart = one.right <= other.left || other.right <= one.left || Math.abs(one.middle - other.middle) >= 11;
        expect(apart).toBe(true);
      }
    }
  });

  test("are left out where there is no room, the last mark's last", () => {
    const crowd = Array.from({ length: 40 }, (_, at) => mark(100 + (at % 5), 50 + (at % 7), `#${at}`));
    const names = place(...crowd).map(({ text }) => text);
    expect(names.length).toBeLessThan(40);
    expect(place(...crowd.slice(0, 2), mark(20, 20, "last")).map(({ text }) => text)).toContain("last");
  });
});

describe("colours of instances", () => {
  const columns = instances({
    attributes: [
      {
        name: "words",
        type: "number",
        numbers: [3, 0, 9],
        present: [true, false, true],
        booleans: [],
        texts: [],
        codes: [],
        categories: [],
      },
      {
        name: "topic",
        type: "category",
        numbers: [],
        present: [],
        booleans: [],
        texts: [],
        codes: [1, 0, 1],
        categories: ["art", "law"],
      },
    ],
  });
  const colour = (by: string) => colourInstances(by, columns, ["#111111", "#222222"], LIGHT);

  test("are the true or the predicted class's", () => {
    expect([...colour("label").codes]).toEqual([0, 0, 1]);
    expect([...colour("predicted").codes]).toEqual([0, 1, 1]);
    expect(colour("attribute:gone").codes).toEqual(colour("label").codes);
  });

  test("of a number run from the smallest to the largest, without those that are missing", () => {
    const { codes, legend } = colour("attribute:words");
    expect([...codes]).toEqual([0, -1, 31]);
    expect(legend).toMatchObject({ kind: "range", low: 3, high: 9 });
  });

  test("of a number with a few far values end with most of them, and say at which ends they clip", () => {
    const numbers = Array.from({ length: 200 }, (_, row) => (row === 7 ? 1e6 : row % 100));
    const column = { ...instances().attributes[0], name: "gain", type: "number", numbers, texts: [], present: [] };
    const many = instances({
      id: numbers.map(String),
      label: numbers.map(() => 0),
      predicted: numbers.map(() => 0),
      attributes: [column as (typeof columns.attributes)[number]],
    });
    const { codes, legend } = colourInstances("attribute:gain", many, ["#111111"], LIGHT);
    expect(legend).toMatchObject({ kind: "range", clips: { low: false, high: true }, lacks: false });
    expect(legend?.kind === "range" && legend.high).toBeLessThan(100);
    expect([codes[7], codes[99]]).toEqual([31, 31]);
  });

  test("of a neuron are those of the matrix, with ends that say where they clip", () => {
    const values = Float32Array.from({ length: 300 }, (_, row) => (row === 0 ? 50 : (row % 4) * 0.5));
    values[5] = Number.NaN;
    const unsigned = colourInstances("neuron:3:hidden", columns, ["#111111"], LIGHT, { values, signed: false });
    expect(unsigned.legend).toMatchObject({ low: 0, high: 1.5, clips: { low: false, high: true }, lacks: true });
    expect([unsigned.codes[0], unsigned.codes[3], unsigned.codes[4], unsigned.codes[5]]).toEqual([31, 31, 0, -1]);
    expect(rgbOf(unsigned.colours.at(-1) ?? "")).toEqual(rgbOf(LIGHT.ramp[1]));
    const signed = colourInstances("neuron:3:hidden", columns, ["#111111"], LIGHT, { values, signed: true });
    expect(signed.legend).toMatchObject({ low: -1.5, high: 1.5 });
  });

  test("of a category go to the frequent values first", () => {
    const { codes, colours, legend } = colour("attribute:topic");
    expect([...codes]).toEqual([1, 0, 1]);
    expect(colours).toEqual([LIGHT.classes[2], LIGHT.classes[1]]);
    expect(legend).toMatchObject({ kind: "values", others: 0, entries: [{ name: "law" }, { name: "art" }] });
  });
});
