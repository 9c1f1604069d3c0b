/** Rows of tables of numbers. */

import type { NpyArray } from "../contract/npy";

/** Returns one row of a (rows, neurons) array. */
export function sliceRow(values: NpyArray<Float32Array> | undefined, row: number): Float32Array | null {
  if (!values || row < 0) return null;
  const [rows = 0, neurons = 0] = values.shape;
  return row < rows ? values.data.subarray(row * neurons, (row + 1) * neurons) : null;
}
