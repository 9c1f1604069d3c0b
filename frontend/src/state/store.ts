/** The one store: durable choices, what was fetched for them, and what the pointer lights. Views know only this. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Graph, InstanceColumns } from "../contract/activis";
import type { Client } from "../contract/client";
import { type Catalogue, openCatalogue } from "./catalogue";
import { type Comparing, openComparing, outcomeRows } from "./comparing";
import { type Comparison, openComparison } from "./comparison";
import { type Draft, openDraft } from "./draft";
import { type Durable, openDurable, toggle } from "./durable";
import { fetchGraph } from "./fetched_graph";
import { createFind, type FindState } from "./finding";
import { layersInFlowOrder } from "./graph_order";
import type { Host } from "./host";
import { createHover, type Hover, type HoverState } from "./hover";
import { type LayerContext, type LayerStore, openLayer } from "./layer";
import { type LayerHealths, openLayerHealths } from "./layer_health";
import { openEach } from "./opened_layers";
import { type OpenedSnapshot, openSnapshot } from "./opened_snapshot";
import { followOthers } from "./others";
import { type OverSteps, openOverSteps } from "./over_steps";
import type { HashStore } from "./parent_hash";
import { openPointing, type Pointing } from "./pointed";
import { followReading } from "./reading";
import { Cache, type Resource } from "./resource";
import { createQueue } from "./resources";
import { instanceKey, instanceRow, isMany, type MatrixRow, pinnedRows, subsetRows } from "./rows";
import { followScores, type Scores } from "./scores";
import { openStepping, type Stepping } from "./stepping";
import type { SubsetsState } from "./subsets";
import { followUnknown, type Unknown } from "./unknown";

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
    draft: openDraft(context, subsets),
    pointing,
    comparison,
    layers: openLayers(layerContext, catalogue, graph),
    stepping: openStepping(catalogue, durable, layerContext),
    overSteps: openOverSteps(context, others),
    unknown: followUnknown(durable, catalogue, others),
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

/** Which typed conditions the layers ask about: their averages always, who is active only where it is looked at. */
function followConditions(
  subsets: SubsetsState,
  durable: Durable,
  { hover }: HoverState,
): Pick<LayerContext, "conditions" | "activeConditions"> {
  const hovered = computed(() => hover.value?.row?.condition);
  const activeConditions = computed(() => {
    if (durable.dotSize.value === "active") return subsets.conditions.value;
    return hovered.value === undefined ? [] : [hovered.value];
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
