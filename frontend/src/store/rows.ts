/** Rows that every panel shows: classes, subsets, pinned instances, and the outcomes of a comparison. */
import type { InstanceColumns, SnapshotEntry, SubsetDescription } from "../contract/activis";
import { judgementOf } from "./judgement";

interface Row {
  /** The same in every step, run and layer: `class:NUM`, `subset:What is`, `typed:score < 0.6`, `instance:38`. */
  key: string;
  /** What to show. */
  name: string;
}

/** Row that was recorded: a class, all instances where there are no labels, or a subset of the user's. */
export interface RecordedRow extends Row {
  kind: "class" | "all" | "recorded";
  /** Position on the axis `subsets`. */
  subset: number;
}

/** Subset that is asked about by its condition: it was typed in the tab, or recorded in another snapshot only. */
export interface TypedRow extends Row {
  kind: "typed";
  condition: string;
}

/** Instances that were chosen by comparing predictions. */
export interface OutcomeRow extends Row, OutcomeReference {
  kind: "outcome";
  /** The sampled rows that it stands for. */
  members: readonly number[];
}

/** Instances that are looked for by a text. */
export interface FoundRow extends Row {
  kind: "found";
  /** The sampled rows that it stands for. */
  members: readonly number[];
  /** These and the test cases that are found. */
  lit: readonly number[];
}

/** Sampled instance: pinned, or hovered as a row for a while. */
export interface InstanceRow extends Row {
  kind: "instance" | "temporary";
  id: string;
  /** Position on the axis `rows`, the sampled instances. */
  sampled: number;
}

/** Word of a layer whose positions have words: of all instances, or at one place of one; it is a row of that layer alone. */
export interface WordRow extends Row {
  kind: "word";
  /** Positions of all instances with it; null where it came too seldom to be counted. */
  count: number | null;
  /** Means at the positions with it, or what is there at one of them; (neurons,). */
  values: Float32Array;
  /** Which word of which instance it is, `word 4 of #38`; empty where it stands for all positions with it. */
  place: string;
  /** The instances that it lights; null where it is not known which contain it. */
  instances: FoundRow | null;
}

type PresentRow = RecordedRow | TypedRow | OutcomeRow | FoundRow | InstanceRow;

/** Row of another snapshot, compared with this one, which has nothing of the kind. */
interface AbsentRow extends Row {
  kind: "absent";
  /** As the other snapshot has it. */
  of: PresentRow;
}

/** Heading of rows that have an attribute in common. */
export interface GroupRow extends Row {
  kind: "group";
  /** `class`, `other`, or `attribute:` and its name. */
  id: string;
  block: "class" | "subset";
  members: readonly MatrixRow[];
  /** Whether they follow. */
  isOpen: boolean;
}

export type MatrixRow = PresentRow | AbsentRow | GroupRow | WordRow;

export const absentRow = (of: PresentRow): AbsentRow => ({ kind: "absent", key: of.key, name: of.name, of });

export const instanceKey = (id: string): string => `instance:${id}`;
export const typedKey = (name: string): string => `typed:${name}`;
export const wordKey = (text: string): string => `word:${text}`;
/** @param number Of the word in the instance, from 0 on. */
export const placeKey = (id: string, number: number): string => `place:${number}:${id}`;

/** What a row's key of a word says of it; null of other rows. */
export function wordOfKey(key: string): string | null {
  const [, text, number, id] = /^(?:word:(.*)|place:(\d+):(.*))$/s.exec(key) ?? [];
  return text ?? (number === undefined ? null : `word ${Number(number) + 1} of ${id}`);
}

/** How the keys of rows begin that are shown only while they are lit. */
export const LIT = "lit:";

export const isInstance = (row: MatrixRow): row is InstanceRow => row.kind === "instance" || row.kind === "temporary";

/** Whether a row stands for many instances; one that is absent, as it does elsewhere. */
export const isMany = (row: MatrixRow): boolean =>
  row.kind !== "group" && row.kind !== "word" && !isInstance(row.kind === "absent" ? row.of : row);

/** Name of the block of rows that it stands in. */
export function blockOf(row: MatrixRow): "class" | "subset" | "instance" | "temporary" {
  if (row.kind === "group") return row.block;
  const { kind } = row.kind === "absent" ? row.of : row;
  return kind === "class" || kind === "instance" || kind === "temporary" ? kind : "subset";
}

/** Sampled rows of the pinned instances. */
export const pinnedOf = (rows: readonly MatrixRow[]): number[] =>
  rows.flatMap((row) => (row.kind === "instance" ? [row.sampled] : []));

/** Kind of the row of a subset that was recorded. */
export const recordedKind = ({ kind }: SnapshotEntry["subsets"][number]): RecordedRow["kind"] =>
  kind === "class" || kind === "all" ? kind : "recorded";

/** Rows of the classes and then of the user's subsets, in the order of the axis `subsets`. */
export const subsetRows = (snapshot: SnapshotEntry): RecordedRow[] =>
  snapshot.subsets.map((entry, subset) => {
    const kind = recordedKind(entry);
    return { kind, key: `${kind === "class" ? "class" : "subset"}:${entry.name}`, name: entry.name, subset };
  });

/** The row of one sampled instance. */
export function instanceRow(
  instances: InstanceColumns,
  sampled: number,
  kind: InstanceRow["kind"] = "instance",
): InstanceRow {
  const id = instances.id[sampled] ?? "";
  return { kind, key: instanceKey(id), name: instanceName(instances, sampled), id, sampled };
}

/** Rows of the pinned instances that this snapshot has. */
export function pinnedRows(instances: InstanceColumns, pinned: readonly string[]): InstanceRow[] {
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

/** Whether the user made it in the tab, and can take it away. */
export const isMadeHere = (row: MatrixRow): row is TypedRow | OutcomeRow =>
  row.kind === "typed" || row.kind === "outcome";

export type Outcome = "both_right" | "only_base" | "only_other" | "both_wrong";

export const OUTCOMES: readonly Outcome[] = ["both_right", "only_base", "only_other", "both_wrong"];

/** Which instances a row stands for: those of an outcome of the base and one of the others. */
interface OutcomeReference {
  outcome: Outcome;
  /** Position among the others. */
  other: number;
}

export const letterOf = (other: number): string => String.fromCharCode("B".charCodeAt(0) + other);

export const outcomeKey = ({ outcome, other }: OutcomeReference): string => `outcome:${outcome}:${other}`;

export function parseOutcome(key: string): OutcomeReference | null {
  const [, outcome, other] = /^outcome:(\w+):(\d+)$/.exec(key) ?? [];
  const known = OUTCOMES.find((candidate) => candidate === outcome);
  return known ? { outcome: known, other: Number(other) } : null;
}

/** `only B right`; where there are several others, between which two: `B right, A wrong`. */
export function outcomeName({ outcome, other }: OutcomeReference, others: number): string {
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
export const outcomeRow = (
  { outcome, other }: OutcomeReference,
  others: number,
  members: readonly number[],
): OutcomeRow => ({
  kind: "outcome",
  key: outcomeKey({ outcome, other }),
  name: outcomeName({ outcome, other }, others),
  outcome,
  other,
  members,
});

export type SubsetFacts = Pick<SubsetDescription, "count" | "correct" | "predicted_counts" | "without_prediction">;

/** Counts of sampled rows. */
export function sampledFacts(columns: InstanceColumns, members: readonly number[]): SubsetFacts {
  const correct = members.filter((row) => judgementOf(columns, row).kind === "right").length;
  return { count: members.length, correct, predicted_counts: [], without_prediction: 0 };
}

/** What became of an instance from one model to another. */
type Change = "still right" | "broken" | "fixed" | "still wrong";

export function changeOf(wasRight: boolean, isRight: boolean): Change {
  if (wasRight) return isRight ? "still right" : "broken";
  return isRight ? "fixed" : "still wrong";
}
