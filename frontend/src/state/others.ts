/** The snapshots that are compared with the base: which they are, what is fetched of them, and who is right where. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Agreement, Graph, OutcomeCounts, RunEntry, SnapshotEntry } from "../contract/activis";
import { type Catalogue, type SnapshotView, viewSnapshot } from "./catalogue";
import type { OtherWish } from "./comparing_choices";
import { fetchGraph } from "./fetched_graph";
import { type OpenedSnapshot, openSnapshot } from "./opened_snapshot";
import { letterOf } from "./outcomes";
import { untilDone } from "./polling";
import { createResource, type Resource } from "./resource";
import { findRun, resolveSelection } from "./selection";
import type { SubsetContext } from "./subsets";

export interface Other {
  position: number;
  /** B for the first. */
  letter: string;
  wish: ReadonlySignal<OtherWish | null>;
  /** The run, also where it lacks what is wished for; null where there is none of that name. */
  run: ReadonlySignal<RunEntry | null>;
  view: SnapshotView;
  opened: OpenedSnapshot;
  agreement: Resource<Agreement>;
  /** The counts over all instances; idle where not both store them. */
  outcomes: Resource<OutcomeCounts>;
  /** Of its run, the best there is. */
  graph: Resource<Graph>;
  context: SubsetContext;
}

export interface OthersContext extends Omit<SubsetContext, "catalogue"> {
  catalogue: Catalogue;
}

/** Follows the wishes. What is no longer wished for stays open with nothing to ask for. */
export function followOthers(context: OthersContext): ReadonlySignal<readonly Other[]> {
  const { others: wishes } = context.durable.comparing;
  const opened = signal<readonly Other[]>([]);
  effect(() => {
    const known = opened.peek();
    const missing = wishes.value.slice(known.length).map((_, at) => openOther(known.length + at, context));
    if (missing.length > 0) opened.value = [...known, ...missing];
  });
  return computed(() => opened.value.slice(0, wishes.value.length));
}

const BEST_SOURCE = signal("");

function openOther(position: number, context: OthersContext): Other {
  const { client, cache, catalogue, durable } = context;
  const wish = computed(() => durable.comparing.others.value[position] ?? null);
  const run = computed(() => {
    const [list, wished] = [catalogue.runs.value.value, wish.value];
    return list && wished ? findRun(list, wished.run) : null;
  });
  const selection = computed(() => {
    const [list, wished] = [catalogue.runs.value.value, wish.value];
    const base = catalogue.snapshot.value;
    if (!list || !wished || !run.value || !base) return null;
    return resolveSelection(
      { ...list, runs: [run.value] },
      { ...wished, run: run.value.run, step: wished.step ?? base.step },
    );
  });
  const view = viewSnapshot(selection);
  const own = { ...context, catalogue: view };
  const lacked = computed(() => lackedConditions(catalogue, view));
  const agreement = createResource<Agreement>(() => {
    const [base, other] = [catalogue.reference.value, view.reference.value];
    if (!base || !other) return null;
    return {
      key: `agreement ${catalogue.key.value} ${view.key.value}`,
      subject: JSON.stringify([base, other]),
      load: (signal) => client.agreement(base, other, signal),
    };
  }, cache);
  const outcomes = createResource<OutcomeCounts>(() => {
    const [base, other] = [catalogue.reference.value, view.reference.value];
    if (!base || !other || !storesAll(catalogue.snapshot.value) || !storesAll(view.snapshot.value)) return null;
    return {
      key: `outcomes ${catalogue.key.value} ${view.key.value}`,
      subject: JSON.stringify([base, other]),
      load: (signal) => untilDone(() => client.outcomes(base, other, signal), signal),
    };
  }, cache);
  return {
    position,
    letter: letterOf(position),
    wish,
    run,
    view,
    opened: openSnapshot(own, lacked),
    agreement,
    outcomes,
    graph: fetchGraph(client, cache, view, BEST_SOURCE),
    context: own,
  };
}

/** Whether every instance is stored, more than the sample has. */
const storesAll = (snapshot: SnapshotEntry | null): boolean =>
  snapshot !== null && snapshot.stored > snapshot.sampled && snapshot.stored === snapshot.instances;

/** Conditions of the base's recorded subsets that the other one has no subset of that name for. */
function lackedConditions(base: SnapshotView, other: SnapshotView): readonly string[] {
  const snapshot = other.snapshot.value;
  if (!snapshot) return [];
  const known = new Set(snapshot.subsets.map(({ name }) => name));
  return (base.snapshot.value?.subsets ?? [])
    .filter(({ name, condition }) => condition !== "" && !known.has(name))
    .map(({ condition }) => condition);
}
