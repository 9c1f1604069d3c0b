/** Which sampled instances a text that the user typed is found in. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { InstanceColumns } from "../contract/activis";
import { comparable } from "../language/tokens";
import { instanceName } from "./rows";

/** Of a longer text, so many were kept. */
const MOST_CHARACTERS = 10_000;

export interface FindState {
  /** What the user typed: a part of a text, or `#` and an id. */
  find: Signal<string>;
  /** By sampled row, 1 where it is found; null while nothing is looked for. */
  found: ReadonlySignal<Uint8Array | null>;
  /** How many are. */
  foundCount: ReadonlySignal<number>;
}

export function createFind(instances: ReadonlySignal<InstanceColumns | null>): FindState {
  const find = signal("");
  const texts = computed(() => (instances.value ? searchableTexts(instances.value) : []));
  const found = computed(() => {
    const wanted = find.value.trim();
    return wanted === "" || !instances.value ? null : findInstances(instances.value, texts.value, wanted);
  });
  return { find, found, foundCount: computed(() => found.value?.reduce((sum, flag) => sum + flag, 0) ?? 0) };
}

/** By row, everything of an instance that can be read, as one looks for it. */
export function searchableTexts(instances: InstanceColumns): string[] {
  const columns = instances.attributes.filter(({ type }) => type === "text" || type === "category");
  const textOf = (column: InstanceColumns["attributes"][number], row: number) =>
    withoutMark((column.type === "text" ? column.texts[row] : column.categories[column.codes[row] ?? -1]) ?? "");
  return instances.id.map((_, row) => comparable(columns.map((column) => textOf(column, row)).join("\n")));
}

/** A long text without what says that its end was not kept. */
const withoutMark = (text: string): string =>
  text.length > MOST_CHARACTERS ? text.replace(/ … \([\d,]+ more characters were not kept\)$/, "") : text;

/** By row, 1 where `wanted` is a part of a text, or the id after a `#`. */
export function findInstances(instances: InstanceColumns, texts: readonly string[], wanted: string): Uint8Array {
  const lower = comparable(wanted);
  const id = lower.replace(/^#/, "");
  const isId = (row: number) =>
    comparable(instances.id[row] ?? "") === id || comparable(instanceName(instances, row).replace(/^#/, "")) === id;
  const isFound = lower.startsWith("#") ? isId : (row: number) => texts[row]?.includes(lower) === true || isId(row);
  return Uint8Array.from(texts, (_, row) => Number(isFound(row)));
}
