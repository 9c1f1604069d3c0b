/** Subsets from a click: what was pointed at as a condition with a name. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { InstanceColumns, SnapshotEntry } from "../contract/activis";
import { MOST_CHARACTERS, MOST_OPERANDS } from "../contract/language";
import { combineConditions, quoteText } from "../language/tokens";
import { NO_PREDICTION } from "./judgement";
import type { MatrixRow } from "./rows";
import type { NamedCondition } from "./subset_list";
import type { Subsets } from "./subsets";

/** Values in the list of a condition, whose column is an operand too. */
export const MOST_LISTED = MOST_OPERANDS - 1;

/** The instances of a class that were taken for another one. */
export const errorsOf = (label: string): NamedCondition => ({
  name: `${label} errors`,
  condition: `label = ${quoteText(label)} AND NOT correct`,
});

/** @param predicted a class, or null for the instances that are predicted as nothing */
export const predictedAs = (predicted: string | null): NamedCondition =>
  predicted === null
    ? { name: NO_PREDICTION, condition: "predicted IS NULL" }
    : { name: `predicted ${predicted}`, condition: `predicted = ${quoteText(predicted)}` };

/** Those of a class or subset that were predicted as a class, or as nothing. */
export function cellOf(row: NamedCondition, predicted: string | null): NamedCondition {
  return {
    name: `${row.name} → ${predicted ?? NO_PREDICTION}`,
    condition: combineConditions("and", [row.condition, predictedAs(predicted).condition]),
  };
}

/** The class as a condition. */
export const labelledAs = (label: string): NamedCondition => ({
  name: label,
  condition: `label = ${quoteText(label)}`,
});

/** A class or subset as a condition; null for one that was recorded without, by a function or as a list. */
export function conditionOf(row: MatrixRow, snapshot: SnapshotEntry): NamedCondition | null {
  if (row.kind === "class") return labelledAs(row.name);
  if (row.kind === "typed") return { name: row.name, condition: row.condition };
  const condition = row.kind === "recorded" ? snapshot.subsets[row.subset]?.condition : "";
  return condition ? { name: row.name, condition } : null;
}

/** Those of a subset that meet a condition too; an empty one asks nothing more. */
export function narrowed({ name, condition }: NamedCondition, filter: string): NamedCondition {
  if (filter === "") return { name, condition };
  return { name: `${name}, ${filter}`, condition: combineConditions("and", [condition, filter]) };
}

/**
 * Sampled instances, without test cases, by id, or by their place in the stream where the ids were derived or are too long for a condition.
 *
 * @returns the subset, or a sentence that says why there is none
 */
export function listedInstances(
  name: string,
  instances: InstanceColumns,
  chosen: readonly number[],
): NamedCondition | string {
  const rows = chosen.filter((row) => !instances.example[row]);
  if (rows.length === 0) return "There is no instance that was kept individually among these; choose at least one.";
  if (rows.length > MOST_LISTED) {
    return `${rows.length} instances were chosen; a condition lists at most ${MOST_LISTED}. Choose fewer.`;
  }
  const byId = `id IN (${rows.map((row) => quoteText(instances.id[row] ?? "")).join(", ")})`;
  const byIndex = `index IN (${rows.map((row) => instances.index[row] ?? -1).join(",")})`;
  const condition = instances.ids_given && [...byId].length <= MOST_CHARACTERS ? byId : byIndex;
  if (condition.length <= MOST_CHARACTERS) return { name, condition };
  return `A list of these ${rows.length} instances has ${condition.length} characters; a condition has at most ${MOST_CHARACTERS}. Choose fewer.`;
}

export interface Pointing {
  /** Adds a subset; a sentence in its place says why there is none. */
  point: (made: NamedCondition | string) => void;
  /** What came of it, for a while. */
  said: ReadonlySignal<{ sentence: string; refused: boolean } | null>;
}

const SAID_MILLISECONDS = 8_000;

export function openPointing({ list, add }: Pick<Subsets, "list" | "add">): Pointing {
  const said = signal<{ sentence: string; refused: boolean } | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (sentence: string, refused: boolean) => {
    const saying = { sentence, refused };
    said.value = saying;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (said.peek() === saying) said.value = null;
    }, SAID_MILLISECONDS);
  };
  return {
    said,
    point: (made) => {
      if (typeof made === "string") {
        say(made, true);
        return;
      }
      const known = list.peek().find(({ condition }) => condition === made.condition);
      if (!known) add(made.condition, made.name);
      const name = known?.name ?? list.peek().at(-1)?.name ?? made.name;
      say(known ? `“${name}” is a row already` : `“${name}” is a row now`, false);
    },
  };
}
