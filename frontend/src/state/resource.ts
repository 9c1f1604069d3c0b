/** Something that is fetched: shown when it is there, replaced when its key changes, never by a late answer. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { RouteError } from "../contract/client";

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
  load: (signal: AbortSignal) => Promise<Value>;
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
        state.value = loaded.status === "loading" ? { ...loaded, value: stays } : loaded;
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
  request.load(signal).then(
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
