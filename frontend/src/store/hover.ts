/** Hover: what the pointer is on, and what that highlights elsewhere. Never stored. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import { maskOf } from "./numbers";
import { type InstanceRow, instanceRow, isInstance, isMany, type MatrixRow } from "./rows";

export interface Hover {
  source: "matrix" | "label" | "projection" | "instances" | "head";
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
  /** The hovered instance as a row of its own, where it is not pinned. */
  temporary: ReadonlySignal<MatrixRow | null>;
  /** The key of the hovered row, the temporary one included. */
  rowKey: ReadonlySignal<string | null>;
  /** Key of the class or subset that lights its instances: the hovered one, else the locked one. */
  highlightedKey: ReadonlySignal<string | null>;
  /** By sampled row, 1 where that class or subset has it; null while there is none. */
  highlighted: ReadonlySignal<Uint8Array | null>;
}

export function createHover(
  hover: Hovered,
  instances: ReadonlySignal<InstanceColumns | null>,
  membership: ReadonlySignal<NpyArray<Uint8Array> | null>,
  pinned: ReadonlySignal<readonly InstanceRow[]>,
  locked: ReadonlySignal<MatrixRow | null>,
  membersOf: (condition: string) => Uint8Array | null = () => null,
): HoverState {
  const instance = computed(() => {
    const row = hover.value?.row;
    return row && isInstance(row) ? row.sampled : -1;
  });
  const temporary = computed(() => {
    const sampled = instance.value;
    if (sampled < 0 || !instances.value || pinned.value.some((row) => row.sampled === sampled)) return null;
    return instanceRow(instances.value, sampled, "temporary");
  });
  const highlightedRow = computed(() => {
    const row = hover.value?.row;
    return row && isMany(row) ? row : locked.value;
  });
  const highlightedKey = computed(() => highlightedRow.value?.key ?? null);
  const columns = computed(() => columnsOf(membership.value));
  const highlighted = computed(() => {
    const row = highlightedRow.value;
    if (!row || row.kind === "absent" || isInstance(row)) return null;
    if (row.kind === "outcome") return maskOf(row.members, instances.value?.id.length ?? 0);
    return row.kind === "typed" ? membersOf(row.condition) : columns.value(row.subset);
  });
  return {
    hover,
    instance,
    temporary,
    rowKey: computed(() => hover.value?.row?.key ?? null),
    highlightedKey,
    highlighted,
  };
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
