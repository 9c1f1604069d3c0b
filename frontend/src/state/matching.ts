/** Which column of another snapshot stands under which column of the base. */

import type { NeuronMatching } from "../contract/activis";

/** Less alike than this, two neurons are not subtracted from each other. */
export const WEAK = 0.3;

export interface ColumnMatching {
  /** By the largest sum of correlations, by number, or, for the models' outputs, by the classes' names. */
  method: "best" | "index" | "classes";
  /** (neurons,) of the base: the other's neuron, -1 for none. */
  partners: Int32Array;
  /** (neurons,) of the base: Pearson's r with the partner, NaN where it is not known; null where nobody asked. */
  correlations: Float64Array | null;
  /** (neurons,) of the base: 1 where there is a partner that is too little alike. */
  weak: Uint8Array;
  /** Of the known correlations; NaN where there are none. */
  median: number;
  /** The same of neurons that share a number. */
  medianByIndex: number;
  /** Instances that the correlations are over. */
  over: number;
}

/** @param sameModel Whether neurons of one number are one neuron, so that all can be subtracted. */
export function columnMatching(answer: NeuronMatching, sameModel: boolean): ColumnMatching {
  const partners = Int32Array.from(answer.partners);
  const correlations = Float64Array.from(answer.correlations, (r, neuron) => (answer.known[neuron] ? r : Number.NaN));
  const trusted = sameModel && answer.method === "index";
  const isWeak = (neuron: number) =>
    !trusted && (partners[neuron] ?? -1) >= 0 && !((correlations[neuron] ?? 0) >= WEAK);
  return {
    method: answer.method === "index" ? "index" : "best",
    partners,
    correlations,
    weak: Uint8Array.from(partners, (_, neuron) => Number(isWeak(neuron))),
    median: answer.median_over > 0 ? answer.median : Number.NaN,
    medianByIndex: answer.median_by_index_over > 0 ? answer.median_by_index : Number.NaN,
    over: answer.over,
  };
}

/** Neurons under their own numbers: what is left where nothing is known of how alike they are. */
export function matchByIndex(neurons: number, otherNeurons: number): ColumnMatching {
  const partners = Int32Array.from({ length: neurons }, (_, neuron) => (neuron < otherNeurons ? neuron : -1));
  return unmeasured("index", partners);
}

/** Outputs under the class that they stand for. */
export function matchByClass(classes: readonly string[], otherClasses: readonly string[]): ColumnMatching {
  return unmeasured(
    "classes",
    Int32Array.from(classes, (name) => otherClasses.indexOf(name)),
  );
}

const unmeasured = (method: ColumnMatching["method"], partners: Int32Array): ColumnMatching => ({
  method,
  partners,
  correlations: null,
  weak: new Uint8Array(partners.length),
  median: Number.NaN,
  medianByIndex: Number.NaN,
  over: 0,
});

/** Returns another snapshot's values under the base's neurons, NaN where there is no partner. */
export function gather(values: Float32Array, partners: Int32Array): Float32Array {
  return Float32Array.from(partners, (partner) => (partner < 0 ? Number.NaN : (values[partner] ?? Number.NaN)));
}

/** Returns B - A by the base's neurons; NaN where there is no partner or a weak one. */
export function subtract(other: Float32Array, base: Float32Array, { partners, weak }: ColumnMatching): Float32Array {
  return gather(other, partners).map((value, neuron) =>
    weak[neuron] === 1 ? Number.NaN : value - (base[neuron] ?? Number.NaN),
  );
}
