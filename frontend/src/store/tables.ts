/** Tables of what is shown, for export: CSV for spreadsheets, JSON for programs. */
import type { AttributeColumn, InstanceColumns, SnapshotEntry } from "../contract/activis";
import { numberOf, wholeOf } from "../contract/exact_values";
import { judgementOf } from "./judgement";
import { type LayerStore, shownValues, typedStatistic } from "./layer";
import { relativeValue } from "./relative";
import { unfolded } from "./row_order";
import { blockOf, isMany, type MatrixRow } from "./rows";
import type { SnapshotStore } from "./snapshot";

/** A bigint is a whole number that no double is. */
export type Cell = string | number | bigint | boolean | null;
export type Table = readonly (readonly Cell[])[];

/** Writes CSV as RFC 4180 has it; a text that a spreadsheet would take for a formula gets a leading apostrophe. */
export function formatCsv(table: Table): string {
  return table.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell).replace("Infinity", "inf");
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Writes JSON; numbers that it has not, and programs would round, are texts. */
export const formatJson = (content: unknown): string =>
  `${JSON.stringify(content, (_, value) => (isExact(value) ? value : String(value).replace("Infinity", "inf")), 2)}\n`;

const isExact = (value: unknown): boolean =>
  typeof value !== "bigint" && value !== Number.POSITIVE_INFINITY && value !== Number.NEGATIVE_INFINITY;

/** The matrix of a layer as shown: a line per row, neurons in the order on screen. */
export function matrixTable(store: SnapshotStore, layer: LayerStore): Table {
  const order = [...(layer.columns.peek() ?? [])];
  const unit = layer.isRelative.peek() ? ", sd from the mean over all" : "";
  const header = ["kind", "row", "instances", ...order.map((neuron) => `neuron ${neuron}${unit}`)];
  const lines = unfolded(store.shown.peek().rows).flatMap((row) => [
    [
      row.kind === "word" ? row.kind : blockOf(row),
      row.name,
      isMany(row) || row.kind === "word" ? (store.factsOf(row)?.count ?? null) : 1,
      ...valuesInOrder(layer, row, order),
    ],
    ...limitLines(store, layer, row, order),
  ]);
  return [header, ...lines];
}

/** Of an estimate, the two ends of the 95 % intervals; empty cells where the sample is too small to say. */
function limitLines(store: SnapshotStore, layer: LayerStore, row: MatrixRow, order: readonly number[]): Cell[][] {
  const answer = store.answerOf(row)?.value;
  const ends = typedStatistic(layer.typedMeans, row)?.interval?.data;
  if (!answer || !ends) return [];
  const moments = layer.isRelative.peek() ? layer.overall.peek() : null;
  const measured = (value: number, neuron: number) => (moments ? relativeValue(value, moments, neuron) : value);
  const end = (kind: string, count: number, from: number) => [
    ...[kind, row.name, count],
    ...order.map((neuron) => finiteOrNull(measured(ends[neuron + from] ?? Number.NaN, neuron))),
  ];
  return [end("95 % from", answer.count_low, 0), end("95 % to", answer.count_high, ends.length / 2)];
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

function valuesInOrder(layer: LayerStore, row: MatrixRow, order: readonly number[]): Cell[] {
  const values = shownValues(layer, row);
  return order.map((neuron) => shortestFloat(values?.[neuron] ?? Number.NaN));
}

/** A float32 in as few digits as give it back; null where there is no value. */
export function shortestFloat(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return Number(value.toPrecision(9));
}

interface InstanceRecord {
  id: string;
  index: number;
  /** Null where there is none. */
  label: string | null;
  predicted: string | null;
  score: number | null;
  /** Whether it was asked for by name. */
  always: boolean;
  /** Whether it is a test case of the user's own. */
  example: boolean;
  attributes: Record<string, Cell>;
}

/** Sampled rows as records; pictures and audio are left out. */
export function instanceRecords(
  snapshot: SnapshotEntry,
  instances: InstanceColumns,
  rows: readonly number[],
): InstanceRecord[] {
  const columns = instances.attributes.filter(({ type }) => type !== "image" && type !== "audio");
  return rows.map((row) => ({
    id: instances.id[row] ?? "",
    index: instances.index[row] ?? -1,
    label: snapshot.classes[instances.label[row] ?? -1] ?? null,
    predicted: snapshot.classes[instances.predicted[row] ?? -1] ?? null,
    score: judgementOf(instances, row).kind === "nothing" ? null : shortestFloat(instances.score[row] ?? Number.NaN),
    always: instances.always[row] ?? false,
    example: instances.example[row] ?? false,
    attributes: Object.fromEntries(columns.map((column) => [column.name, attributeValue(column, row)])),
  }));
}

/** Records as a table, a column per attribute. */
export function recordTable(records: readonly InstanceRecord[]): Table {
  const names = Object.keys(records[0]?.attributes ?? {});
  return [
    ["id", "index", "label", "predicted", "score", "always", "example", ...names],
    ...records.map(({ id, index, label, predicted, score, always, example, attributes }) => [
      ...[id, index, label, predicted, score, always, example],
      ...names.map((name) => attributes[name] ?? null),
    ]),
  ];
}

/** Whether an instance has a value of an attribute. */
export const isPresent = (column: AttributeColumn, row: number): boolean =>
  column.present.length === 0 || column.present[row] === true;

/** An attribute's value; null where it is missing. */
export function attributeValue(column: AttributeColumn, row: number): Cell {
  if (!isPresent(column, row)) return null;
  if (column.type === "number") {
    const double = column.numbers[row];
    return double === undefined ? null : (wholeOf(column.texts[row]) ?? numberOf(double, column.texts[row]));
  }
  if (column.type === "boolean") return column.booleans[row] ?? null;
  if (column.type === "category") return column.categories[column.codes[row] ?? -1] ?? null;
  return column.texts[row] ?? null;
}

/** A file's name that says what is in it and that every system takes. */
export function fileName(store: SnapshotStore, what: string, extension: string): string {
  const reference = store.reference.peek();
  const label = store.selection.peek()?.run.label ?? "";
  const parts = ["activis", label, reference?.name ?? "", `step${reference?.step ?? 0}`, what];
  const safe = parts
    .map((part) => [...part.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")].slice(0, 60).join(""))
    .filter((part) => part !== "");
  return `${safe.join("_")}.${extension}`;
}

/** What it reads, where it is a text. */
export function firstText(instances: InstanceColumns, row: number): string | null {
  const texts = instances.attributes.filter(({ type }) => type === "text");
  return texts.map((attribute) => String(attributeValue(attribute, row) ?? "")).find((text) => text !== "") ?? null;
}
