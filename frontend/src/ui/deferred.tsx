/** Deferred work: what is heavy and not looked at first waits for the next frames, or for its chunk of the code. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Problem } from "./controls";

const loads: (() => Promise<void>)[] = [];

/** Loads every chunk that is not there yet. */
export const loadDeferred = (): Promise<unknown> => Promise.all(loads.map((load) => load()));

/** Returns what `get` imports, null until it is loaded: when it is asked for, or before. */
export function deferredModule<Module>(get: () => Promise<Module>) {
  const module = signal<Module | null>(null);
  const load = async () => {
    // What does not load is asked for again the next time.
    module.value ??= await get().catch(() => null);
  };
  loads.push(load);
  return { module: module as ReadonlySignal<Module | null>, load };
}

/** Returns the component that `get` imports. It is loaded when it is first shown, or before; nothing is shown till then. */
export function deferred<Properties extends object>(get: () => Promise<ComponentType<Properties>>) {
  const state = signal<{ Loaded?: ComponentType<Properties>; failed?: boolean }>({});
  const load = async () => {
    if (state.peek().Loaded) return;
    try {
      state.value = { Loaded: await get() };
    } catch {
      state.value = { failed: true };
    }
  };
  loads.push(load);
  function Deferred(properties: Properties) {
    const { Loaded, failed } = state.value;
    useLayoutEffect(() => void load(), []);
    if (failed) return <Problem sentence="This part of the tab could not be loaded." retry={() => void load()} />;
    return Loaded ? <Loaded {...properties} /> : null;
  }
  return Object.assign(Deferred, { load });
}

/**
 * Returns `value` as it was until the frame that it changed in is painted, and then as it is.
 *
 * @param frames So many more are painted before.
 */
export function useLater<Value>(value: Value, frames = 0): Value {
  const [shown, show] = useState(() => value);
  useEffect(() => {
    if (frames === 0) return show(() => value);
    let [left, timer] = [frames, 0];
    // What is begun in a frame is drawn in it: after it, there is time until the next.
    let request = requestAnimationFrame(function wait() {
      if (--left > 0) request = requestAnimationFrame(wait);
      else timer = window.setTimeout(() => show(() => value));
    });
    return () => {
      cancelAnimationFrame(request);
      clearTimeout(timer);
    };
  }, [value, frames]);
  return shown;
}
