/** The one store: durable choices, what was fetched for them, and what the pointer lights. Views know only this. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Graph, InstanceColumns } from "../contract/activis";
import type { Client } from "../contract/client";
import type { NpyArray } from "../contract/npy";
import { type Catalogue, openCatalogue } from "./catalogue";
import { type Comparison, openComparison } from "./comparison";
import { type Draft, openDraft } from "./draft";
import { type Durable, openDurable, toggle } from "./durable";
import { createFind, type FindState } from "./finding";
import { layersInFlowOrder } from "./graph_order";
import type { Host } from "./host";
import { createHover, type HoverState } from "./hover";
import { type LayerContext, type LayerStore, openLayer } from "./layer";
import type { HashStore } from "./parent_hash";
import { openPointing, type Pointing } from "./pointed";
import { Cache, createResource, type Resource } from "./resource";
import { createQueue } from "./resources";
import { instanceKey, instanceRow, isMany, type MatrixRow, pinnedRows, subsetRows } from "./rows";
import { followScores, type Scores } from "./scores";
import { openSubsets, type SubsetFacts, type SubsetsState } from "./subsets";

export interface Store extends HoverState, FindState {
  client: Client;
  host: Host;
  /** The address that shows what is shown, and what to know about it. */
  address: Pick<HashStore, "link" | "notice">;
  durable: Durable;
  catalogue: Catalogue;
  graph: Resource<Graph>;
  instances: Resource<InstanceColumns>;
  membership: Resource<NpyArray<Uint8Array>>;
  /** Scores of the hovered instance, (classes,); null while they are not there. */
  scores: ReadonlySignal<Scores | null>;
  /** Classes, subsets and pinned instances, as every panel shows them; the temporary row comes after. */
  rows: ReadonlySignal<readonly MatrixRow[]>;
  subsets: SubsetsState;
  draft: Draft;
  pointing: Pointing;
  comparison: Comparison;
  /** How many instances a class or subset has and what was predicted of them; null where that is not known. */
  factsOf: (row: MatrixRow) => SubsetFacts | null;
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
  const { graph, instances, membership } = fetchSnapshot(client, cache, catalogue);

  const queue = createQueue();
  const subsetContext = { client, cache, catalogue, durable, queue };
  const subsets = openSubsets(subsetContext);

  const columns = computed(() => instances.state.value.value ?? null);
  const pinned = computed(() => (columns.value ? pinnedRows(columns.value, durable.pinned.value) : []));
  const rows = computed(() => {
    const snapshot = catalogue.snapshot.value;
    return snapshot ? [...subsetRows(snapshot), ...subsets.rows.value, ...pinned.value] : [];
  });
  const hover = createHover(
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
  const shares = followConditions(subsets, durable, hover);
  const layers = openLayers(
    { client, cache, catalogue, durable, host, sortRow, queue, compared, answers: subsets.answers, ...shares },
    graph,
  );

  return {
    client,
    host,
    address: hash,
    durable,
    catalogue,
    graph,
    instances,
    membership,
    scores: followScores({ client, cache, catalogue }, columns, hover.instance),
    rows,
    subsets,
    draft: openDraft(subsetContext, subsets),
    pointing,
    comparison,
    factsOf: (row) => {
      if (row.condition !== undefined) return subsets.answers.value.get(row.condition)?.value ?? null;
      return catalogue.snapshot.value?.subsets[row.subset] ?? null;
    },
    layers,
    ...hover,
    ...createFind(columns),
    toggleLayer: (layer) => toggle(durable.layers, layer),
    toggleLock: (row) => {
      if (isMany(row)) durable.locked.value = durable.locked.peek() === row.key ? "" : row.key;
    },
    togglePin: (sampled) => {
      const id = columns.peek()?.id[sampled];
      if (id !== undefined) toggle(durable.pinned, id);
    },
  };
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

function fetchSnapshot(
  client: Client,
  cache: Cache,
  catalogue: Catalogue,
): Pick<Store, "graph" | "instances" | "membership"> {
  const run = computed(() => catalogue.reference.value?.run ?? null);
  const recorded = computed(() => catalogue.snapshot.value?.layers.map((layer) => layer.tensor).join() ?? "");
  const reference = () => catalogue.reference.peek() ?? { run: "", name: "", step: 0 };
  const request = <Value>(what: string, load: (signal: AbortSignal) => Promise<Value>) =>
    catalogue.reference.value
      ? { key: `${what} ${catalogue.key.value}`, subject: JSON.stringify(catalogue.reference.value), load }
      : null;
  return {
    graph: createResource(() => {
      const current = run.value;
      if (current === null) return null;
      return {
        key: `graph ${current} ${recorded.value}`,
        subject: current,
        load: (signal) => client.graph(current, signal),
      };
    }, cache),
    instances: createResource(() => request("instances", (signal) => client.instances(reference(), signal)), cache),
    membership: createResource(() => request("membership", (signal) => client.membership(reference(), signal)), cache),
  };
}

function openLayers(
  context: Parameters<typeof openLayer>[1],
  graph: Resource<Graph>,
): ReadonlySignal<readonly LayerStore[]> {
  const open = signal<ReadonlyMap<string, LayerStore>>(new Map());
  effect(() => {
    const wanted = context.durable.layers.value;
    const before = open.peek();
    for (const [name, layer] of before) if (!wanted.includes(name)) layer.dispose();
    open.value = new Map(wanted.map((name) => [name, before.get(name) ?? openLayer(name, context)]));
  });
  return computed(() => {
    const listed = context.catalogue.snapshot.value?.layers.map((layer) => layer.name) ?? [];
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
