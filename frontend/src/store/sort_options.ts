/** Orders of the neurons that can be chosen, and what each is called. */

import type { SnapshotEntry } from "../contract/activis";
import { isMany, type MatrixRow, wordOfKey } from "./rows";

export interface SortOption {
  value: string;
  label: string;
}

/**
 * @param sort The one that is chosen.
 * @param compared Two rows that are compared; null where none are.
 */
export function sortOptions(
  { unlabelled }: SnapshotEntry,
  rows: readonly MatrixRow[],
  sort: string,
  compared: readonly MatrixRow[] | null,
): SortOption[] {
  const word = wordOfKey(sort);
  return [
    ...(unlabelled
      ? [{ value: "strongest", label: "mean" }]
      : [
          { value: "strongest", label: "strongest class" },
          { value: "variance", label: "variance between classes" },
        ]),
    { value: "natural", label: "natural order" },
    ...rows.map((row) => ({ value: row.key, label: isMany(row) ? `${row.name} mean` : row.name })),
    ...(word === null ? [] : [{ value: sort, label: `${word} mean` }]),
    ...(compared ? [{ value: sort, label: compared.map(({ name }) => name).join(" − ") }] : []),
  ];
}
