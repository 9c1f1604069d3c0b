/** Resources by key: one is fetched for each key of a list that changes. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import pLimit from "p-limit";
import { RouteError } from "../contract/client";
import { type Cache, createResource, type Loadable, type Request, type Resource } from "./resource";

export interface Resources<Value> {
  states: ReadonlySignal<ReadonlyMap<string, Loadable<Value>>>;
  dispose: () => void;
}

/** Follows `keys`: a key that leaves the list aborts its fetch, one that stays keeps what was loaded. */
export function createResources<Value>(
  keys: () => readonly string[],
  request: (key: string) => Request<Value> | null,
  cache: Cache,
): Resources<Value> {
  const open = signal<ReadonlyMap<string, Resource<Value>>>(new Map());
  const stop = effect(() => {
    const wanted = new Set(keys());
    const before = open.peek();
    if (wanted.size === before.size && [...wanted].every((key) => before.has(key))) return;
    for (const [key, resource] of before) if (!wanted.has(key)) resource.dispose();
    open.value = new Map([...wanted].map((key) => [key, before.get(key) ?? createResource(() => request(key), cache)]));
  });
  return {
    states: computed(() => new Map([...open.value].map(([key, resource]) => [key, resource.state.value]))),
    dispose: () => {
      stop();
      for (const resource of open.peek().values()) resource.dispose();
    },
  };
}

/** The plugin evaluates few conditions at a time, and the browser opens few connections. */
const EVALUATIONS = 2;
const BUSY_MILLISECONDS = 1_000;
const BUSY_TIMES = 20;

export type Queue = <Value>(load: (signal: AbortSignal) => Promise<Value>) => (signal: AbortSignal) => Promise<Value>;

/** Makes loads wait for their turn, and ask again while the server is too busy. */
export function createQueue(): Queue {
  const limit = pLimit(EVALUATIONS);
  return (load) => (signal) =>
    limit(async () => {
      signal.throwIfAborted();
      return await patiently(load, signal);
    });
}

/** Makes loads ask again while the server is too busy, without a turn: for what somebody is waiting for. */
export const atOnce: Queue = (load) => (signal) => patiently(load, signal);

async function patiently<Value>(load: (signal: AbortSignal) => Promise<Value>, signal: AbortSignal): Promise<Value> {
  for (let times = 1; ; times++) {
    try {
      return await load(signal);
    } catch (error) {
      const isBusy = error instanceof RouteError && error.passes && error.status > 0;
      if (!isBusy || times === BUSY_TIMES || signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MILLISECONDS));
    }
  }
}
