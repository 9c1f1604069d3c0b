/** Subsets of the user's own: their list, and what the plugin answers about each. */

import { batch, computed, type ReadonlySignal } from "@preact/signals";
import type { SubsetDescription } from "../contract/activis";
import type { Client } from "../contract/client";
import type { SnapshotView } from "./catalogue";
import { maskOf } from "./numbers";
import { type Cache, createResources, type Loadable, type Queue, type Request } from "./resource";
import { comparedKeys, renamedInSort } from "./row_comparison";
import { type MatrixRow, type TypedRow, typedKey } from "./rows";
import { addSubset, removeSubset, renameSubset, type SubsetList } from "./subset_list";
import { DEFAULT_SORT, type UrlState } from "./url_state";

export interface SubsetContext {
  client: Client;
  cache: Cache;
  view: SnapshotView;
  urlState: UrlState;
  queue: Queue;
}

/** Conditions that light instances without having a row: those asked about at once, and after a rest. */
export interface LitConditions {
  conditions: ReadonlySignal<readonly string[]>;
  /** Those that were lit for a while: their averages are asked for. */
  rested: ReadonlySignal<readonly string[]>;
}

export interface LitContext extends SubsetContext {
  lit: LitConditions;
}

/** What the plugin answers about conditions of one snapshot. */
export interface SubsetAnswers {
  /** Those of the user's subsets, and others that are asked about; each once. */
  conditions: ReadonlySignal<readonly string[]>;
  /** By condition, which instances it holds for; those that light instances too. */
  answers: ReadonlySignal<ReadonlyMap<string, Loadable<SubsetDescription>>>;
  /** What is answered of a row's condition; undefined of rows that have none, and before it is asked. */
  answerOf: (row: MatrixRow | undefined) => Loadable<SubsetDescription> | undefined;
  /** By sampled row, 1 where a condition holds; null until that is known. The same array for the same answer. */
  membersOf: (condition: string) => Uint8Array | null;
}

/** @param others Conditions that are asked about beside those of the user's subsets. */
export function openAnswers(context: LitContext, others?: ReadonlySignal<readonly string[]>): SubsetAnswers {
  const { cache, urlState, view, lit } = context;
  const conditions = computed(() => [
    ...new Set([...urlState.subsets.value.map(({ condition }) => condition), ...(others?.value ?? [])]),
  ]);
  const { states } = createResources<SubsetDescription>(
    () => [...conditions.value, ...lit.conditions.value],
    (condition) => subsetRequest(context, condition),
    cache,
  );
  return {
    conditions,
    answers: states,
    answerOf: (row) => (row?.kind === "typed" ? states.value.get(row.condition) : undefined),
    membersOf: (condition) => {
      const answer = states.value.get(condition)?.value;
      return answer ? maskOf(answer.rows, view.snapshot.value?.sampled ?? 0) : null;
    },
  };
}

/** Subsets of the user's own, and what can be done with them. */
export interface Subsets {
  list: ReadonlySignal<SubsetList>;
  /** Their rows, in their order. */
  rows: ReadonlySignal<readonly TypedRow[]>;
  /** Adds a row; without a name it is called as its condition. */
  add: (condition: string, name?: string) => void;
  /** Gives another name; whatever is sorted or lit by the subset stays so. */
  rename: (from: string, to: string) => void;
  remove: (name: string) => void;
  /** Puts another list in place, e.g. in another order. */
  replace: (list: SubsetList) => void;
}

export function openSubsets({ locked, sort, subsets: list }: UrlState): Subsets {
  const follow = (from: string, to: string) => {
    if (to !== "") sort.value = renamedInSort(sort.peek(), from, to);
    if (locked.peek() === from) locked.value = to;
  };
  return {
    list,
    rows: computed(() =>
      list.value.map(({ name, condition }) => ({ kind: "typed", key: typedKey(name), name, condition })),
    ),
    add: (condition, name = "") => {
      list.value = addSubset(list.peek(), condition, name);
    },
    rename: (from, to) =>
      batch(() => {
        const position = list.peek().findIndex(({ name }) => name === from);
        list.value = renameSubset(list.peek(), from, to);
        follow(typedKey(from), typedKey(list.peek()[position]?.name ?? from));
      }),
    remove: (name) =>
      batch(() => {
        list.value = removeSubset(list.peek(), name);
        follow(typedKey(name), "");
        const sorting = comparedKeys(sort.peek()) ?? [sort.peek()];
        if (sorting.includes(typedKey(name))) sort.value = DEFAULT_SORT;
      }),
    replace: (next) => {
      list.value = next;
    },
  };
}

/** Asks which instances a condition holds for; rows and the bar share the answer. */
export function subsetRequest(
  { client, view, queue }: Omit<SubsetContext, "cache" | "urlState">,
  condition: string,
): Request<SubsetDescription> | null {
  const reference = view.reference.value;
  if (!reference) return null;
  return {
    key: `subset ${JSON.stringify(condition)} ${view.key.value}`,
    subject: JSON.stringify(reference),
    load: queue((signal) => client.subset(reference, condition, signal)),
  };
}
