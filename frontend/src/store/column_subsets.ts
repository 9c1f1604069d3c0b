/** Subsets of a column's values: one value, a bar of its histogram, a quarter of its numbers, as conditions with a name. */

import type { ColumnSummary } from "../contract/activis";
import { writtenNumber } from "../contract/exact_values";
import { quoteName, quoteText } from "../language/tokens";
import type { NamedCondition } from "./subset_list";

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
