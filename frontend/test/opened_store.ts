/** A store over a plugin that answers at once, for one run with steps 1 and 2. */

import { signal } from "@preact/signals";
import type { Client } from "../src/contract/client";
import type { NpyArray } from "../src/contract/npy";
import type { Cause, HashStore, HashValues } from "../src/store/address";
import type { SnapshotStore } from "../src/store/snapshot";
import { createTab } from "../src/store/tab";
import {
  agreement,
  answer,
  graph,
  instances,
  matching,
  neuronCard,
  runEntry,
  runList,
  separation,
  similarity,
  snapshot,
} from "./samples";

const NEURONS = 18;

export function rows(values: number[][]): NpyArray<Float32Array> {
  const data = new Float32Array(values.length * NEURONS);
  values.forEach((row, at) => {
    data.set(row, at * NEURONS);
  });
  return { shape: [values.length, NEURONS], data };
}

export function createClient(change: Partial<Client> = {}): Client {
  return {
    runs: async () =>
      runList([runEntry("cnn/activis", [snapshot({ step: 1 }), snapshot({ step: 2, wall_time: 1, version: "2" })])]),
    graph: async () => graph(),
    instances: async () => instances(),
    scores: async (_snapshot, row) => ({ shape: [1, 2], data: Float32Array.of(row, 1 - row) }),
    membership: async () => ({ shape: [3, 3], data: Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 1, 1) }),
    statistics: async () =>
      rows([
        [1, 3, 2],
        [5, 0, 4],
        [0, 0, 0],
      ]),
    overall: async () => ({
      shape: [2, NEURONS],
      data: Float64Array.from({ length: 2 * NEURONS }, (_, at) => (at < NEURONS ? 1 : 2)),
    }),
    activations: async () =>
      rows([
        [7, 8, 9],
        [1, 2, 3],
        [0, 5, 0],
      ]),
    projection: async (_snapshot, _layer, { method }) => ({
      method,
      framing: "own",
      coordinates: Float32Array.of(0, 0, 1, 1, Number.NaN, Number.NaN),
      done: true,
      iteration: 750,
      iterations: 750,
      perplexity: 1,
      neuronsLeftOut: 0,
    }),
    neuron: async (_snapshot, layer, neuron) => ({ done: true, value: neuronCard({ layer, neuron }) }),
    positions: async () => ({
      kind: "tokens",
      before: 1,
      after: 1,
      rows: [0, 1],
      starts: [0, 2, 3],
      text_starts: [0, 4, 7],
      texts: ["what", "city", "the", "?", "the", "city", ""],
      origin: Array.from({ length: NEURONS }, () => 0),
      scale: Array.from({ length: NEURONS }, () => 2),
    }),
    positionCodes: async () => ({
      shape: [3, NEURONS],
      data: Uint8Array.from({ length: 3 * NEURONS }, (_, at) => [0, 255, 3][at % 3] ?? 0),
    }),
    positionMaxima: async () => ({ shape: [0, NEURONS], data: new Uint16Array() }),
    words: async () => ({ text: ["the", "city"], count: [9, 3], positions: 20, distinct: 5, least: 3, exact: true }),
    wordMeans: async () =>
      rows([
        [0, 1, 0],
        [3, 0, 6],
      ]),
    health: async () => ({
      neurons: NEURONS,
      dead: 1,
      dead_over: 3,
      zeros: 0.25,
      zeros_over: 3,
      effective_rank: 1.5,
      effective_rank_over: 3,
      nonfinite: 0,
      nonfinite_over: 3,
    }),
    subset: async () => answer([0, 2]),
    subsetStatistics: async () => ({ values: rows([[4, 6, 5]]), exactness: "exact", bound: 0 }),
    agreement: async () => ({ done: true, value: agreement() }),
    matching: async () => ({ done: true, value: matching() }),
    separation: async () => ({ done: true, value: separation() }),
    similarity: async () => ({ done: true, value: similarity() }),
    summaries: async () => ({ columns: [], source: "all", over: 3, total: 3, note: "" }),
    imageUrl: () => "",
    ...change,
  };
}

function createHash(values: HashValues = {}): HashStore & { written: HashValues; causes: Cause[] } {
  const hash = {
    written: {} as HashValues,
    causes: [] as Cause[],
    read: () => values,
    write: (next: HashValues, cause: Cause) => {
      hash.written = next;
      hash.causes.push(cause);
    },
    listen: () => () => undefined,
    link: () => "",
    notice: signal(""),
  };
  return hash;
}

const createHost = () => ({ dark: signal(false), visible: signal(true), onReload: () => () => undefined });

export async function open(client: Partial<Client> = {}, values: HashValues = {}) {
  const hash = createHash(values);
  const host = createHost();
  const tab = createTab(createClient(client), hash, host);
  await settled();
  return { tab, base: tab.base, hash, host };
}

export const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

export const rowNamed = ({ rows }: SnapshotStore, key: string) => {
  const row = rows.value.find((candidate) => candidate.key === key);
  if (!row) throw new Error(`no row ${key}`);
  return row;
};
