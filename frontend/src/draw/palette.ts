/** Colours of both themes, as one value that style sheets and canvases share. */

import { pairs } from "d3-array";
import { interpolateLab } from "d3-interpolate";
import { rgbOf } from "./raster";

export interface Palette {
  background: string;
  card: string;
  line: string;
  text: string;
  secondary: string;
  tertiary: string;
  accent: string;
  /** The hovered row's and column's band. */
  band: string;
  /** The temporary row. */
  hover: string;
  hoverRing: string;
  recorded: string;
  wrong: string;
  right: string;
  /** Points and squares that are not lit. */
  faded: string;
  /** An operator, and its name. */
  operator: string;
  operatorText: string;
  field: string;
  group: string;
  shadow: string;
  bar: string;
  barTrack: string;
  /** By class while there are at most `classes.length`; `categorical` chooses. */
  classes: readonly string[];
  /** A class without a colour of its own. */
  otherClass: string;
  /** Activation zero and the scale's maximum. */
  ramp: readonly [string, string];
  /** The scale's minimum, zero and maximum for layers with negative values. */
  diverging: readonly [string, string, string];
  /** The smallest and the largest number that dots are coloured by. */
  sequential: readonly [string, string];
  /** The runs that are compared with the base, whose colour is the accent. */
  runB: string;
  runC: string;
  runD: string;
  runE: string;
}

export const LIGHT: Palette = {
  background: "#f5f5f5",
  card: "#ffffff",
  line: "#e3e5e8",
  text: "#212121",
  secondary: "#5f6368",
  tertiary: "#6b7177",
  accent: "#1a67d2",
  band: "rgba(26, 103, 210, 0.1)",
  hover: "#fff4d6",
  hoverRing: "#f0b429",
  recorded: "#ffd54f",
  wrong: "#c5221f",
  right: "#188038",
  faded: "#dfe1e4",
  operator: "#3c4043",
  operatorText: "#ffffff",
  field: "#f1f3f4",
  group: "#fafafa",
  shadow: "0 1px 2px rgba(0, 0, 0, 0.16)",
  bar: "#6b7177",
  barTrack: "#eceef0",
  classes: [
    ...["#45B5DA", "#2B62AE", "#C9AE2A", "#F0727F", "#127A3A"],
    ...["#8A2480", "#96D269", "#87780F", "#C378FF", "#B42D69"],
  ],
  otherClass: "#9aa0a6",
  ramp: ["#eef0f2", "#0e0f10"],
  diverging: ["#b34a00", "#f1f2f4", "#1f5fae"],
  sequential: ["#f2b84b", "#4a1486"],
  runB: "#b34a00",
  runC: "#00695c",
  runD: "#7b1fa2",
  runE: "#5d4037",
};

export const DARK: Palette = {
  background: "#232425",
  card: "#2f3031",
  line: "#47494b",
  text: "#e8eaed",
  secondary: "#b3b8bd",
  tertiary: "#9aa0a6",
  accent: "#8ab4f8",
  band: "rgba(138, 180, 248, 0.15)",
  hover: "#4a4126",
  hoverRing: "#f6c343",
  recorded: "#ffd54f",
  wrong: "#f6a199",
  right: "#81c995",
  faded: "#4a4c4f",
  operator: "#b3b8bd",
  operatorText: "#232425",
  field: "#3b3d3f",
  group: "#353638",
  shadow: "0 1px 2px rgba(0, 0, 0, 0.5)",
  bar: "#9aa0a6",
  barTrack: "#3f4143",
  classes: [
    ...["#8FE3FF", "#4F8FE0", "#E3CD4E", "#FF9AA5", "#3FAE63"],
    ...["#D35FB0", "#C3F096", "#785A0F", "#A5962D", "#2D784B"],
  ],
  otherClass: "#80868b",
  ramp: ["#3b3d3f", "#ffffff"],
  diverging: ["#ffab52", "#3b3d3f", "#6fb1ff"],
  sequential: ["#6d5bb3", "#ffe08a"],
  runB: "#ffab52",
  runC: "#4db6ac",
  runD: "#ce93d8",
  runE: "#bcaaa4",
};

/** The ground, the text and what is selected in the system's contrast theme, as `rgb(…)`. */
export interface SystemColours {
  canvas: string;
  text: string;
  highlight: string;
}

/**
 * Returns the palette of a contrast theme: what is data keeps the colour that it has on a light or a dark ground, all
 * else is the system's.
 */
export function forcedPalette({ canvas, text, highlight }: SystemColours): Palette {
  const base = luminanceOf(canvas) < luminanceOf(text) ? DARK : LIGHT;
  const weak = mix(canvas, text, 0.1);
  const quiet = mix(canvas, text, 0.3);
  const grounds = {
    background: canvas,
    card: canvas,
    field: canvas,
    group: canvas,
    hover: canvas,
    operatorText: canvas,
  };
  const lines = { line: text, text, secondary: text, tertiary: text, operator: text, bar: text };
  const chosen = { accent: highlight, hoverRing: highlight, faded: quiet, barTrack: quiet };
  const scales = { ramp: [weak, text], diverging: [base.diverging[0], weak, base.diverging[2]] } as const;
  return { ...base, ...grounds, ...lines, ...chosen, ...scales };
}

/** Black or white, whichever is legible on the colour: 4.5:1 at least. */
export const textOn = (colour: string): string => (luminanceOf(colour) > 0.179 ? "#000000" : "#ffffff");

/** Relative luminance as the contrast ratio of WCAG takes it. */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = rgbOf(colour).map((value) =>
    value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * Returns so many colours for classes or values, at most as many as there are. Two are blue and yellow, which differ for
 * everybody; the palette's first two are both blue.
 */
export const categorical = ({ classes }: Palette, count: number): readonly string[] =>
  count === 2 ? classes.slice(1, 3) : classes.slice(0, count);

/**
 * Returns a colour per class. Up to ten classes have one each; of more, only the chosen ones, so that colours stay
 * apart, and without a choice the first ten.
 */
export function classColours(palette: Palette, classes: readonly string[], chosen: readonly string[]): string[] {
  const limit = palette.classes.length;
  if (classes.length <= limit) return [...categorical(palette, classes.length)];
  const coloured = chosen.filter((name) => classes.includes(name)).slice(0, limit);
  const holders = coloured.length > 0 ? coloured : classes.slice(0, limit);
  const colours = categorical(palette, holders.length);
  return classes.map((name) => colours[holders.indexOf(name)] ?? palette.otherClass);
}

const LEVELS = 64;

/** Colours of a scale's values in steps: from zero to the maximum, or through zero for signed layers. */
export interface Ramp {
  signed: boolean;
  max: number;
  /** Colours by level, evenly spaced after the exponent is applied. */
  levels: readonly string[];
}

// Less than one, so that weak activations still differ from none.
const EXPONENT = 0.75;

/** The scale of differences: the diverging one the other way round, blue where the first of two is higher. */
export const differenceColours = ({ diverging: [low, zero, high] }: Palette): Palette["diverging"] => [high, zero, low];

/** @param colours Of the minimum, zero and the maximum. */
export function createRamp(palette: Palette, max: number, signed: boolean, colours = palette.diverging): Ramp {
  return { signed, max, levels: mixes(signed ? colours : palette.ramp, LEVELS) };
}

/** Returns the level of a finite value; values beyond the scale are clipped. */
export function levelOf(ramp: Ramp, value: number): number {
  const strength = Math.min(1, Math.abs(value) / ramp.max) ** EXPONENT;
  if (!ramp.signed) return value > 0 ? Math.round(strength * (LEVELS - 1)) : 0;
  return Math.round(((1 + Math.sign(value) * strength) / 2) * (LEVELS - 1));
}

/** Whether a value lies beyond the end of the scale, whose colour it has. */
export const isClipped = ({ signed, max }: Ramp, value: number): boolean => (signed ? Math.abs(value) : value) > max;

/** Mixes two colours as they are perceived, in CIE Lab; `share` 0 is the first. */
export const mix = (first: string, second: string, share: number): string => interpolateLab(first, second)(share);

/** Returns `count` colours from the first to the last of `stops`, with steps that are perceived as even. */
export function mixes(stops: readonly string[], count: number): string[] {
  const parts = pairs(stops, interpolateLab);
  return Array.from({ length: count }, (_, at) => {
    const position = (parts.length * at) / (count - 1);
    const part = Math.min(Math.floor(position), parts.length - 1);
    return parts[part]?.(position - part) ?? "";
  });
}
