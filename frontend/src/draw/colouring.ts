/** Colouring of a projection's dots: by a class, a score or an attribute of the instances. */

import { extent } from "d3-array";
import type { AttributeColumn, InstanceColumns } from "../contract/activis";
import { isColourable } from "../contract/attributes";
import { numberOf } from "../contract/exact_values";
import { categorical, mixes, type Palette } from "./palette";

export interface Colouring {
  /** By row, which of `colours`; -1 where the value is missing. */
  codes: Int32Array;
  colours: readonly string[];
  /** What the colours mean; null for the classes, whose legend stands elsewhere. */
  legend: Legend | null;
  /**
   * By row, which of `colours` a ring has around an error's dot: its predicted class, `colours.length` where it has no
   * prediction; -1 around no ring. Null where the dots do not show true classes.
   */
  rings: Int32Array | null;
}

export type Legend =
  | { kind: "values"; entries: readonly { name: string; colour: string }[]; others: number }
  | { kind: "range"; low: number; high: number; isTime: boolean; colours: readonly string[] };

/**
 * Returns a colour per instance.
 *
 * @param by `label`, `predicted`, `score`, or `attribute:` and a name; what is not there colours by `label`, which is not
 * there without labels and colours by `predicted` then
 */
export function colourInstances(
  by: string,
  instances: InstanceColumns,
  classColours: readonly string[],
  palette: Palette,
): Colouring {
  const attribute = instances.attributes.find((column) => by === `attribute:${column.name}` && isColourable(column));
  const isPredicted = instances.predicted.map((code) => code >= 0);
  if (by === "score") return byNumber(instances.score, isPredicted, palette);
  if (attribute?.type === "number" || attribute?.type === "time") {
    const numbers = attribute.numbers.map((double, row) => numberOf(double, attribute.texts[row]));
    return byNumber(numbers, presence(attribute), palette, attribute.type === "time");
  }
  if (attribute?.type === "boolean") {
    return byCategory(attribute.booleans.map(Number), ["false", "true"], presence(attribute), palette);
  }
  if (attribute) return byCategory(attribute.codes, attribute.categories, presence(attribute), palette);
  if (by === "predicted" || !hasLabels(instances)) {
    return { codes: Int32Array.from(instances.predicted), colours: classColours, legend: null, rings: null };
  }
  const rings = errorRings(instances, classColours.length);
  return { codes: Int32Array.from(instances.label), colours: classColours, legend: null, rings };
}

/** Not around test cases, which are diamonds. */
const errorRings = ({ label, predicted, example }: InstanceColumns, classes: number): Int32Array =>
  Int32Array.from(label, (truth, row) => {
    const found = predicted[row] ?? -1;
    if (truth < 0 || found === truth || example[row]) return -1;
    return found < 0 ? classes : found;
  });

/** Whether the recorded instances have true classes, those of test cases aside. */
export const hasLabels = ({ label, example }: InstanceColumns): boolean =>
  label.some((code, row) => code >= 0 && !example[row]);

const presence = ({ present }: AttributeColumn): readonly boolean[] | null => (present.length > 0 ? present : null);

const STEPS = 32;

/** The range is that of the finite numbers; infinite ones have the colours of its ends. */
function byNumber(
  numbers: readonly number[],
  present: readonly boolean[] | null,
  palette: Palette,
  isTime = false,
): Colouring {
  const isKnown = (value: number, row: number) => (present?.[row] ?? true) && !Number.isNaN(value);
  const [low = 0, high = 0] = extent(numbers.filter((value, row) => isKnown(value, row) && Number.isFinite(value)));
  const colours = mixes(palette.sequential, STEPS);
  const codes = Int32Array.from(numbers, (value, row) => {
    if (!isKnown(value, row)) return -1;
    if (!(high > low)) return value < low ? 0 : STEPS - 1;
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    return Math.round(share * (STEPS - 1));
  });
  return { codes, colours, legend: { kind: "range", low, high, isTime, colours }, rings: null };
}

/** The most frequent values have a colour each, the others share one. */
function byCategory(
  codes: readonly number[],
  names: readonly string[],
  present: readonly boolean[] | null,
  palette: Palette,
): Colouring {
  const counts = new Map<number, number>();
  const known = Int32Array.from(codes, (code, row) => ((present?.[row] ?? true) ? code : -1));
  for (const code of known) if (code >= 0) counts.set(code, (counts.get(code) ?? 0) + 1);
  const frequent = [...counts.keys()]
    .sort((first, second) => (counts.get(second) ?? 0) - (counts.get(first) ?? 0) || first - second)
    .slice(0, palette.classes.length);
  const ranked = categorical(palette, frequent.length);
  const colours = names.map((_, code) => ranked[frequent.indexOf(code)] ?? palette.otherClass);
  const entries = frequent.map((code) => ({ name: names[code] ?? "", colour: colours[code] ?? palette.otherClass }));
  const legend: Legend = { kind: "values", entries, others: counts.size - frequent.length };
  return { codes: known, colours, legend, rings: null };
}
