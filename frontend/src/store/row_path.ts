/** Path of one row through the layers: in each, the class and the instances that it is like. */
import type { NpyArray } from "../contract/npy";
import { type LayerStore, rowValues } from "./layer";
import { sliceRow } from "./numbers";
import { isMany, type MatrixRow } from "./rows";
import type { SnapshotStore } from "./snapshot";

type Floats = NpyArray<Float32Array>;

export interface RowPath {
  /** Likeness to each class, -1 to 1, by class; NaN where it has none. */
  likeness: Float64Array;
  /** The classes that it is most like, at most two, the likest first; of a class's row the others. */
  nearest: readonly number[];
  /** By class, the share of its instances that are most like it; null of one instance, and where none is known. */
  shares: Float64Array | null;
  /** Instances that the shares are over. */
  over: number;
  /** The neurons that are strongest in it, at most `STRONGEST`, the strongest first. */
  strongest: readonly number[];
}

const STRONGEST = 3;

/** Multiplications for the shares of one row: about a millisecond. */
const MOST_WORK = 1e6;
/** A bar has no room for the shares of more classes. */
const MOST_SHARED = 72;

/** The row that is followed through the panels: the hovered one, else the one that is lit. */
export function followedRow({ rowKey, lit, rowOfKey }: SnapshotStore): MatrixRow | null {
  const known = rowOfKey(rowKey.value ?? lit.value?.key);
  return known && known.kind !== "absent" && known.kind !== "word" ? known : null;
}

/** Returns what a layer makes of a row; null until its numbers are there, and where no class has a mean. */
export function rowPath(store: SnapshotStore, layer: LayerStore, row: MatrixRow): RowPath | null {
  const means = layer.mean.state.value.value;
  const values = rowValues(layer, row);
  const snapshot = store.snapshot.value;
  if (!means || !values || !snapshot || snapshot.unlabelled) return null;
  const classes = snapshot.classes.length;
  const likeness = classLikeness(values, means, classes);
  const nearest = likest(likeness, 2, row.kind === "class" ? row.subset : -1);
  const activations = layer.activations.state.value.value;
  const litMask = isMany(row) && row.key === store.lit.value?.key ? store.litMask.value : null;
  const isShared = litMask !== null && activations !== undefined && classes <= MOST_SHARED;
  const found = isShared ? nearestShares(activations, litMask, means, classes) : null;
  return {
    likeness,
    nearest,
    shares: found?.over ? found.shares : null,
    over: found?.over ?? 0,
    strongest: strongestNeurons(values),
  };
}

/** The labels of the highest likenesses, at most `most`, the highest first; without those that are not known, and `own`. */
export function likest(likeness: Float64Array, most: number, own = -1): number[] {
  const found: number[] = [];
  likeness.forEach((value, label) => {
    if (label === own || Number.isNaN(value)) return;
    let place = found.length;
    while (place > 0 && value > at(likeness, found[place - 1] ?? 0)) place--;
    if (place >= most) return;
    found.splice(place, 0, label);
    found.length = Math.min(found.length, most);
  });
  return found;
}

const likenesses = new WeakMap<Float32Array, { means: Float32Array; likeness: Float64Array }>();

/**
 * Returns how like `values`, (neurons,), are to each class's mean: the cosine of what is left of both when the average of
 * the class means is taken away, (classes,). Neurons that are not finite everywhere take no part. The same array for the
 * same arguments.
 */
export function classLikeness(values: Float32Array, means: Floats, classes: number): Float64Array {
  const before = likenesses.get(values);
  if (before?.means === means.data) return before.likeness;
  const likeness = cosines(values, centred(means, classes));
  likenesses.set(values, { means: means.data, likeness });
  return likeness;
}

interface Centred {
  /** The average of the class means, (neurons,); NaN for neurons that take no part. */
  middle: Float64Array;
  /** What a class is above the middle, scaled to length 1, (neurons, classes); NaN for a class without any length. */
  directions: Float64Array;
  classes: number;
}

const known = new WeakMap<Float32Array, Centred>();

/** The same for the same means. */
function centred(means: Floats, classes: number): Centred {
  const found = known.get(means.data) ?? centre(means, classes);
  known.set(means.data, found);
  return found;
}

function centre(means: Floats, classes: number): Centred {
  const [, neurons = 0] = means.shape;
  const rows = Array.from({ length: classes }, (_, label) => sliceRow(means, label) ?? new Float32Array());
  const filled = rows.filter((row) => row.some(Number.isFinite));
  const middle = new Float64Array(neurons);
  for (const row of filled) {
    for (let neuron = 0; neuron < neurons; neuron++)
      middle[neuron] = at(middle, neuron) + at(row, neuron) / filled.length;
  }
  const directions = new Float64Array(neurons * classes);
  rows.forEach((row, label) => {
    direction(row, middle).forEach((value, neuron) => {
      directions[neuron * classes + label] = value;
    });
  });
  return { middle, directions, classes };
}

/** What a class is above the middle, scaled to length 1. */
function direction(row: Float32Array, middle: Float64Array): Float64Array {
  const above = middle.map((value, neuron) => {
    const difference = at(row, neuron) - value;
    return Number.isFinite(difference) ? difference : 0;
  });
  const length = Math.sqrt(above.reduce((sum, value) => sum + value * value, 0)) || Number.NaN;
  return above.map((value) => value / length);
}

function cosines(values: Float32Array, { middle, directions, classes }: Centred): Float64Array {
  const sums = new Float64Array(classes);
  let square = 0;
  for (let neuron = 0; neuron < middle.length; neuron++) {
    const above = (values[neuron] as number) - (middle[neuron] as number);
    if (!Number.isFinite(above)) continue;
    square += above * above;
    const from = neuron * classes;
    for (let label = 0; label < classes; label++) {
      sums[label] = (sums[label] as number) + above * (directions[from + label] as number);
    }
  }
  const length = Math.sqrt(square) || Number.NaN;
  for (let label = 0; label < classes; label++) sums[label] = (sums[label] as number) / length;
  return sums;
}

const shares = new WeakMap<Uint8Array, WeakMap<Float32Array, { shares: Float64Array; over: number }>>();

/**
 * Returns by class the share of the members that are most like it, and over how many: of many members of a wide layer
 * the first, which is a choice by chance, as rows stand in the order of a hash.
 *
 * @param members 1 for each sampled row that is one, (rows,).
 */
export function nearestShares(
  activations: Floats,
  members: Uint8Array,
  means: Floats,
  classes: number,
): { shares: Float64Array; over: number } {
  const byLayer = shares.get(members) ?? new WeakMap<Float32Array, { shares: Float64Array; over: number }>();
  shares.set(members, byLayer);
  const found = byLayer.get(activations.data) ?? countNearest(activations, members, means, classes);
  byLayer.set(activations.data, found);
  return found;
}

function countNearest(activations: Floats, members: Uint8Array, means: Floats, classes: number) {
  const [, neurons = 0] = activations.shape;
  const most = Math.max(1, Math.floor(MOST_WORK / Math.max(1, neurons * classes)));
  const counts = new Float64Array(classes);
  const classCentres = centred(means, classes);
  let over = 0;
  for (let row = members.indexOf(1); row >= 0 && over < most; row = members.indexOf(1, row + 1)) {
    const values = sliceRow(activations, row);
    const nearest = values ? highest(cosines(values, classCentres)) : [];
    if (nearest.length === 0) continue;
    for (const label of nearest) counts[label] = at(counts, label) + 1 / nearest.length;
    over++;
  }
  return { shares: counts.map((count) => count / over), over };
}

/** The positions of the highest number: several that are equally high share what one would have. */
function highest(values: Float64Array): number[] {
  const found: number[] = [];
  let best = Number.NEGATIVE_INFINITY;
  values.forEach((value, position) => {
    if (value > best) found.length = 0;
    if (value >= best) found.push(position);
    if (value > best) best = value;
  });
  return found;
}

/** Those with the highest activations above zero. */
export function strongestNeurons(values: Float32Array): number[] {
  const found: number[] = [];
  for (let neuron = 0; neuron < values.length; neuron++) {
    const value = at(values, neuron);
    if (!(value > 0) || (found.length === STRONGEST && value <= at(values, found[STRONGEST - 1] ?? 0))) continue;
    found.push(neuron);
    found.sort((first, second) => at(values, second) - at(values, first));
    found.length = Math.min(found.length, STRONGEST);
  }
  return found;
}

const at = (values: Float32Array | Float64Array, position: number): number => values[position] ?? Number.NaN;
