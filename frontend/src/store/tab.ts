/** Tab store: what the tab has once, its base and what is compared with it. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Graph, InstanceColumns, LayerHealth, SnapshotEntry } from "../contract/activis";
import type { Client } from "../contract/client";
import { comparable } from "../language/tokens";
import type { HashStore } from "./address";
import { type Catalogue, openCatalogue } from "./catalogue";
import { type Comparing, openComparing, outcomeRows } from "./compare";
import { followReported, type Reported } from "./confusion";
import { type Draft, openDraft } from "./draft";
import { firstLayers, layersInFlowOrder } from "./graph_order";
import type { Host } from "./host";
import { createHover, type Hover, type HoverState } from "./hover";
import { followScores } from "./judgement";
import { type LayerContext, type LayerStore, openLayer, outputEntry, rowValues } from "./layer";
import { followLitConditions, followResting, listedRow } from "./lit";
import type { WordsStore } from "./per_word";
import { Cache, createQueue, createResources, type Loadable, type Resource } from "./resource";
import { definedOutcome } from "./row_accuracy";
import { type Comparison, openComparison } from "./row_comparison";
import { followShown } from "./row_order";
import {
  type FoundRow,
  instanceKey,
  instanceName,
  instanceRow,
  isMany,
  LIT,
  type MatrixRow,
  pinnedRows,
  subsetRows,
} from "./rows";
import { followOthers } from "./side";
import { fetchGraph, followKeys, openEach, openSnapshot, type SnapshotStore } from "./snapshot";
import { openStepping, type Stepping } from "./steps";
import { conditionOf, openPointing, type Pointing } from "./subset_from_click";
import { type LitConditions, openSubsets, type SubsetContext, type Subsets } from "./subsets";
import { keyedNeuron, openUrlState, toggle, type UrlState } from "./url_state";

/** Of a longer text, so many were kept. */
const MOST_CHARACTERS = 10_000;

interface FindState {
  /** What the user typed: a part of a text, or `#` and an id. */
  find: Signal<string>;
  /** By sampled row, 1 where it is found; null while nothing is looked for. */
  found: ReadonlySignal<Uint8Array | null>;
  /** How many are. */
  foundCount: ReadonlySignal<number>;
  /** They as a row; null while nothing is looked for. */
  foundRow: ReadonlySignal<FoundRow | null>;
}

function createFind(instances: ReadonlySignal<InstanceColumns | null>): FindState {
  const find = signal("");
  const texts = computed(() => (instances.value ? searchableTexts(instances.value) : []));
  const found = computed(() => {
    const wanted = find.value.trim();
    return wanted === "" || !instances.value ? null : findInstances(instances.value, texts.value, wanted);
  });
  const foundRow = computed((): FoundRow | null => {
    if (!found.value) return null;
    const lit = [...found.value.keys()].filter((row) => found.value?.[row] === 1);
    const members = lit.filter((row) => !instances.value?.example[row]);
    return { kind: "found", key: `${LIT}found`, name: `“${find.value.trim()}”`, members, lit };
  });
  return { find, found, foundRow, foundCount: computed(() => foundRow.value?.lit.length ?? 0) };
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

export interface TabStore extends FindState {
  client: Client;
  /** How the plugin is asked about the base. */
  asking: SubsetContext;
  host: Host;
  /** The address that shows what is shown, and what to know about it. */
  address: Pick<HashStore, "link" | "notice">;
  urlState: UrlState;
  /** Runs that there are, and the snapshot that is chosen of them: the base's. */
  catalogue: Catalogue;
  base: SnapshotStore;
  /** Other runs and steps beside the base. */
  comparing: Comparing;
  graph: Resource<Graph>;
  /** Whether layers will be opened as soon as their order is known. */
  opening: ReadonlySignal<boolean>;
  /** Of the recorded layers that the graph shows. */
  layerHealth: LayerHealths;
  /** The instance in the card, a sampled row or -1: the hovered one, or the last that was. */
  reading: ReadonlySignal<number>;
  reported: ReadonlySignal<Reported | null>;
  subsets: Subsets;
  draft: Draft;
  pointing: Pointing;
  comparison: Comparison;
  stepping: Stepping;
  /** A part of the names of the rows that are shown; empty where all are. */
  rowSearch: Signal<string>;
  /** The layer whose activations say which rows are alike: the last open one before the output. */
  likenessLayer: ReadonlySignal<LayerStore | null>;
  /** Layers that are open per word, by name. */
  perWord: ReadonlySignal<ReadonlyMap<string, WordsStore>>;
  toggleLayer: (layer: string) => void;
  /** Keeps the row of a class or subset lit, or lets it go. */
  toggleLock: (row: MatrixRow) => void;
}

export function createTab(client: Client, hash: HashStore, host: Host): TabStore {
  const cache = new Cache();
  const urlState = openUrlState(hash);
  const catalogue = openCatalogue(client, urlState, host);
  const { selection, snapshot, reference, key, steps } = catalogue;
  const view = { selection, snapshot, reference, key, steps };
  const graph = fetchGraph(client, cache, view, urlState.graphSource);
  const asking = { client, cache, view, urlState, queue: createQueue() };
  const subsets = openSubsets(urlState);
  const draft = openDraft(asking, subsets.add);
  const hovered = signal<Hover | null>(null);
  const context = { ...asking, lit: followLitConditions({ urlState, hover: hovered, draft }) };
  const opened = openSnapshot(context);
  const { columns, membership } = opened;
  const found = createFind(columns);
  const others = followOthers({ ...context, runs: catalogue.runs });

  const pinned = computed(() => (columns.value ? pinnedRows(columns.value, urlState.pinned.value) : []));
  const outcomes = outcomeRows(urlState, others);
  const rows = computed(() =>
    snapshot.value ? [...subsetRows(snapshot.value), ...outcomes.value, ...subsets.rows.value, ...pinned.value] : [],
  );
  const hover = createHover({
    hover: hovered,
    instances: columns,
    membership: computed(() => membership.state.value.value ?? null),
    pinned,
    resting: followResting({ urlState, draft, find: found.find, found: found.foundRow, rows }),
    listed: (row) => listedRow(row, rows.value, snapshot.value),
    membersOf: opened.membersOf,
    classes: computed(() => snapshot.value?.classes ?? []),
    filtered: opened.filtered,
  });
  const sortRow = computed(() => findRow(urlState.sort.value, rows.value, columns.value));
  const pointing = openPointing(subsets);
  const comparison = openComparison(urlState, (sort) => findRow(sort, rows.value, columns.value), pointing.point);
  const { compared } = comparison;
  const reading = followReading(hover.instance, columns);
  const conditions = followConditions(opened.conditions, context.lit, urlState, hover);
  const layerContext = { ...context, host, sortRow, compared, answers: opened.answers, ...conditions };
  const { opening, ahead } = openFirstLayers(urlState, catalogue, graph);
  const layers = openLayers(layerContext, graph, ahead);
  const likenessLayer = computed(() => lastHidden(layers.value, snapshot.value));
  const rowSearch = signal("");
  const base: SnapshotStore = {
    ...view,
    ...opened,
    ...hover,
    rows,
    shown: followShown({
      rows,
      urlState,
      wanted: rowSearch,
      conditionOf: (row) => (snapshot.value && conditionOf(row, snapshot.value)?.condition) ?? "",
      numbers: {
        facts: (row) => {
          const facts = opened.factsOf(row);
          return facts && definedOutcome({ snapshot, beside: null }, row) !== null ? { count: facts.count } : facts;
        },
        values: (row) => likenessLayer.value && rowValues(likenessLayer.value, row),
      },
    }),
    rowOfKey: followKeys(rows, hover.temporary),
    layers,
    scores: followScores(context, columns, reading),
    togglePin: (sampled) => {
      const id = columns.peek()?.id[sampled];
      if (id !== undefined) toggle(urlState.pinned, id);
    },
    isPerWord: false,
    beside: null,
  };
  const comparing = openComparing({ base, others, layerContext, refuse: pointing.point });
  return {
    client,
    asking,
    host,
    address: hash,
    urlState,
    catalogue,
    base,
    comparing,
    graph,
    opening,
    layerHealth: openLayerHealths(client, cache, catalogue),
    reading,
    reported: followReported(urlState, view, columns),
    subsets,
    draft,
    pointing,
    comparison,
    stepping: openStepping(catalogue, urlState, layerContext),
    rowSearch,
    likenessLayer,
    perWord: followWords(base, comparing, layerContext),
    ...found,
    toggleLayer: (layer) =>
      batch(() => {
        toggle(urlState.layers, layer);
        urlState.panels.value = urlState.layers.peek().length === 0 ? "closed" : "";
      }),
    toggleLock: (row) => {
      if (isMany(row)) urlState.locked.value = urlState.locked.peek() === row.key ? "" : row.key;
    },
  };
}

/** Which typed conditions the layers ask about: their averages always, who is active only where it is looked at. */
function followConditions(
  listed: ReadonlySignal<readonly string[]>,
  lit: LitConditions,
  urlState: UrlState,
  { hover }: HoverState,
): Pick<LayerContext, "conditions" | "activeConditions"> {
  const conditions = computed(() => [...new Set([...listed.value, ...lit.rested.value])]);
  const hovered = computed(() => {
    const row = hover.value?.row;
    return row?.kind === "typed" && !row.key.startsWith(LIT) ? row.condition : null;
  });
  const activeConditions = computed(() => {
    if (urlState.dotSize.value === "active") return conditions.value;
    return hovered.value === null ? [] : [hovered.value];
  });
  return { conditions, activeConditions };
}

/** @param ahead Layers that are not shown yet: their numbers are asked for. */
function openLayers(
  context: LayerContext,
  graph: Resource<Graph>,
  ahead: ReadonlySignal<readonly string[]>,
): ReadonlySignal<readonly LayerStore[]> {
  const { layers: chosen } = context.urlState;
  const open = openEach(
    () => [...chosen.value, ...ahead.value],
    (name) => openLayer(name, context),
  );
  return computed(() => {
    const listed = context.view.snapshot.value?.layers.map((layer) => layer.name) ?? [];
    const order = layersInFlowOrder(graph.state.value.value ?? null, [...new Set([...listed, ...open.value.keys()])]);
    const shown = new Set(chosen.value);
    return order.flatMap((name) => (shown.has(name) ? (open.value.get(name) ?? []) : []));
  });
}

/** Their code comes with the first of them. While runs are compared, layers have the rows that all of them have. */
function followWords(
  base: SnapshotStore,
  comparing: Comparing,
  context: LayerContext,
): ReadonlySignal<ReadonlyMap<string, WordsStore>> {
  const { perWord } = context.urlState;
  const code = signal<typeof import("./per_word") | null>(null);
  const layerOf = (name: string) => base.layers.value.find((layer) => layer.name === name);
  const wanted = computed(() =>
    comparing.active.value ? [] : perWord.value.filter((name) => layerOf(name)?.entry.value?.positions === "tokens"),
  );
  effect(() => {
    if (wanted.value.length === 0 || code.peek()) return;
    void import("./per_word").then((loaded) => {
      code.value = loaded;
    });
  });
  return openEach(
    () => (code.value ? wanted.value : []),
    (name) => (code.peek() as typeof import("./per_word")).openWords(layerOf(name) as LayerStore, base, context),
  );
}

interface FirstLayers {
  /** Whether they are still to be opened. */
  opening: ReadonlySignal<boolean>;
  /** Which they will be, as far as is known before the graph is there. */
  ahead: ReadonlySignal<readonly string[]>;
}

/**
 * Opens the layers that say most where it is left to the tab, and where none is named the only one of a snapshot, or that
 * of the neuron whose card is open. Until the user opens or closes one, another run has its own.
 */
function openFirstLayers(urlState: UrlState, catalogue: Catalogue, graph: Resource<Graph>): FirstLayers {
  const { layers, panels, undecided, overSteps } = urlState;
  let own: readonly string[] = [];
  let seriesOfOwn = "";
  const series = computed(() => {
    const { run, name } = catalogue.reference.value ?? {};
    return JSON.stringify([run, name]);
  });
  const wanted = computed(() => {
    const snapshot = catalogue.snapshot.value;
    if (layers.value.length > 0) return layers.value === own && series.value !== seriesOfOwn ? snapshot : null;
    if (panels.value !== "" || overSteps.value !== "") return null;
    return undecided.value || snapshot?.layers.length === 1 || ofCard(snapshot).length > 0 ? snapshot : null;
  });
  const ofCard = (snapshot: SnapshotEntry | null): string[] => {
    const card = keyedNeuron(urlState.neuron.value);
    return snapshot?.layers.flatMap(({ name }) => (name === card?.layer ? [name] : [])) ?? [];
  };
  const firstOf = (snapshot: SnapshotEntry): readonly string[] => {
    const own = ofCard(snapshot);
    return own.length > 0 ? own : firstLayers(graph.state.value.value ?? null, snapshot);
  };
  const isOrdered = computed(
    () => (wanted.value?.layers.length ?? 0) < 2 || ["ready", "error"].includes(graph.state.value.status),
  );
  effect(() => {
    if (!wanted.value || !isOrdered.value) return;
    const first = firstOf(wanted.value);
    const isOpen = first.length === own.length && first.every((name, at) => name === own[at]);
    seriesOfOwn = series.value;
    if (isOpen && layers.peek() === own) return;
    own = first;
    urlState.settle(() => {
      layers.value = first;
    });
  });
  return {
    opening: computed(() => wanted.value !== null && !isOrdered.value),
    ahead: computed(() => (wanted.value ? firstOf(wanted.value) : [])),
  };
}

/** The last layer that is not the output; the output where it is alone. */
function lastHidden(layers: readonly LayerStore[], snapshot: SnapshotEntry | null): LayerStore | null {
  const output = outputEntry(snapshot);
  return layers.findLast(({ entry }) => entry.value !== null && entry.value !== output) ?? layers.at(-1) ?? null;
}

function findRow(key: string, rows: readonly MatrixRow[], instances: InstanceColumns | null): MatrixRow | null {
  const shown = rows.find((row) => row.key === key);
  if (shown || !instances) return shown ?? null;
  const sampled = instances.id.findIndex((id) => instanceKey(id) === key);
  return sampled >= 0 ? instanceRow(instances, sampled) : null;
}
