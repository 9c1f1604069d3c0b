/** The rows that every panel shows: classes, subsets, pinned instances and the hovered one. */

import type { InstanceColumns, SnapshotEntry } from "../contract/activis";

export type RowKind = "class" | "subset" | "instance" | "temporary";

export interface MatrixRow {
  /** The same in every step, run and layer: `class:NUM`, `subset:What is`, `typed:score < 0.6`, `instance:38`. */
  key: string;
  kind: RowKind;
  /** What to show. */
  name: string;
  /** The subset's or class's name, or the instance's id. */
  id: string;
  /** Position on the axis `subsets`; -1 for a subset that was typed in the tab, and for an instance. */
  subset: number;
  /** Position on the axis `rows`, the sampled instances; -1 for a class or subset. */
  sampled: number;
  /** Of a subset that was typed in the tab. */
  condition?: string;
  /** The sampled rows that it stands for, where it was made by comparing predictions. */
  members?: readonly number[];
  /** Whether this snapshot has nothing of the kind; it is a row of another one that is compared with it. */
  absent?: boolean;
  /** The base's row that it stands beside, where the snapshot is compared with the base. */
  base?: MatrixRow;
}

export const instanceKey = (id: string): string => `instance:${id}`;
export const typedKey = (name: string): string => `typed:${name}`;

/** Whether a row stands for many instances. */
export const isMany = (row: MatrixRow): boolean => row.kind === "class" || row.kind === "subset";

/** Rows of the classes and then of the user's subsets, in the order of the axis `subsets`. */
export function subsetRows(snapshot: SnapshotEntry): MatrixRow[] {
  return snapshot.subsets.map((subset, position) => {
    const kind = subset.kind === "class" ? "class" : "subset";
    return { key: `${kind}:${subset.name}`, kind, name: subset.name, id: subset.name, subset: position, sampled: -1 };
  });
}

/** The row of one sampled instance. */
export function instanceRow(
  instances: InstanceColumns,
  sampled: number,
  kind: "instance" | "temporary" = "instance",
): MatrixRow {
  const id = instances.id[sampled] ?? "";
  return { key: instanceKey(id), kind, name: instanceName(instances, sampled), id, subset: -1, sampled };
}

/** Rows of the pinned instances that this snapshot has. */
export function pinnedRows(instances: InstanceColumns, pinned: readonly string[]): MatrixRow[] {
  return pinned
    .map((id) => instances.id.indexOf(id))
    .filter((sampled) => sampled >= 0)
    .map((sampled) => instanceRow(instances, sampled));
}

/** What an instance is called on screen: the user's id, else its place in the stream; a test case by its name or number. */
export function instanceName(instances: InstanceColumns, sampled: number): string {
  const id = instances.id[sampled] ?? "";
  if (instances.example[sampled]) return id.replace(/^test case (?!\d+$)/, "");
  return instances.ids_given ? id : `#${instances.index[sampled] ?? "?"}`;
}

/** Returns the position of the last row that the user added since, -1 where `rows` has not only grown. */
export function newestRow(before: readonly MatrixRow[], rows: readonly MatrixRow[]): number {
  if (rows === before || rows.length <= before.length) return -1;
  const [known, now] = [keysOf(before), keysOf(rows)];
  if (before.some(({ key }) => !now.has(key))) return -1;
  return rows.findLastIndex((row) => isMadeHere(row) && !known.has(row.key));
}

const keysOf = (rows: readonly MatrixRow[]): Set<string> => new Set(rows.map(({ key }) => key));

const isMadeHere = (row: MatrixRow): boolean => row.condition !== undefined || row.members !== undefined;
