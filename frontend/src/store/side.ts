/**
 * Side of a comparison: another snapshot, opened beside the base and with the base's rows.
 *
 * It has a snapshot store as the base has one, so the views of a snapshot serve it as they are. What is hovered there is
 * hovered in the base, and the other way round.
 */

import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Agreement, Graph, RunEntry, SnapshotEntry } from "../contract/activis";
import { type Catalogue, type SnapshotView, viewSnapshot } from "./catalogue";
import { type ComparedLayer, openComparedLayer } from "./compared_layer";
import { createHover, type Hovered, type HoverState } from "./hover";
import { followScores } from "./judgement";
import type { LayerContext, LayerStore } from "./layer";
import { createResource, type Resource, untilDone } from "./resource";
import { absentRow, instanceRow, isInstance, isMany, letterOf, type MatrixRow, recordedKind } from "./rows";
import { findRun, resolveSelection } from "./selection";
import { fetchGraph, followKeys, type OpenedSnapshot, openEach, openSnapshot, type SnapshotStore } from "./snapshot";
import type { LitContext } from "./subsets";
import type { OtherWish } from "./url_state";

export interface Other {
  position: number;
  /** B for the first. */
  letter: string;
  wish: ReadonlySignal<OtherWish | null>;
  /** The run, also where it lacks what is wished for; null where there is none of that name. */
  run: ReadonlySignal<RunEntry | null>;
  view: SnapshotView;
  opened: OpenedSnapshot;
  /** Of the sampled instances while all stored ones are counted. */
  agreement: Resource<Agreement>;
  /** Of its run, the best there is. */
  graph: Resource<Graph>;
  context: LitContext;
}

/** `view` is the base's. */
interface OthersContext extends LitContext {
  runs: Catalogue["runs"];
}

/** Follows the wishes. What is no longer wished for stays open with nothing to ask for. */
export function followOthers(context: OthersContext): ReadonlySignal<readonly Other[]> {
  const { others: wishes } = context.urlState.comparing;
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
  const { client, cache, urlState, runs, view: base } = context;
  const wish = computed(() => urlState.comparing.others.value[position] ?? null);
  const run = computed(() => {
    const [list, wished] = [runs.value.value, wish.value];
    return list && wished ? findRun(list, wished.run) : null;
  });
  const selection = computed(() => {
    const [list, wished] = [runs.value.value, wish.value];
    if (!list || !wished || !run.value || !base.snapshot.value) return null;
    return resolveSelection(
      { ...list, runs: [run.value] },
      { ...wished, run: run.value.run, step: wished.step ?? base.snapshot.value.step },
    );
  });
  const view = viewSnapshot(selection);
  const own: LitContext = { ...context, view };
  const lacked = computed(() => lackedConditions(base, view));
  const agreement = createResource<Agreement>(() => {
    const [first, second] = [base.reference.value, view.reference.value];
    if (!first || !second) return null;
    return {
      key: `agreement ${base.key.value} ${view.key.value}`,
      subject: JSON.stringify([first, second]),
      load: (signal, show) => untilDone(() => client.agreement(first, second, signal), signal, show),
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
    graph: fetchGraph(client, cache, view, BEST_SOURCE),
    context: own,
  };
}

/** Conditions of the base's recorded subsets that the other one has no subset of that name for. */
function lackedConditions(base: SnapshotView, other: SnapshotView): readonly string[] {
  const snapshot = other.snapshot.value;
  if (!snapshot) return [];
  const known = new Set(snapshot.subsets.map(({ name }) => name));
  return (base.snapshot.value?.subsets ?? [])
    .filter(({ name, condition }) => condition !== "" && !known.has(name))
    .map(({ condition }) => condition);
}

export interface SideRows {
  snapshot: SnapshotEntry | null;
  /** The sampled row of an instance by its id. */
  rowOf: ReadonlyMap<string, number>;
  base: SnapshotEntry | null;
  /** Ids of the base's sampled rows. */
  baseIds: readonly string[];
}

/** Returns a row of the base as it is on the other side; one that it lacks is absent. */
export function rowOnSide(row: MatrixRow, { snapshot, rowOf, base, baseIds }: SideRows): MatrixRow {
  if (row.kind === "absent") return rowOnSide(row.of, { snapshot, rowOf, base, baseIds });
  if (row.kind === "typed" || row.kind === "group" || row.kind === "word") return row;
  if (row.kind === "outcome") return { ...row, members: membersOnSide(row.members, rowOf, baseIds) };
  if (row.kind === "found") {
    const members = membersOnSide(row.members, rowOf, baseIds);
    return { ...row, members, lit: membersOnSide(row.lit, rowOf, baseIds) };
  }
  if (isInstance(row)) {
    const sampled = rowOf.get(row.id);
    return sampled === undefined ? absentRow(row) : { ...row, sampled };
  }
  const isAlike = (entry: SnapshotEntry["subsets"][number]) =>
    entry.name === row.name && recordedKind(entry) === row.kind;
  const subset = snapshot?.subsets.findIndex(isAlike) ?? -1;
  if (subset >= 0) return { ...row, subset };
  // What was recorded there by another name, or not at all, may still be asked about.
  const condition = row.kind === "class" ? "" : base?.subsets[row.subset]?.condition;
  return condition ? { kind: "typed", key: row.key, name: row.name, condition } : absentRow(row);
}

const translations = new WeakMap<readonly number[], WeakMap<ReadonlyMap<string, number>, readonly number[]>>();

/** The same list for the same members, so that what follows from it is kept. */
function membersOnSide(
  members: readonly number[],
  rowOf: ReadonlyMap<string, number>,
  baseIds: readonly string[],
): readonly number[] {
  const known = translations.get(members) ?? new WeakMap<ReadonlyMap<string, number>, readonly number[]>();
  translations.set(members, known);
  const translated = known.get(rowOf) ?? members.flatMap((row) => rowOf.get(baseIds[row] ?? "") ?? []);
  known.set(rowOf, translated);
  return translated;
}

export interface Side extends Other {
  store: SnapshotStore;
  /** By the base's layer; those that have no counterpart are missing. */
  layers: ReadonlySignal<ReadonlyMap<string, ComparedLayer>>;
}

/** What sides share with the base. */
interface SideContext {
  base: SnapshotStore;
  layerContext: LayerContext;
  /** Says why something cannot be done. */
  refuse: (sentence: string) => void;
}

export function openSide(other: Other, { base, layerContext, refuse }: SideContext): Side {
  const { view, opened, position } = other;
  const translation = computed(
    (): SideRows => ({
      snapshot: view.snapshot.value,
      rowOf: opened.rowOf.value,
      base: base.snapshot.value,
      baseIds: base.columns.value?.id ?? [],
    }),
  );
  const onSide = (row: MatrixRow) => rowOnSide(row, translation.value);
  const rows = computed(() => base.rows.value.map(onSide));
  const shown = computed(() => ({ ...base.shown.value, rows: base.shown.value.rows.map(onSide) }));
  const hover = followHover(other, base, rows, onSide);
  const layers = followLayers(
    other,
    base,
    layerContext,
    computed(() => {
      const typed = rows.value.flatMap((row) => (row.kind === "typed" ? [row.condition] : []));
      return [...new Set([...typed, ...other.context.lit.rested.value])];
    }),
  );
  const store: SnapshotStore = {
    ...view,
    ...opened,
    ...hover,
    rows,
    shown,
    rowOfKey: followKeys(rows, hover.temporary),
    layers: computed(() => [...layers.value.values()].map(({ layer }) => layer)),
    scores: followScores(other.context, opened.columns, hover.instance),
    togglePin: (sampled) => {
      const id = opened.columns.peek()?.id[sampled] ?? "";
      const here = base.rowOf.peek().get(id);
      if (here !== undefined) base.togglePin(here);
      else refuse(`Instance ${id} is not in the sample of A, so it has no row there; pin one that is.`);
    },
    isPerWord: false,
    beside: { base, position },
  };
  return { ...other, store, layers };
}

function followHover(
  { opened, view }: Other,
  base: SnapshotStore,
  rows: ReadonlySignal<readonly MatrixRow[]>,
  onSide: (row: MatrixRow) => MatrixRow,
): HoverState {
  const translated = computed(() => {
    const hover = base.hover.value;
    if (!hover?.row) return hover;
    return { ...hover, row: onSide((isMany(hover.row) && base.lit.value) || hover.row) };
  });
  const hover: Hovered = {
    get value() {
      return translated.value;
    },
    set value(next) {
      base.hover.value = next?.row ? { ...next, row: rowInBase(next.row, base) } : next;
    },
    peek: () => translated.peek(),
  };
  const state = createHover({
    hover,
    instances: opened.columns,
    membership: computed(() => opened.membership.state.value.value ?? null),
    pinned: computed(() => rows.value.filter(isInstance)),
    resting: computed(() => base.lit.value && onSide(base.lit.value)),
    listed: (row) => row,
    membersOf: opened.membersOf,
    classes: computed(() => view.snapshot.value?.classes ?? []),
    filtered: opened.filtered,
  });
  const temporary = computed(() => {
    const row = base.temporary.value;
    return row ? onSide(row) : state.temporary.value;
  });
  return { ...state, temporary };
}

/** The base's row for one of a side; an instance that the base did not sample is absent there. */
function rowInBase(row: MatrixRow, base: SnapshotStore): MatrixRow {
  const known = untracked(() => base.rowOfKey(row.key));
  if (known || !isInstance(row)) return known ?? row;
  const columns = base.columns.peek();
  const sampled = base.rowOf.peek().get(row.id);
  return columns && sampled !== undefined ? instanceRow(columns, sampled) : absentRow(row);
}

/**
 * Opens the counterparts of the base's open layers.
 *
 * @param conditions That have a row.
 */
export function followLayers(
  other: Other,
  base: Pick<SnapshotStore, keyof SnapshotView | "columns" | "layers">,
  layerContext: LayerContext,
  conditions: ReadonlySignal<readonly string[]>,
): ReadonlySignal<ReadonlyMap<string, ComparedLayer>> {
  const context: LayerContext = {
    ...layerContext,
    ...other.context,
    sortRow: signal(null),
    compared: signal(null),
    answers: other.opened.answers,
    conditions,
  };
  const shared = computed(() => {
    const [ours, theirs] = [base.columns.value, other.opened.columns.value];
    const { value: rowOf } = other.opened.rowOf;
    return ours && theirs ? ours.id.some((id) => rowOf.has(id)) : null;
  });
  const baseLayers = computed(() => new Map(base.layers.value.map((layer) => [layer.name, layer])));
  const pairs = () => {
    const recorded = new Set(other.view.snapshot.value?.layers.map(({ name }) => name));
    return [...baseLayers.value.keys()]
      .map((name) => [name, pairedName(other, name)] as const)
      .filter(([, name]) => recorded.has(name))
      .map((pair) => JSON.stringify(pair));
  };
  const opened = openEach(pairs, (key) => {
    const [name, recorded] = JSON.parse(key) as [string, string];
    const layer = baseLayers.peek().get(name) as LayerStore;
    return openComparedLayer({ base: layer, baseView: base, recorded, shared, context });
  });
  return computed(() => new Map([...opened.value.values()].map((compared) => [compared.base.name, compared])));
}

/** The name of the layer that stands beside one of the base: the same, or one that was chosen; empty for none. */
export function pairedName({ position, context }: Other, layer: string): string {
  const pair = context.urlState.comparing.pairs.value.find((one) => one.other === position && one.layer === layer);
  return pair?.recorded ?? layer;
}
