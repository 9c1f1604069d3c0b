/** Vocabulary of conditions about a snapshot: its columns, classes and layers, and the values that they take. */

import type { ColumnSummaries, ColumnSummary, SnapshotEntry } from "../contract/activis";
import { numberOf, wholeOf } from "../contract/exact_values";
import type { Column, ColumnType, Vocabulary } from "../language/completion";
import { lacksPredictions, strataOf } from "./judgement";

const MEANINGS: Record<string, string> = {
  number: "number",
  category: "category",
  text: "text",
  boolean: "true or false",
  time: "time (UTC)",
  image: "picture",
  audio: "sound",
};

/** @param summaries null while they are not there: names are completed all the same. */
export function vocabularyOf(snapshot: SnapshotEntry, summaries: ColumnSummaries | null): Vocabulary {
  const classes = snapshot.subsets.filter(({ kind }) => kind === "class");
  const correct = classes.reduce((sum, subset) => sum + (subset.correct ?? 0), 0);
  const total = classes.reduce((sum, subset) => sum + subset.count, 0);
  const summaryOf = (name: string) => summaries?.columns.find((summary) => summary.name === name);
  return {
    classes: snapshot.classes,
    layers: snapshot.layers.map(({ name, neurons }) => ({ name, neurons })),
    labelled: !snapshot.unlabelled,
    misclassified: total - correct,
    columns: [
      ...snapshot.attributes.map(({ name, type }) => ({
        name,
        type: type as ColumnType,
        meaning: MEANINGS[type] ?? type,
        values: valuesOf(type, summaryOf(name)),
        beginnings: summaryOf(name)?.beginnings ?? [],
      })),
      ...outcomes(snapshot, { correct, total }, valuesOf("number", summaryOf("score"))),
    ],
  };
}

function outcomes(
  snapshot: SnapshotEntry,
  { correct, total }: { correct: number; total: number },
  scores: Column["values"],
): Column[] {
  const strata = snapshot.subsets.slice(0, strataOf(snapshot));
  const predicted = snapshot.classes.map((value, label) => {
    const known = strata.every(({ predicted_counts }) => predicted_counts.length > 0);
    const count = strata.reduce((sum, { predicted_counts }) => sum + (predicted_counts[label] ?? 0), 0);
    return { value, count: known ? count : null };
  });
  const all: Column[] = [
    {
      name: "label",
      type: "class",
      meaning: "true class",
      values: strata.map(({ name, count }) => ({ value: name, count })),
    },
    {
      name: "predicted",
      type: "class",
      meaning: lacksPredictions(snapshot) ? "predicted class; IS NULL: none" : "predicted class",
      values: predicted,
    },
    { name: "score", type: "number", meaning: "score of the predicted class", values: scores },
    {
      name: "correct",
      type: "boolean",
      meaning: "predicted as its label",
      values: [
        { value: true, count: correct },
        { value: false, count: total - correct },
      ],
    },
    { name: "id", type: "text", meaning: "id of the instance", values: [] },
    { name: "index", type: "number", meaning: "position in the stream", values: [] },
  ];
  return snapshot.unlabelled ? all.filter(({ name }) => name !== "label" && name !== "correct") : all;
}

function valuesOf(type: string, summary: ColumnSummary | undefined): Column["values"] {
  if (!summary) return [];
  if (type === "number" || type === "time") return quantiles(summary).map((value) => ({ value, count: null }));
  return summary.values.map(({ value, count }) => ({ value: type === "boolean" ? value === "true" : value, count }));
}

/** The middle one first, each once: numbers rounded to three digits, times and what no double is as they are. */
function quantiles({ type, quantiles: values, quantile_texts }: ColumnSummary): (number | bigint | string)[] {
  const inOrder = [3, 2, 4, 1, 5, 0, 6].flatMap((at) => {
    const [value, text] = [values[at], quantile_texts[at]];
    if (value === undefined) return [];
    return [type === "time" ? (text ?? "") : (wholeOf(text) ?? Number(numberOf(value, text).toPrecision(3)))];
  });
  return [...new Set(inOrder)];
}
