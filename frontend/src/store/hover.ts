/** Hover: what the pointer is on, and the instances that it lights everywhere. Never stored. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import { maskOf } from "./numbers";
import { type InstanceRow, instanceRow, isInstance, isMany, LIT, type MatrixRow } from "./rows";

export interface Hover {
  source: "matrix" | "label" | "condition" | "projection" | "instances" | "head";
  /** The layer whose panel it is in, where it is in one. */
  layer?: string;
  row?: MatrixRow;
  neuron?: number;
  /** Id of a node of the graph. */
  node?: string;
}

/** What is hovered, to be read and set. */
export interface Hovered {
  value: Hover | null;
  peek: () => Hover | null;
}

export interface HoverState {
  hover: Hovered;
  /** The hovered instance by its sampled row; -1 where none is. */
  instance: ReadonlySignal<number>;
  /** The class or subset whose instances are lit: the hovered one, else what was typed, looked for or kept; null: all are. */
  lit: ReadonlySignal<MatrixRow | null>;
  /** By sampled row, 1 where it is lit; null while all are. */
  litMask: ReadonlySignal<Uint8Array | null>;
  /** The hovered instance as a row of its own, where it is not pinned; else what is lit and has no row. */
  temporary: ReadonlySignal<MatrixRow | null>;
  /** The key of the hovered row, the temporary one included. */
  rowKey: ReadonlySignal<string | null>;
}

interface HoverInputs {
  hover: Hovered;
  instances: ReadonlySignal<InstanceColumns | null>;
  membership: ReadonlySignal<NpyArray<Uint8Array> | null>;
  pinned: ReadonlySignal<readonly InstanceRow[]>;
  /** What is lit while no class or subset is hovered. */
  resting: ReadonlySignal<MatrixRow | null>;
  /** The row that stands in the matrices for one that may not. */
  listed: (row: MatrixRow) => MatrixRow;
  membersOf: (condition: string) => Uint8Array | null;
  classes: ReadonlySignal<readonly string[]>;
  /** By sampled row, 1 where it is shown at all; null while all are. */
  filtered: ReadonlySignal<Uint8Array | null>;
}

export function createHover(inputs: HoverInputs): HoverState {
  const { hover, instances, membership, pinned, resting, listed, membersOf, classes, filtered } = inputs;
  const instance = computed(() => {
    const row = hover.value?.row;
    return row && isInstance(row) ? row.sampled : -1;
  });
  const hoveredRow = computed(() => {
    const row = hover.value?.row;
    return row ? listed(row) : null;
  });
  const lit = computed(() => {
    const row = hoveredRow.value;
    if (row && isMany(row)) return row;
    return resting.value && listed(resting.value);
  });
  const temporary = computed(() => {
    const sampled = instance.value;
    if (sampled < 0) return lit.value?.key.startsWith(LIT) ? lit.value : null;
    if (!instances.value || pinned.value.some((row) => row.sampled === sampled)) return null;
    return instanceRow(instances.value, sampled, "temporary");
  });
  const columns = computed(() => columnsOf(membership.value));
  const members = computed(() => {
    const row = lit.value;
    if (!row || row.kind === "absent" || row.kind === "group" || row.kind === "word" || isInstance(row)) return null;
    const rows = instances.value?.id.length ?? 0;
    if (row.kind === "outcome") return maskOf(row.members, rows);
    if (row.kind === "found") return maskOf(row.lit, rows);
    if (row.kind !== "typed") return columns.value(row.subset);
    return (
      membersOf(row.condition) ?? (instances.value && outcomeMembers(row.condition, instances.value, classes.value))
    );
  });
  return {
    hover,
    instance,
    lit,
    litMask: computed(() => (members.value && filtered.value ? both(members.value, filtered.value) : members.value)),
    temporary,
    rowKey: computed(() => hoveredRow.value?.key ?? null),
  };
}

const TEXT = "'((?:[^']|'')*)'";
const OUTCOME = new RegExp(`^(?:label = ${TEXT}(?: AND (?=.)|$))?(?:predicted = ${TEXT}|(NOT correct)|$)`);

/**
 * Returns 1 for the sampled rows that a condition about label and prediction holds for, as a cell of the table of
 * predictions has it: lit before the plugin answers. Null of other conditions.
 */
export function outcomeMembers(
  condition: string,
  { label, predicted, example }: InstanceColumns,
  classes: readonly string[],
): Uint8Array | null {
  const [whole, truth, found, wrong] = OUTCOME.exec(condition) ?? [];
  // Whether no prediction is wrong is the plugin's to say.
  const isUnsure = wrong !== undefined && predicted.some((one) => one < 0);
  if (whole !== condition || whole === "" || isUnsure) return null;
  const positionOf = (text: string | undefined) => text && classes.indexOf(text.replaceAll("''", "'"));
  const [wanted, taken] = [positionOf(truth), positionOf(found)];
  return Uint8Array.from(label, (one, row) => {
    const isIn = (wanted === undefined || one === wanted) && (taken === undefined || predicted[row] === taken);
    return Number(isIn && !example[row] && (wrong === undefined || one !== predicted[row]));
  });
}

const intersections = new WeakMap<Uint8Array, WeakMap<Uint8Array, Uint8Array>>();

/** 1 where both have it; the same array for the same two, so that pictures of it are kept. */
function both(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first === second) return first;
  const known = intersections.get(first) ?? new WeakMap<Uint8Array, Uint8Array>();
  intersections.set(first, known);
  const mask = known.get(second) ?? first.map((flag, row) => (second[row] === 1 ? flag : 0));
  known.set(second, mask);
  return mask;
}

/** Returns how to get columns of the mapping S; the same array for the same column, so that pictures of it are kept. */
function columnsOf(membership: NpyArray<Uint8Array> | null): (column: number) => Uint8Array | null {
  const known = new Map<number, Uint8Array>();
  return (column) => {
    if (!membership) return null;
    const sliced = known.get(column) ?? sliceColumn(membership, column);
    known.set(column, sliced);
    return sliced;
  };
}

/** Returns one column of the mapping S, uint8 (rows, subsets). */
function sliceColumn(membership: NpyArray<Uint8Array>, column: number): Uint8Array {
  const [rows = 0, subsets = 0] = membership.shape;
  const sliced = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) sliced[row] = membership.data[row * subsets + column] ?? 0;
  return sliced;
}
