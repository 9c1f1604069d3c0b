/** Store of the tab: durable choices, what was fetched for them, and what the pointer is on. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Graph, InstanceColumns, LayerHealth } from "../contract/activis";
import type { Client } from "../contract/client";
import { comparable } from "../language/tokens";
import type { HashStore } from "./address";
import { type Catalogue, openCatalogue } from "./catalogue";
import { type Comparing, followOthers, openComparing, outcomeRows } from "./compare";
import { type Draft, openDraft } from "./draft";
import { type Durable, openDurable, toggle } from "./durable";
import { layersInFlowOrder } from "./graph_order";
import type { Host } from "./host";
import { createHover, type Hover, type HoverState } from "./hover";
import { followScores, type Scores } from "./judgement";
import { type LayerContext, type LayerStore, openLayer } from "./layer";
import { Cache, createQueue, createResources, type Loadable, type Resource } from "./resource";
import { type Comparison, openComparison } from "./row_comparison";
import { instanceKey, instanceName, instanceRow, isMany, type MatrixRow, pinnedRows, subsetRows } from "./rows";
import { fetchGraph, type OpenedSnapshot, openEach, openSnapshot } from "./snapshot";
import { type OverSteps, openOverSteps, openStepping, type Stepping } from "./steps";
import { openPointing, type Pointing } from "./subset_from_click";
import type { SubsetsState } from "./subsets";
import { followUnknown, type Unknown } from "./unknown";

/** Of a longer text, so many were kept. */
const MOST_CHARACTERS = 10_000;

interface FindState {
  /** What the user typed: a part of a text, or `#` and an id. */
  find: Signal<string>;
  /** By sampled row, 1 where it is found; null while nothing is looked for. */
  found: ReadonlySignal<Uint8Array | null>;
  /** How many are. */
  foundCount: ReadonlySignal<number>;
}

function createFind(instances: ReadonlySignal<InstanceColumns | null>): FindState {
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

/** Follows `hovered`, a sampled row or -1; -1 until one was hovered, and again when other instances are shown. */
export function followReading(
  hovered: ReadonlySignal<number>,
  instances: ReadonlySignal<InstanceColumns | null>,
): ReadonlySignal<number> {
  const reading = signal(-1);
  let known: InstanceColumns | null = null;
  effect(() => {
    if (instances.value !== known) reading.value = -1;
    known = instances.value;
    if (hovered.value >= 0) reading.value = hovered.value;
  });
  return reading;
}

interface LayerHealths {
  states: ReadonlySignal<ReadonlyMap<string, Loadable<LayerHealth>>>;
  /** Keeps a layer's health known until the returned function is called. */
  follow: (layer: string) => () => void;
}

/** Panels that were just opened come first. */
const PATIENCE = 800;

function openLayerHealths(client: Client, cache: Cache, catalogue: Catalogue): LayerHealths {
  const followed: Signal<readonly string[]> = signal([]);
  const queue = createQueue();
  const { states } = createResources<LayerHealth>(
    () => followed.value,
    (layer) => {
      const reference = catalogue.reference.value;
      if (!reference || !catalogue.snapshot.value?.layers.some(({ name }) => name === layer)) return null;
      return {
        key: `health ${layer} ${catalogue.key.value}`,
        subject: JSON.stringify(reference),
        load: queue((signal) => client.health(reference, layer, signal)),
      };
    },
    cache,
  );
  return {
    states,
    follow: (layer) => {
      const waiting = setTimeout(() => {
        followed.value = [...followed.peek(), layer];
      }, PATIENCE);
      return () => {
        clearTimeout(waiting);
        const at = followed.peek().indexOf(layer);
        followed.value = followed.peek().filter((_, position) => position !== at);
      };
    },
  };
}

export interface Store extends HoverState, FindState, OpenedSnapshot {
  client: Client;
  host: Host;
  /** The address that shows what is shown, and what to know about it. */
  address: Pick<HashStore, "link" | "notice">;
  durable: Durable;
  catalogue: Catalogue;
  graph: Resource<Graph>;
  /** Of the recorded layers that the graph shows. */
  layerHealth: LayerHealths;
  /** The instance in the card, a sampled row or -1: the hovered one, or the last that was. */
  reading: ReadonlySignal<number>;
  /** Scores of that instance, (classes,); null while they are not there. */
  scores: ReadonlySignal<Scores | null>;
  /** The store that this is a side of, and which side of it; null and -1 where this is the base. */
  base: Store | null;
  side: number;
  /** Classes, subsets and pinned instances, as every panel shows them; the temporary row comes after. */
  rows: ReadonlySignal<readonly MatrixRow[]>;
  /** One of these, or the temporary one. */
  rowOfKey: (key: string | undefined) => MatrixRow | undefined;
  draft: Draft;
  pointing: Pointing;
  comparison: Comparison;
  stepping: Stepping;
  overSteps: OverSteps;
  /** What the address names and there is not. */
  unknown: Unknown;
  /** Other runs and steps beside this one. */
  comparing: Comparing;
  /** Open layers in the order of the graph. */
  layers: ReadonlySignal<readonly LayerStore[]>;
  toggleLayer: (layer: string) => void;
  /** Keeps the row of a class or subset lit, or lets it go. */
  toggleLock: (row: MatrixRow) => void;
  togglePin: (sampled: number) => void;
}

export function createStore(client: Client, hash: HashStore, host: Host): Store {
  const cache = new Cache();
  const durable = openDurable(hash);
  const catalogue = openCatalogue(client, durable, host);
  const graph = fetchGraph(client, cache, catalogue, durable.graphSource);
  const queue = createQueue();
  const context = { client, cache, catalogue, durable, queue };
  const opened = openSnapshot(context);
  const { columns, membership, subsets } = opened;
  const others = followOthers(context);

  const pinned = computed(() => (columns.value ? pinnedRows(columns.value, durable.pinned.value) : []));
  const outcomes = outcomeRows(durable, others);
  const rows = computed(() => {
    const snapshot = catalogue.snapshot.value;
    return snapshot ? [...subsetRows(snapshot), ...outcomes.value, ...subsets.rows.value, ...pinned.value] : [];
  });
  const hover = createHover(
    signal<Hover | null>(null),
    columns,
    computed(() => membership.state.value.value ?? null),
    pinned,
    computed(() => rows.value.find((row) => row.key === durable.locked.value && isMany(row)) ?? null),
    subsets.membersOf,
  );
  const sortRow = computed(() => findRow(durable.sort.value, rows.value, columns.value));
  const pointing = openPointing(subsets);
  const comparison = openComparison(durable, (key) => findRow(key, rows.value, columns.value), pointing);
  const { compared } = comparison;
  const reading = followReading(hover.instance, columns);
  const shares = followConditions(subsets, durable, hover);
  const layerContext = { ...context, host, sortRow, compared, answers: subsets.answers, ...shares };

  const store = {
    client,
    host,
    address: hash,
    durable,
    catalogue,
    graph,
    layerHealth: openLayerHealths(client, cache, catalogue),
    ...opened,
    reading,
    scores: followScores(context, columns, reading),
    base: null,
    side: -1,
    rows,
    rowOfKey: followKeys(rows, hover.temporary),
    draft: openDraft(context, subsets),
    pointing,
    comparison,
    layers: openLayers(layerContext, catalogue, graph),
    stepping: openStepping(catalogue, durable, layerContext),
    overSteps: openOverSteps(context, others),
    unknown: followUnknown({ durable, catalogue, others, rows, columns }),
    ...hover,
    ...createFind(columns),
    toggleLayer: (layer: string) => toggle(durable.layers, layer),
    toggleLock: (row: MatrixRow) => {
      if (isMany(row)) durable.locked.value = durable.locked.peek() === row.key ? "" : row.key;
    },
    togglePin: (sampled: number) => {
      const id = columns.peek()?.id[sampled];
      if (id !== undefined) toggle(durable.pinned, id);
    },
  };
  return { ...store, comparing: openComparing(store, others, layerContext) };
}

/** Finds rows by their keys. */
export function followKeys(
  rows: ReadonlySignal<readonly MatrixRow[]>,
  temporary: ReadonlySignal<MatrixRow | null>,
): (key: string | undefined) => MatrixRow | undefined {
  const known = computed(() => new Map(rows.value.map((row) => [row.key, row])));
  return (key) =>
    known.value.get(key ?? "") ?? (temporary.value?.key === key ? (temporary.value ?? undefined) : undefined);
}

/** Which typed conditions the layers ask about: their averages always, who is active only where it is looked at. */
function followConditions(
  subsets: SubsetsState,
  durable: Durable,
  { hover }: HoverState,
): Pick<LayerContext, "conditions" | "activeConditions"> {
  const hovered = computed(() => {
    const row = hover.value?.row;
    return row?.kind === "typed" ? row.condition : null;
  });
  const activeConditions = computed(() => {
    if (durable.dotSize.value === "active") return subsets.conditions.value;
    return hovered.value === null ? [] : [hovered.value];
  });
  return { conditions: subsets.conditions, activeConditions };
}

function openLayers(
  context: LayerContext,
  catalogue: Catalogue,
  graph: Resource<Graph>,
): ReadonlySignal<readonly LayerStore[]> {
  const open = openEach(
    () => context.durable.layers.value,
    (name) => openLayer(name, context),
  );
  return computed(() => {
    const listed = catalogue.snapshot.value?.layers.map((layer) => layer.name) ?? [];
    const order = layersInFlowOrder(graph.state.value.value ?? null, [...new Set([...listed, ...open.value.keys()])]);
    return order.flatMap((name) => open.value.get(name) ?? []);
  });
}

function findRow(key: string, rows: readonly MatrixRow[], instances: InstanceColumns | null): MatrixRow | null {
  const shown = rows.find((row) => row.key === key);
  if (shown || !instances) return shown ?? null;
  const sampled = instances.id.findIndex((id) => instanceKey(id) === key);
  return sampled >= 0 ? instanceRow(instances, sampled) : null;
}
