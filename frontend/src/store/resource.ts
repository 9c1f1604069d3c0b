/** Resources that are fetched: shown when there, replaced when their key changes, asked for again until there. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import pLimit from "p-limit";
import { type Computed, RouteError } from "../contract/client";

export const POLL_MILLISECONDS = 250;
export const BUSY_MILLISECONDS = 2_000;

/** Whether to ask again after a while: the server is too busy, or did not answer at all. */
export const isBusy = (error: unknown): boolean => error instanceof RouteError && error.passes;

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Asks until what is computed is done, or `signal` aborts; shows what is not. */
export async function untilDone<Value>(
  ask: () => Promise<Computed<Value>>,
  signal: AbortSignal,
  show?: (unfinished: Value) => void,
): Promise<Value> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const { done, value } = await ask();
      if (done) return value;
      show?.(value);
      await pause(POLL_MILLISECONDS, signal);
    } catch (error) {
      if (!isBusy(error) || signal.aborted) throw error;
      await pause(BUSY_MILLISECONDS, signal);
    }
  }
}

export type Loadable<Value> =
  | { status: "idle"; value?: undefined }
  | { status: "loading"; value?: Value | undefined }
  | { status: "ready"; value: Value }
  | { status: "error"; message: string; value?: undefined };

/** What a fetch needs to know: the key that it is cached by, and how to load it. */
export interface Request<Value> {
  key: string;
  /** What is asked about: while a newer version of the same is loaded, the older one stays. Without it nothing does. */
  subject?: string;
  load: (signal: AbortSignal, show?: (unfinished: Value) => void) => Promise<Value>;
}

export interface Resource<Value> {
  state: ReadonlySignal<Loadable<Value>>;
  dispose: () => void;
}

/** Keeps loaded values by key, at most `limit` bytes of them by `size`, the least recently used leave first. */
export class Cache {
  readonly #entries = new Map<string, { value: unknown; size: number }>();
  readonly #limit: number;
  #size = 0;

  constructor(limit = 256 * 2 ** 20) {
    this.#limit = limit;
  }

  get(key: string): unknown {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: unknown, size: number): void {
    this.#size += size - (this.#entries.get(key)?.size ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, size });
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= this.#limit || oldest === key) break;
      this.#entries.delete(oldest);
      this.#size -= entry.size;
    }
  }
}

/** Follows `request`: a new key aborts the fetch under way; a key seen before answers at once from `cache`. */
export function createResource<Value>(request: () => Request<Value> | null, cache: Cache): Resource<Value> {
  const state = signal<Loadable<Value>>({ status: "idle" });
  let currentKey: string | null = null;
  let subject: string | null = null;
  let controller = new AbortController();

  const stop = effect(() => {
    const next = request();
    if ((next?.key ?? null) === currentKey) return;
    controller.abort();
    controller = new AbortController();
    currentKey = next?.key ?? null;
    const stays = next?.subject !== undefined && next.subject === subject ? state.peek().value : undefined;
    subject = next?.subject ?? null;
    if (next)
      start(next, controller.signal, cache, (loaded) => {
        state.value = loaded.status === "loading" ? { value: stays, ...loaded } : loaded;
      });
    else state.value = { status: "idle" };
  });

  return {
    state,
    dispose: () => {
      stop();
      controller.abort();
    },
  };
}

function start<Value>(
  request: Request<Value>,
  signal: AbortSignal,
  cache: Cache,
  show: (loaded: Loadable<Value>) => void,
): void {
  const known = cache.get(request.key);
  if (known !== undefined) {
    show({ status: "ready", value: known as Value });
    return;
  }
  show({ status: "loading" });
  const showUnfinished = (value: Value) => {
    if (!signal.aborted) show({ status: "loading", value });
  };
  request.load(signal, showUnfinished).then(
    (value) => {
      if (signal.aborted) return;
      cache.set(request.key, value, sizeOf(value));
      show({ status: "ready", value });
    },
    (error: unknown) => {
      if (!signal.aborted) show({ status: "error", message: sentenceOf(error) });
    },
  );
}

/** Returns the sentence to show for whatever went wrong. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RouteError || error instanceof Error) return error.message;
  return String(error);
}

function sizeOf(value: unknown): number {
  const data = (value as { data?: { byteLength?: number } } | null)?.data;
  return data?.byteLength ?? 100_000;
}

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
const RETRY_MILLISECONDS = 1_000;
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
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}
