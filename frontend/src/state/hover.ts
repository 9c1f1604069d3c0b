/** What the pointer is on, and what that lights elsewhere. Never stored. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import { instanceRow, type MatrixRow } from "./rows";

export interface Hover {
  source: "matrix" | "label" | "projection" | "instances" | "head";
  /** The layer whose panel it is in, where it is in one. */
  layer?: string;
  row?: MatrixRow;
  neuron?: number;
  /** Id of a node of the graph. */
  node?: string;
}

export interface HoverState {
  hover: Signal<Hover | null>;
  /** The hovered instance by its sampled row; -1 where none is. */
  instance: ReadonlySignal<number>;
  /** The hovered instance as a row of its own, where it is not pinned. */
  temporary: ReadonlySignal<MatrixRow | null>;
  /** The key of the hovered row, the temporary one included. */
  rowKey: ReadonlySignal<string | null>;
  /** By sampled row, 1 where the hovered class or subset has it; null while no such row is hovered. */
  lit: ReadonlySignal<Uint8Array | null>;
}

export function createHover(
  instances: ReadonlySignal<InstanceColumns | null>,
  membership: ReadonlySignal<NpyArray<Uint8Array> | null>,
  pinned: ReadonlySignal<readonly MatrixRow[]>,
): HoverState {
  const hover = signal<Hover | null>(null);
  const instance = computed(() => hover.value?.row?.sampled ?? -1);
  const temporary = computed(() => {
    const sampled = instance.value;
    if (sampled < 0 || !instances.value || pinned.value.some((row) => row.sampled === sampled)) return null;
    return instanceRow(instances.value, sampled, "temporary");
  });
  const subset = computed(() => hover.value?.row?.subset ?? -1);
  const lit = computed(() => {
    const column = subset.value;
    return membership.value && column >= 0 ? sliceColumn(membership.value, column) : null;
  });
  return { hover, instance, temporary, rowKey: computed(() => hover.value?.row?.key ?? null), lit };
}

/** Returns one column of the mapping S, uint8 (rows, subsets). */
function sliceColumn(membership: NpyArray<Uint8Array>, column: number): Uint8Array {
  const [rows = 0, subsets = 0] = membership.shape;
  return Uint8Array.from({ length: rows }, (_, row) => membership.data[row * subsets + column] ?? 0);
}
