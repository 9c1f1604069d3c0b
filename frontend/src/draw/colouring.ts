/** Colouring of a projection's dots: by a class, a score or an attribute of the instances. */

import { max, nice, quantile, quantileSorted } from "d3-array";
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
  | {
      kind: "values";
      entries: readonly { name: string; colour: string }[];
      others: number;
      /** Whether some instance has no value. */
      lacks: boolean;
    }
  | {
      kind: "range";
      low: number;
      high: number;
      isTime: boolean;
      colours: readonly string[];
      /** Whether values beyond an end have its colour. */
      clips: { low: boolean; high: boolean };
      lacks: boolean;
    };

/** Activations of one neuron, by row; NaN where there is none. */
export interface NeuronValues {
  values: Float32Array;
  /** Whether the layer has negative activations. */
  signed: boolean;
}

/**
 * Returns a colour per instance.
 *
 * @param neuron Colours by it, whatever `by` says; null where no neuron does
 * @param by `label`, `predicted`, `score`, or `attribute:` and a name; what is not there colours by `label`, which is not
 * there without labels and colours by `predicted` then
 */
export function colourInstances(
  by: string,
  instances: InstanceColumns,
  classColours: readonly string[],
  palette: Palette,
  neuron: NeuronValues | null = null,
): Colouring {
  if (neuron) return byNeuron(neuron, palette);
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

/**
 * The range is that of the finite numbers; an end that is further from the middle 98 % than these are long is theirs. What
 * is beyond an end has its colour.
 */
function byNumber(
  numbers: readonly number[],
  present: readonly boolean[] | null,
  palette: Palette,
  isTime = false,
): Colouring {
  const known = numbers.map((value, row) => ((present?.[row] ?? true) ? value : Number.NaN));
  const finite = known.filter(Number.isFinite).sort((first, second) => first - second);
  const [least, most] = [finite[0] ?? 0, finite.at(-1) ?? 0];
  const [early, late] = [quantileSorted(finite, 0.01) ?? 0, quantileSorted(finite, 0.99) ?? 0];
  const span = late > early ? late - early : Number.POSITIVE_INFINITY;
  const low = early - least > span ? early : least;
  const high = most - late > span ? late : most;
  return onScale(known, { low, high, isTime, colours: mixes(palette.sequential, STEPS) });
}

/** The matrix's colours, to the 99th percentile of the magnitudes. */
function byNeuron({ values, signed }: NeuronValues, palette: Palette): Colouring {
  const magnitudes = Array.from(values, Math.abs).filter(Number.isFinite);
  const high = nice(0, quantile(magnitudes, 0.99) || max(magnitudes) || 1, 4)[1] ?? 1;
  const colours = mixes(signed ? palette.diverging : [palette.faded, palette.ramp[1]], STEPS);
  return onScale([...values], { low: signed ? -high : 0, high, isTime: false, colours });
}

type Scale = Pick<Extract<Legend, { kind: "range" }>, "low" | "high" | "isTime" | "colours">;

/** @param numbers NaN where there is no value. */
function onScale(numbers: readonly number[], scale: Scale): Colouring {
  const { low, high, colours } = scale;
  const codes = Int32Array.from(numbers, (value) => {
    if (Number.isNaN(value)) return -1;
    if (!(high > low)) return value < low ? 0 : STEPS - 1;
    const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
    return Math.round(share * (STEPS - 1));
  });
  const clips = { low: numbers.some((value) => value < low), high: numbers.some((value) => value > high) };
  return { codes, colours, legend: { kind: "range", ...scale, clips, lacks: codes.includes(-1) }, rings: null };
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
  const others = counts.size - frequent.length;
  const legend: Legend = { kind: "values", entries, others, lacks: known.includes(-1) };
  return { codes: known, colours, legend, rings: null };
}
