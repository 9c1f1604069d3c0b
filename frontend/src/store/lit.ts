/** Lit set: the instances that keep their colours in every view while all others are grey, as one row. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { SnapshotEntry } from "../contract/activis";
import { joinList, splitList } from "./address";
import type { Draft } from "./draft";
import type { Hovered } from "./hover";
import { type FoundRow, isMany, LIT, type MatrixRow, type TypedRow } from "./rows";
import { conditionOf } from "./subset_from_click";
import type { NamedCondition } from "./subset_list";
import type { LitConditions } from "./subsets";
import type { UrlState } from "./url_state";

/** A condition as a row that no list has: it is pointed at, typed, or kept lit. */
export const litRow = ({ name, condition }: NamedCondition): TypedRow => ({
  kind: "typed",
  key: `${LIT}${joinList([name, condition])}`,
  name,
  condition,
});

/** The row that such a key is of; null for other keys. */
export function parseLit(key: string): TypedRow | null {
  if (!key.startsWith(LIT)) return null;
  const [name = "", condition = ""] = splitList(key.slice(LIT.length));
  return condition.trim() === "" ? null : litRow({ name, condition });
}

/** Returns the row among `rows` that has the same condition, where there is one. */
export function listedRow(row: MatrixRow, rows: readonly MatrixRow[], snapshot: SnapshotEntry | null): MatrixRow {
  if (row.kind === "word") return row.instances ?? row;
  if (row.kind !== "typed" || !row.key.startsWith(LIT) || !snapshot) return row;
  return rows.find((one) => conditionOf(one, snapshot)?.condition === row.condition) ?? row;
}

interface LitInputs {
  urlState: UrlState;
  hover: Hovered;
  draft: Pick<Draft, "text" | "condition">;
  find: ReadonlySignal<string>;
}

const REST_MILLISECONDS = 150;

export function followLitConditions({ urlState, hover, draft }: Omit<LitInputs, "find">): LitConditions {
  const joined = computed(() => {
    const row = hover.value?.row;
    const lit = [
      row?.kind === "typed" && row.key.startsWith(LIT) ? row.condition : "",
      draft.condition.value,
      parseLit(urlState.locked.value)?.condition ?? "",
      urlState.filter.value,
    ];
    return joinList([...new Set(lit)].filter((condition) => condition !== ""));
  });
  const conditions = computed(() => splitList(joined.value));
  const rested = signal<readonly string[]>(conditions.peek());
  effect(() => {
    const now = conditions.value;
    const timer = setTimeout(() => {
      rested.value = now;
    }, REST_MILLISECONDS);
    return () => clearTimeout(timer);
  });
  return { conditions, rested };
}

interface RestingInputs extends Omit<LitInputs, "hover"> {
  rows: ReadonlySignal<readonly MatrixRow[]>;
  found: ReadonlySignal<FoundRow | null>;
}

/** What is lit while nothing is hovered: what was typed or looked for, the later first; what is kept; the filter. */
export function followResting(inputs: RestingInputs): ReadonlySignal<MatrixRow | null> {
  const { urlState, draft, find, rows, found } = inputs;
  const isFindLater = signal(false);
  effect(() => {
    isFindLater.value = draft.text.value === "" && find.peek() !== "";
  });
  effect(() => {
    isFindLater.value = find.value !== "";
  });
  const rowOf = (condition: string) => (condition === "" ? null : litRow({ name: condition, condition }));
  return computed(() => {
    const typed = rowOf(draft.condition.value);
    const written = isFindLater.value ? (found.value ?? typed) : (typed ?? found.value);
    const { value: key } = urlState.locked;
    const kept = rows.value.find((row) => row.key === key && isMany(row)) ?? parseLit(key);
    return written ?? kept ?? rowOf(urlState.filter.value);
  });
}
