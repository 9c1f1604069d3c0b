/** The base's rows as another snapshot has them: classes and subsets by name, instances by id. */

import type { SnapshotEntry } from "../contract/activis";
import type { MatrixRow } from "./rows";

export interface SideRows {
  snapshot: SnapshotEntry | null;
  /** The sampled row of an instance by its id. */
  rowOf: ReadonlyMap<string, number>;
  base: SnapshotEntry | null;
  /** Ids of the base's sampled rows. */
  baseIds: readonly string[];
}

/** Returns a row of the base as it is on the other side; one that it lacks is `absent`. */
export function rowOnSide(row: MatrixRow, { snapshot, rowOf, base, baseIds }: SideRows): MatrixRow {
  if (row.members) return { ...row, base: row, members: membersOnSide(row.members, rowOf, baseIds) };
  if (row.kind === "instance" || row.kind === "temporary") {
    const sampled = rowOf.get(row.id) ?? -1;
    return { ...row, base: row, sampled, absent: sampled < 0 };
  }
  if (row.condition !== undefined) return { ...row, base: row };
  const isClass = row.kind === "class";
  const isEverything = base?.subsets[row.subset]?.kind === "all";
  const isAlike = (kind: string) => (kind === "class") === isClass && (kind === "all") === isEverything;
  const subset = snapshot?.subsets.findIndex(({ name, kind }) => name === row.name && isAlike(kind)) ?? -1;
  if (subset >= 0) return { ...row, base: row, subset };
  // What was recorded there by another name, or not at all, may still be asked about.
  const condition = isClass ? "" : (base?.subsets[row.subset]?.condition ?? "");
  if (condition !== "") return { ...row, base: row, subset, condition };
  return { ...row, base: row, subset, absent: true };
}

const translations = new WeakMap<readonly number[], WeakMap<ReadonlyMap<string, number>, readonly number[]>>();

/** The same list for the same members, so that what follows from it is kept. */
function membersOnSide(
  members: readonly number[],
  rowOf: ReadonlyMap<string, number>,
  baseIds: readonly string[],
): readonly number[] {
  const known = translations.get(members) ?? new WeakMap<ReadonlyMap<string, number>, readonly number[]>();
  translations.set(members, known);
  const translated = known.get(rowOf) ?? members.flatMap((row) => rowOf.get(baseIds[row] ?? "") ?? []);
  known.set(rowOf, translated);
  return translated;
}
