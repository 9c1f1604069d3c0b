/** Rows that every panel shows: classes, subsets, pinned instances, and the outcomes of a comparison. */
import type { InstanceColumns, SnapshotEntry } from "../contract/activis";
import { judgementOf } from "./judgement";
import type { SubsetFacts } from "./subsets";

type RowKind = "class" | "subset" | "instance" | "temporary";

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

export type Outcome = "both_right" | "only_base" | "only_other" | "both_wrong";

export const OUTCOMES: readonly Outcome[] = ["both_right", "only_base", "only_other", "both_wrong"];

/** Which instances a row stands for: those of an outcome of the base and one of the others. */
interface OutcomeRow {
  outcome: Outcome;
  /** Position among the others. */
  other: number;
}

export const letterOf = (other: number): string => String.fromCharCode("B".charCodeAt(0) + other);

export const outcomeKey = ({ outcome, other }: OutcomeRow): string => `outcome:${outcome}:${other}`;

export function parseOutcome(key: string): OutcomeRow | null {
  const [, outcome, other] = /^outcome:(\w+):(\d+)$/.exec(key) ?? [];
  const known = OUTCOMES.find((candidate) => candidate === outcome);
  return known ? { outcome: known, other: Number(other) } : null;
}

/** `only B right`; where there are several others, between which two: `B right, A wrong`. */
export function outcomeName({ outcome, other }: OutcomeRow, others: number): string {
  const letter = letterOf(other);
  const several = others > 1;
  const names: Record<Outcome, string> = {
    both_right: several ? `A and ${letter} right` : "both right",
    only_base: several ? `A right, ${letter} wrong` : "only A right",
    only_other: several ? `${letter} right, A wrong` : `only ${letter} right`,
    both_wrong: several ? `A and ${letter} wrong` : "both wrong",
  };
  return names[outcome];
}

/** Whether the base, or the other, is right about all or none of the row's instances: by its definition. */
export function rightByDefinition(outcome: Outcome, isBase: boolean): boolean {
  return outcome === "both_right" || outcome === (isBase ? "only_base" : "only_other");
}

/** The row of an outcome; `members` are its sampled rows. */
export function outcomeRow(row: OutcomeRow, others: number, members: readonly number[]): MatrixRow {
  const name = outcomeName(row, others);
  return { key: outcomeKey(row), kind: "subset", name, id: name, subset: -1, sampled: -1, members };
}

/** Counts of sampled rows. */
export function outcomeFacts(columns: InstanceColumns, members: readonly number[]): SubsetFacts {
  const correct = members.filter((row) => judgementOf(columns, row).kind === "right").length;
  return { count: members.length, correct, predicted_counts: [], without_prediction: 0 };
}

/** What became of an instance from one model to another. */
type Change = "still right" | "broken" | "fixed" | "still wrong";

export function changeOf(wasRight: boolean, isRight: boolean): Change {
  if (wasRight) return isRight ? "still right" : "broken";
  return isRight ? "fixed" : "still wrong";
}
