/** Who is right where: rows of the instances that two snapshots get right or wrong, together or alone. */

import type { InstanceColumns } from "../contract/activis";
import { judgementOf } from "./judgement";
import type { MatrixRow } from "./rows";
import type { SubsetFacts } from "./subsets";

export type Outcome = "both_right" | "only_base" | "only_other" | "both_wrong";

export const OUTCOMES: readonly Outcome[] = ["both_right", "only_base", "only_other", "both_wrong"];

/** Which instances a row stands for: those of an outcome of the base and one of the others. */
export interface OutcomeRow {
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
export type Change = "still right" | "broken" | "fixed" | "still wrong";

export function changeOf(wasRight: boolean, isRight: boolean): Change {
  if (wasRight) return isRight ? "still right" : "broken";
  return isRight ? "fixed" : "still wrong";
}
