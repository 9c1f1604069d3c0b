/** Snapshot store: what the tab has of one snapshot, of the base and of each that is compared with it. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Graph, InstanceColumns } from "../contract/activis";
import type { Client, SnapshotReference } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import type { SnapshotView } from "./catalogue";
import type { HoverState } from "./hover";
import type { Scores } from "./judgement";
import type { LayerStore } from "./layer";
import { type Cache, createResource, type Resource } from "./resource";
import type { ShownRows } from "./row_order";
import { isInstance, type MatrixRow, type SubsetFacts, sampledFacts } from "./rows";
import { type LitContext, openAnswers, type SubsetAnswers } from "./subsets";

/** @param source Id of the one that was chosen; empty for the best there is. */
export function fetchGraph(
  client: Client,
  cache: Cache,
  view: SnapshotView,
  source: ReadonlySignal<string>,
): Resource<Graph> {
  const run = computed(() => view.reference.value?.run ?? null);
  const recorded = computed(() => view.snapshot.value?.layers.map((layer) => layer.tensor).join() ?? "");
  return createResource(() => {
    const current = run.value;
    if (current === null) return null;
    const subject = JSON.stringify([current, source.value]);
    return {
      key: `graph ${subject} ${recorded.value}`,
      subject,
      load: (signal) => client.graph(current, source.peek(), signal),
    };
  }, cache);
}

/** Follows `wanted`: what leaves the list is disposed of, what stays is kept. */
export function openEach<Opened extends { dispose: () => void }>(
  wanted: () => readonly string[],
  open: (key: string) => Opened,
): ReadonlySignal<ReadonlyMap<string, Opened>> {
  const opened = signal<ReadonlyMap<string, Opened>>(new Map());
  effect(() => {
    const keys = new Set(wanted());
    const before = opened.peek();
    for (const [key, one] of before) if (!keys.has(key)) one.dispose();
    opened.value = new Map([...keys].map((key) => [key, before.get(key) ?? open(key)]));
  });
  return opened;
}

export interface OpenedSnapshot extends SubsetAnswers {
  instances: Resource<InstanceColumns>;
  /** The instances; null until they are there. */
  columns: ReadonlySignal<InstanceColumns | null>;
  membership: Resource<NpyArray<Uint8Array>>;
  /** The sampled row of an instance by its id. */
  rowOf: ReadonlySignal<ReadonlyMap<string, number>>;
  /** By sampled row, 1 where the filter's condition holds; null where nothing is filtered. */
  filtered: ReadonlySignal<Uint8Array | null>;
  /** How many instances a class or subset has and what was predicted of them; null where that is not known. */
  factsOf: (row: MatrixRow) => SubsetFacts | null;
}

/** @param conditions Asked about beside those of the user's subsets. */
export function openSnapshot(context: LitContext, conditions?: ReadonlySignal<readonly string[]>): OpenedSnapshot {
  const { client, cache, view } = context;
  const { filter } = context.urlState;
  const fetched = <Value>(
    what: string,
    load: (reference: SnapshotReference, signal: AbortSignal) => Promise<Value>,
  ): Resource<Value> =>
    createResource(() => {
      const reference = view.reference.value;
      return (
        reference && {
          key: `${what} ${view.key.value}`,
          subject: JSON.stringify(reference),
          load: (signal) => load(reference, signal),
        }
      );
    }, cache);
  /** Of a part of the sample no accuracy is claimed: what is looked for was not drawn. */
  const foundFacts = (all: InstanceColumns, members: readonly number[]): SubsetFacts => {
    const { sampled = 0, instances: over = 0 } = view.snapshot.value ?? {};
    const facts = sampledFacts(all, members);
    return sampled >= over ? facts : { ...facts, correct: undefined };
  };
  const instances = fetched("instances", client.instances);
  const columns = computed(() => instances.state.value.value ?? null);
  const answers = openAnswers(context, conditions);
  return {
    instances,
    columns,
    membership: fetched("membership", client.membership),
    rowOf: computed(() => new Map(columns.value?.id.map((id, row) => [id, row]))),
    ...answers,
    filtered: computed(() => (filter.value === "" ? null : answers.membersOf(filter.value))),
    factsOf: (row) => {
      if (row.kind === "typed") return answers.answerOf(row)?.value ?? null;
      if (row.kind === "outcome") return columns.value && sampledFacts(columns.value, row.members);
      if (row.kind === "found") return columns.value && foundFacts(columns.value, row.members);
      if (row.kind === "absent" || row.kind === "group" || row.kind === "word" || isInstance(row)) return null;
      return view.snapshot.value?.subsets[row.subset] ?? null;
    },
  };
}

export interface SnapshotStore extends SnapshotView, OpenedSnapshot, HoverState {
  /** Classes, subsets and pinned instances, as every panel shows them; the temporary row comes after. */
  rows: ReadonlySignal<readonly MatrixRow[]>;
  /** The same as a matrix has them: ordered, with headings, without those that are folded away. */
  shown: ReadonlySignal<ShownRows>;
  /** One of these, or the temporary one. */
  rowOfKey: (key: string | undefined) => MatrixRow | undefined;
  /** Open layers in the order of the graph. */
  layers: ReadonlySignal<readonly LayerStore[]>;
  /** Scores of the instance in the card, (classes,); null while they are not there. */
  scores: ReadonlySignal<Scores | null>;
  togglePin: (sampled: number) => void;
  /** Whether its rows are the words of a layer. */
  isPerWord: boolean;
  /** The base that it stands beside, and its position among the others; null where it is the base. */
  beside: { base: SnapshotStore; position: number } | null;
}

/** The base that a snapshot is compared with, or the base itself. */
export const baseOf = (store: SnapshotStore): SnapshotStore => store.beside?.base ?? store;

/** Finds rows by their keys. */
export function followKeys(
  rows: ReadonlySignal<readonly MatrixRow[]>,
  temporary: ReadonlySignal<MatrixRow | null>,
): (key: string | undefined) => MatrixRow | undefined {
  const known = computed(() => new Map(rows.value.map((row) => [row.key, row])));
  return (key) => {
    const { value: last } = temporary;
    return known.value.get(key ?? "") ?? (last?.key === key ? (last ?? undefined) : undefined);
  };
}
