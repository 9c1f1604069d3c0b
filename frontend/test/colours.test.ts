import { describe, expect, test } from "vitest";
import { classColours, DARK, LIGHT, mixes, type Palette, textOn } from "../src/draw/palette";
import { rgbOf } from "../src/draw/raster";

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Simulations of dichromats, severity 1, on linear RGB: Machado, Oliveira and Fernandes, 2009, table 1. */
const SIMULATIONS: Record<string, Matrix> = {
  "no deficiency": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const XYZ: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];

const multiply = (matrix: Matrix, vector: Triple): Triple => {
  const [first, second, third] = matrix.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]);
  return [first ?? 0, second ?? 0, third ?? 0];
};

/** Linear RGB of `#rrggbb`. */
function linear(colour: string): Triple {
  const channel = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function lab(rgb: Triple): Triple {
  const inside = rgb.map((value) => Math.min(1, Math.max(0, value))) as unknown as Triple;
  const white = multiply(XYZ, [1, 1, 1]);
  const [x, y, z] = multiply(XYZ, inside).map((value, at) => {
    const share = value / (white[at] ?? 1);
    return share > 216 / 24389 ? Math.cbrt(share) : ((24389 / 27) * share + 16) / 116;
  }) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function smallestDistance(colours: readonly string[], simulation: Matrix): number {
  const seen = colours.map((colour) => lab(multiply(simulation, linear(colour))));
  const distances = seen.flatMap((first, at) =>
    seen.slice(at + 1).map((second) => Math.hypot(...first.map((value, axis) => value - (second[axis] ?? 0)))),
  );
  return Math.min(...distances);
}

const luminance = (colour: string): number => multiply(XYZ, linear(colour))[1];

function contrast(first: string, second: string): number {
  const [low = 0, high = 0] = [luminance(first), luminance(second)].sort((one, other) => one - other);
  return (high + 0.05) / (low + 0.05);
}

/** `colour` seen through `rgba(r, g, b, alpha)` that lies on it. */
function under(layer: string, colour: string): string {
  const [red = 0, green = 0, blue = 0, alpha = 0] = (layer.match(/[\d.]+/g) ?? []).map(Number);
  const channels = [red, green, blue].map((value, at) => {
    const below = Number.parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);
    return Math.round(value * alpha + below * (1 - alpha))
      .toString(16)
      .padStart(2, "0");
  });
  return `#${channels.join("")}`;
}

test("the simulation agrees with the published distance of the six-class picture", () => {
  const worst = (colours: readonly string[]) =>
    Math.min(...Object.values(SIMULATIONS).map((simulation) => smallestDistance(colours.slice(0, 6), simulation)));
  expect(worst(LIGHT.classes)).toBeCloseTo(15.0, 1);
  expect(worst(DARK.classes)).toBeCloseTo(16.3, 1);
});

describe.each([
  ["light", LIGHT, 15.0],
  ["dark", DARK, 16.3],
] as const)("the %s theme", (_name, palette: Palette, least: number) => {
  test.each(Object.entries(SIMULATIONS))("keeps ten classes apart with %s", (_simulation, matrix) => {
    expect(palette.classes.length).toBe(10);
    expect(smallestDistance(palette.classes, matrix)).toBeGreaterThanOrEqual(least);
  });

  test.each(Object.entries(SIMULATIONS))(
    "keeps every class apart from grey and from the card with %s",
    (_s, matrix) => {
      for (const colour of palette.classes) {
        expect(smallestDistance([colour, palette.faded], matrix), colour).toBeGreaterThan(10);
        expect(smallestDistance([colour, palette.card], matrix), colour).toBeGreaterThan(10);
      }
    },
  );

  test("has text of 4.5:1 on everything that text stands on", () => {
    const { card, group, field, hover, band, background } = palette;
    const grounds = [card, group, field, hover, background, under(band, card), under(band, group)];
    for (const ground of grounds) {
      for (const text of [palette.text, palette.secondary, palette.wrong]) {
        expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    for (const text of [palette.tertiary, palette.right, palette.accent]) {
      for (const ground of [card, group]) {
        expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(palette.accent, under(band, card))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(palette.operatorText, palette.operator)).toBeGreaterThanOrEqual(4.5);
  });

  test("has numbers of 4.5:1 on every shade of the ramp", () => {
    for (const shade of mixes(palette.ramp, 64)) {
      const hex = `#${rgbOf(shade)
        .map((channel) => channel.toString(16).padStart(2, "0"))
        .join("")}`;
      expect(contrast(textOn(shade), hex), shade).toBeGreaterThanOrEqual(4.5);
    }
  });

  test("gives two classes, or two chosen ones, blue and yellow, which nobody takes for each other", () => {
    const pair = classColours(palette, ["negative", "positive"], []);
    expect(pair).toEqual([palette.classes[1], palette.classes[2]]);
    const names = Array.from({ length: 11 }, (_, label) => `class ${label}`);
    expect(classColours(palette, names, ["class 10", "class 3"]).filter((colour) => pair.includes(colour))).toEqual([
      pair[1],
      pair[0],
    ]);
    for (const [name, matrix] of Object.entries(SIMULATIONS)) {
      expect(smallestDistance(pair, matrix), name).toBeGreaterThanOrEqual(57);
      expect(smallestDistance(palette.classes.slice(0, 2), matrix), name).toBeLessThan(45);
    }
    expect(contrast(pair[0] ?? "", pair[1] ?? ""), "without any hue").toBeGreaterThanOrEqual(2);
  });

  test("gives ten classes a colour each, and of eleven the first ten or the chosen ones", () => {
    const names = Array.from({ length: 11 }, (_, label) => `class ${label}`);
    expect(new Set(classColours(palette, names.slice(0, 10), [])).size).toBe(10);
    expect(classColours(palette, names, []).at(-1)).toBe(palette.otherClass);
    const chosen = classColours(palette, names, ["class 10"]);
    expect(chosen.at(-1)).toBe(palette.classes[0]);
    expect(new Set(chosen.slice(0, 10))).toEqual(new Set([palette.otherClass]));
  });
});
