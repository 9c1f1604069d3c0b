/** Positions of sampled instances: the words of their texts, and what the neurons of a layer do at each. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { LayerPositions } from "../contract/activis";
import type { Client, SnapshotReference } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import { type Cache, createResource } from "./resource";

/** What one neuron does at the words of one instance. */
export interface WordValues {
  /** Those of padding are empty. */
  words: readonly string[];
  /** (words,); NaN where the layer has no position for one. */
  values: Float32Array;
  /** The number of the word whose value is the neuron's; that of no word where padding decided, null where it is not known. */
  decided: number | null;
  /** The largest magnitude at all positions that are kept. */
  most: number;
  /** So many words before and after its own does a position see. */
  before: number;
  after: number;
}

/** Words of some sampled instances, and what the layer's neurons do at them. */
export interface KeptPositions {
  /** Of these instances, ascending. */
  rows: readonly number[];
  /** Of one of them, in order; those of padding are empty. */
  wordsOf: (row: number) => readonly string[];
  /** At one of them, (neurons,); NaN where the layer has no position for it. */
  valuesOf: (row: number, number: number) => Float32Array;
  /** Of one neuron at all of them; null where nothing is kept of the instance. */
  ofNeuron: (row: number, neuron: number) => WordValues | null;
}

export interface FetchedPositions extends NpyArray<Uint8Array> {
  positions: LayerPositions;
  /** Position of each maximum, (rows, neurons); without rows where none is recorded. */
  maxima: NpyArray<Uint16Array>;
}

interface Fetching {
  client: Client;
  cache: Cache;
  view: { key: ReadonlySignal<string> };
}

/** Asks for what is kept of a layer, once. */
export function followPositions(
  layer: string,
  reference: ReadonlySignal<SnapshotReference | null>,
  { client, cache, view }: Fetching,
) {
  const fetched = createResource<FetchedPositions>(() => {
    const { value: current } = reference;
    if (!current) return null;
    const load = async (signal: AbortSignal) => {
      const [positions, codes, maxima] = await Promise.all([
        client.positions(current, layer, signal),
        client.positionCodes(current, layer, signal),
        client.positionMaxima(current, layer, signal),
      ]);
      return { ...codes, positions, maxima };
    };
    return { key: `positions ${layer} ${view.key.value}`, subject: JSON.stringify(current), load };
  }, cache);
  return {
    positions: computed(() => (fetched.state.value.value ? keptPositions(fetched.state.value.value) : null)),
    dispose: fetched.dispose,
  };
}

const NO_WORDS: readonly string[] = [];
const NONE = 255;
const UNKNOWN = 65_535;

/** Returns null where nothing is kept of words. */
export function keptPositions({ shape, data, positions, maxima }: FetchedPositions): KeptPositions | null {
  const { rows, starts, text_starts, texts, origin, scale, before, after } = positions;
  if (rows.length === 0 || text_starts.length === 0) return null;
  const [, neurons = 0] = shape;
  const places = new Map(rows.map((row, at) => [row, at]));
  const most = new Map<number, number>();
  const activationAt = (position: number, neuron: number) => {
    const code = data[position * neurons + neuron] ?? NONE;
    if (code === 0) return 0;
    return code === NONE ? Number.NaN : (origin[neuron] ?? 0) + (code - 0.5) * (scale[neuron] ?? 0);
  };
  /** Of the word of an instance; NaN where there is none. */
  const positionOf = (at: number, number: number) => {
    const position = (starts[at] ?? Number.NaN) + number - before;
    return number >= before && position < (starts[at + 1] ?? 0) ? position : Number.NaN;
  };
  const wordsOf = (row: number) => {
    const at = places.get(row);
    return at === undefined ? NO_WORDS : texts.slice(text_starts[at], text_starts[at + 1]);
  };
  const mostOf = (neuron: number) => {
    let largest = most.get(neuron);
    if (largest === undefined) {
      largest = 0;
      for (let position = 0; position * neurons < data.length; position++) {
        const value = Math.abs(activationAt(position, neuron));
        if (value > largest) largest = value;
      }
      most.set(neuron, largest);
    }
    return largest;
  };
  const decidedBy = (row: number, neuron: number) => {
    const position = maxima.data[row * neurons + neuron];
    return position === undefined || position === UNKNOWN || maxima.shape[1] !== neurons ? null : position + before;
  };
  return {
    rows,
    wordsOf,
    valuesOf: (row, number) => {
      const position = positionOf(places.get(row) ?? -1, number);
      return Float32Array.from({ length: neurons }, (_, neuron) => activationAt(position, neuron));
    },
    ofNeuron: (row, neuron) => {
      const at = places.get(row);
      if (at === undefined || neuron >= neurons) return null;
      const words = wordsOf(row);
      const values = Float32Array.from(words, (_, number) => activationAt(positionOf(at, number), neuron));
      return { words, values, decided: decidedBy(row, neuron), most: mostOf(neuron), before, after };
    },
  };
}
