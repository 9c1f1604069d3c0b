/** Accuracy of a row, and how far it is below that over all instances. */
import { askedOutcome } from "../language/tokens";
import { accuracyOf, accuracyOfRow } from "./judgement";
import { type MatrixRow, rightByDefinition } from "./rows";
import type { SnapshotStore } from "./snapshot";
import { conditionOf } from "./subset_from_click";

export interface RowAccuracy {
  /** Instances that it is over. */
  count: number;
  correct: number;
  /** Of them, those that are predicted right. */
  share: number;
  /** Between these the share is; null where it is exact. */
  limits: readonly [number, number] | null;
  /** Standard errors that it is below the share over all; negative where it is above. */
  below: number;
  /** Whether it follows from how the row's instances were chosen. */
  byDefinition: boolean;
}

/** Standard errors below all from which a row is marked: one in 740 rows is by chance. */
const LOW_FROM = 3;

export const isLow = ({ below, byDefinition }: RowAccuracy): boolean => below > LOW_FROM && !byDefinition;

/** The accuracy of a class or subset; null of other rows, without labels, and until it is known. */
export function rowAccuracy(store: SnapshotStore, row: MatrixRow): RowAccuracy | null {
  const facts = store.factsOf(row);
  const share = facts && accuracyOfRow(facts);
  if (!facts || share === null) return null;
  const limits = accuracyLimits(store, row);
  const isCertain = store.answerOf(row)?.value?.exactness === "bound";
  return {
    count: facts.count,
    correct: facts.correct ?? 0,
    share,
    limits,
    below: errorsBelow({ count: facts.count, share, limits, isCertain }, accuracyOf(store.snapshot.value)),
    byDefinition: definedOutcome(store, row) === (share === 1) && (share === 0 || share === 1),
  };
}

interface Share {
  count: number;
  share: number;
  limits: readonly [number, number] | null;
  /** Whether the limits hold for certain, not with a confidence of 95 %. */
  isCertain: boolean;
}

/**
 * Returns how many standard errors a share is below that of the whole which it is a part of: of a draw of so many
 * instances without replacement (hypergeometric), and of the estimate where it is one. What is certain alone to be
 * within limits is taken at the higher one.
 */
export function errorsBelow(part: Share, whole: { count: number; share: number }): number {
  const share = part.isCertain && part.limits ? part.limits[1] : part.share;
  const spread = (whole.share * (1 - whole.share)) / part.count;
  const chance = spread * Math.max(0, (whole.count - part.count) / Math.max(1, whole.count - 1));
  const estimate = part.limits && !part.isCertain ? (part.limits[1] - share) / 1.96 : 0;
  const error = Math.sqrt(chance + estimate ** 2);
  return error > 0 ? (whole.share - share) / error : 0;
}

/** Of an estimate, or of rounded activations; null where the accuracy is exact. */
function accuracyLimits({ answerOf }: SnapshotStore, row: MatrixRow): readonly [number, number] | null {
  const answer = answerOf(row)?.value;
  if (!answer || answer.correct === undefined || answer.accuracy_low === answer.accuracy_high) return null;
  return [answer.accuracy_low, answer.accuracy_high];
}

/** Whether a row's instances are all right, or all wrong, because they were chosen by that; null where that was not asked. */
export function definedOutcome(
  { beside, snapshot }: Pick<SnapshotStore, "beside" | "snapshot">,
  row: MatrixRow,
): boolean | null {
  if (row.kind !== "outcome") {
    const chosen = snapshot.value && conditionOf(row, snapshot.value);
    return chosen && askedOutcome(chosen.condition);
  }
  return beside && beside.position !== row.other ? null : rightByDefinition(row.outcome, beside === null);
}
