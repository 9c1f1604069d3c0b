/**
 * Debug view of the tab, read-only, made from the structures that are drawn: `window.__activis`. No part of the tab;
 * tests and benchmarks run it in the page before the tab, which hands its stores to it by an event.
 */
import type { Hover } from "./hover";
import { type LayerStore, rowValues } from "./layer";
import type { Side } from "./side";
import type { SnapshotStore } from "./snapshot";
import type { TabStore } from "./tab";

interface DebugState {
  run: string | null;
  name: string | null;
  step: number | null;
  layers: string[];
  sort: string;
  hover: { source: Hover["source"]; layer: string | null; row: string | null; neuron: number | null } | null;
  pinned: string[];
  /** The user's subsets; a count that is not there yet is null. */
  subsets: { name: string; condition: string; count: number | null }[];
  /** By layer, neurons in the order in which they are shown. */
  columns: Record<string, number[]>;
  /** By layer, the sampled rows that are lit in the projection, or the hovered one, in ascending order. */
  highlighted: Record<string, number[]>;
  projection: Record<string, { method: string; iteration: number; done: boolean; points: number; step: number } | null>;
  /** The other runs and steps that are compared with this one. */
  sides: DebugSide[];
}

interface DebugSide {
  letter: string;
  run: string | null;
  step: number | null;
  /** The hovered instance by its sampled row there; -1 where none is. */
  instance: number;
  /** By layer of the base, what stands beside it; a layer without a counterpart is missing. */
  layers: Record<string, DebugComparedLayer>;
}

interface DebugComparedLayer {
  recorded: string;
  difference: boolean;
  /** By the base's neuron; null until it is known. */
  partners: number[] | null;
  correlations: number[] | null;
  highlighted: number[];
  placed: number;
}

declare global {
  interface Window {
    __activis?: {
      state: () => DebugState;
      /** What a layer's row shows, by neuron; null until it is there. */
      row: (layer: string, key: string) => number[] | null;
      /** What it shows on a side, by the base's neuron; null where nothing is shown. */
      sideRow: (letter: string, layer: string, key: string) => (number | null)[] | null;
    };
  }
}

addEventListener("activis", (event) => {
  const tab = (event as CustomEvent<TabStore>).detail;
  window.__activis = {
    state: () => debugState(tab),
    row: (layer, key) => debugRow(tab, layer, key),
    sideRow: (letter, layer, key) => debugSideRow(tab, letter, layer, key),
  };
});

function debugSideRow(tab: TabStore, letter: string, name: string, key: string): (number | null)[] | null {
  const side = tab.comparing.sides.peek().find((candidate) => candidate.letter === letter);
  const compared = side?.layers.peek().get(name);
  const row = side?.store.rows.peek().find((candidate) => candidate.key === key);
  if (!compared || !row) return null;
  const values = tab.comparing.isDifference(name)
    ? compared.differencesOf(row, tab.base.rowOfKey(key))
    : compared.valuesOf(row);
  return values && Array.from(values, finiteOrNull);
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

function debugSide(tab: TabStore, side: Side): DebugSide {
  const reference = side.view.reference.peek();
  const layers = [...side.layers.peek()].map(([name, compared]): [string, DebugComparedLayer] => {
    const matching = compared.matching.peek();
    return [
      name,
      {
        recorded: compared.recorded,
        difference: tab.comparing.isDifference(name),
        partners: matching && [...matching.partners],
        correlations: matching?.correlations ? Array.from(matching.correlations, (r) => finiteOrNull(r) ?? 0) : null,
        highlighted: highlightedRows(side.store, compared.layer),
        placed: placedRows(compared.layer).length,
      },
    ];
  });
  return {
    letter: side.letter,
    run: reference?.run ?? null,
    step: reference?.step ?? null,
    instance: side.store.instance.peek(),
    layers: Object.fromEntries(layers),
  };
}

function debugRow(tab: TabStore, name: string, key: string): number[] | null {
  const layer = tab.base.layers.peek().find((candidate) => candidate.name === name);
  const store = tab.perWord.peek().get(name)?.snapshot ?? tab.base;
  const row = store.rows.peek().find((candidate) => candidate.key === key);
  const values = layer && row && rowValues(layer, row);
  return values ? [...values] : null;
}

function debugState(tab: TabStore): DebugState {
  const reference = tab.base.reference.peek();
  const hover = tab.base.hover.peek();
  const layers = tab.base.layers.peek();
  const byLayer = <Value>(derive: (layer: LayerStore) => Value) =>
    Object.fromEntries(layers.map((layer) => [layer.name, derive(layer)]));
  return {
    run: reference?.run ?? null,
    name: reference?.name ?? null,
    step: reference?.step ?? null,
    layers: layers.map((layer) => layer.name),
    sort: tab.urlState.sort.peek(),
    hover: hover && {
      source: hover.source,
      layer: hover.layer ?? null,
      row: hover.row?.key ?? null,
      neuron: hover.neuron ?? null,
    },
    pinned: [...tab.urlState.pinned.peek()],
    subsets: tab.subsets.list.peek().map(({ name, condition }) => ({
      name,
      condition,
      count: tab.base.answers.peek().get(condition)?.value?.count ?? null,
    })),
    columns: byLayer((layer) => [...(layer.columns.peek() ?? [])]),
    highlighted: byLayer((layer) => highlightedRows(tab.base, layer)),
    projection: byLayer((layer) => {
      const shown = layer.projection.shown.peek();
      return (
        shown && {
          method: shown.method,
          iteration: shown.iteration,
          done: shown.done,
          points: placedRows(layer).length,
          step: shown.of.step,
        }
      );
    }),
    sides: tab.comparing.sides.peek().map((side) => debugSide(tab, side)),
  };
}

function highlightedRows(store: SnapshotStore, layer: LayerStore): number[] {
  const highlighted = store.litMask.peek();
  const instance = store.instance.peek();
  return placedRows(layer).filter((row) => (highlighted ? highlighted[row] === 1 : row === instance));
}

/** Sampled rows that have a place in the projection. */
function placedRows(layer: LayerStore): number[] {
  const coordinates = layer.projection.shown.peek()?.coordinates ?? new Float32Array();
  return Array.from({ length: coordinates.length / 2 }, (_, row) => row).filter((row) =>
    Number.isFinite(coordinates[row * 2]),
  );
}
