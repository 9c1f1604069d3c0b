/** Subsets from a click: what was pointed at as a condition with a name. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { ColumnSummary, InstanceColumns, SnapshotEntry } from "../contract/activis";
import { writtenNumber } from "../contract/exact_values";
import { MOST_CHARACTERS, MOST_OPERANDS } from "../contract/language";
import { combineConditions, quoteName, quoteText } from "../language/tokens";
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

/** The instances with a value of a column. */
export function withValue({ name, type }: Pick<ColumnSummary, "name" | "type">, value: string): NamedCondition {
  if (type === "number") return { name: `${name}: ${value}`, condition: `${quoteName(name)} = ${value}` };
  if (type !== "boolean") return { name: `${name}: ${value}`, condition: `${quoteName(name)} = ${quoteText(value)}` };
  const isTrue = value === "true";
  return { name: isTrue ? name : `not ${name}`, condition: isTrue ? quoteName(name) : `NOT ${quoteName(name)}` };
}

/** A bound of an interval, of a time in seconds since 1970, and what it is exactly where a double is not enough. */
export interface Bound {
  value: number;
  text: string;
}

/** An interval of a number or a time: from the lower bound on, to below the upper one or to it. */
interface Interval {
  low: Bound;
  high: Bound;
  /** Which bounds belong to it. */
  closed: "low" | "high" | "both";
}

export function withinInterval(
  { name, type }: Pick<ColumnSummary, "name" | "type">,
  { low, high, closed }: Interval,
): NamedCondition {
  const column = quoteName(name);
  const [from, to] = [low, high].map(({ value, text }) =>
    type === "time" ? quoteText(text) : writtenNumber(value, text),
  );
  if (closed === "both" && from === to) return { name: `${name} ${short(low)}`, condition: `${column} = ${from}` };
  const condition = `${column} ${closed === "high" ? ">" : ">="} ${from} AND ${column} ${closed === "low" ? "<" : "<="} ${to}`;
  return { name: `${name} ${short(low)}–${short(high)}`, condition };
}

const short = ({ value, text }: Bound): string => text || String(Number(value.toPrecision(3)));

const boundOf = (values: readonly number[], texts: readonly string[], at: number): Bound => ({
  value: values[at] ?? Number.NaN,
  text: texts[at] ?? "",
});

/** The bars of a histogram, the last one with its upper edge; of whole numbers, from one to another. */
export function binsOf({ edges, edge_texts, counts, whole }: ColumnSummary): (Interval & { count: number })[] {
  return counts.map((count, at) => {
    const [low, high] = [boundOf(edges, edge_texts, at), boundOf(edges, edge_texts, at + 1)];
    if (whole) return { low, high: { value: Math.max(low.value, high.value - 1), text: "" }, closed: "both", count };
    return { low, high, closed: at === counts.length - 1 ? "both" : "low", count };
  });
}

/** The quarters of a number's values; those that hold nothing, because many values are equal, are left out. */
export function quartersOf({ quantiles, quantile_texts, whole }: ColumnSummary): Interval[] {
  if (quantiles.length < 7) return [];
  const edges = [0, 2, 3, 4, 6].map((at) => boundOf(quantiles, quantile_texts, at));
  return edges.slice(0, -1).flatMap((low, at) => {
    const high = edges[at + 1] ?? low;
    if (at > 0 && low.value === high.value && low.text === high.text) return [];
    // Above one whole number is from the next on.
    if (whole && at > 0 && low.text === "") return [{ low: { value: low.value + 1, text: "" }, high, closed: "both" }];
    return [{ low, high, closed: at === 0 ? "both" : "high" }];
  });
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
