/** What the user chose and wants to find again: kept in the parent page's URL hash, nowhere else. */

import { batch, effect, type Signal, signal } from "@preact/signals";
import { type HashStore, type HashValues, joinList, splitList } from "./hash";
import type { Wish } from "./selection";

export type DotSize = "fixed" | "active";

/** `natural`, `strongest`, `variance`, or the key of a row, e.g. `class:NUM`. */
export type Sort = string;

export const DEFAULT_SORT: Sort = "strongest";

/** How instances are placed in the plane; chosen first, then computed. */
export interface ProjectionChoice {
  method: "pca" | "tsne";
  /** Wanted of t-SNE; few instances lower it. */
  perplexity: number;
}

export const DEFAULT_PROJECTION: ProjectionChoice = { method: "tsne", perplexity: 30 };

/** `label`, `predicted`, `score`, or `attribute:` and an attribute's name: what a projection's dots are coloured by. */
export type Colour = string;

export const DEFAULT_COLOUR: Colour = "label";

export interface Durable {
  wish: Signal<Wish>;
  /** Names of the layers whose panels are open. */
  layers: Signal<readonly string[]>;
  sort: Signal<Sort>;
  /** Ids of the pinned instances, in the order of pinning. */
  pinned: Signal<readonly string[]>;
  dotSize: Signal<DotSize>;
  /** Classes that keep their colour where there are too many to tell apart; empty means the first ones. */
  coloured: Signal<readonly string[]>;
  /** Key of the row that stays lit in the projections; empty where none does. */
  locked: Signal<string>;
  /** Name of the layer whose panel takes the place of all; empty where none does. */
  maximised: Signal<string>;
  /** Whether the graph is a slim bar. */
  slimGraph: Signal<boolean>;
  projection: Signal<ProjectionChoice>;
  colour: Signal<Colour>;
}

/** Reads the hash once, then keeps hash and signals alike in both directions. */
export function openDurable(hash: HashStore): Durable {
  const durable: Durable = {
    wish: signal({ run: null, name: null, step: null }),
    layers: signal([]),
    sort: signal(DEFAULT_SORT),
    pinned: signal([]),
    dotSize: signal("fixed"),
    coloured: signal([]),
    locked: signal(""),
    maximised: signal(""),
    slimGraph: signal(false),
    projection: signal(DEFAULT_PROJECTION),
    colour: signal(DEFAULT_COLOUR),
  };
  apply(durable, hash.read());
  hash.listen(() => apply(durable, hash.read()));
  effect(() => hash.write(valuesOf(durable)));
  return durable;
}

function valuesOf(durable: Durable): HashValues {
  const { run, name, step } = durable.wish.value;
  return {
    run: run ?? "",
    name: name ?? "",
    step: step === null ? "" : String(step),
    layers: joinList(durable.layers.value),
    sort: durable.sort.value === DEFAULT_SORT ? "" : durable.sort.value,
    pinned: joinList(durable.pinned.value),
    size: durable.dotSize.value === "fixed" ? "" : durable.dotSize.value,
    colours: joinList(durable.coloured.value),
    locked: durable.locked.value,
    maximised: durable.maximised.value,
    graph: durable.slimGraph.value ? "slim" : "",
    projection: formatProjection(durable.projection.value),
    colour: durable.colour.value === DEFAULT_COLOUR ? "" : durable.colour.value,
  };
}

function apply(durable: Durable, values: HashValues): void {
  const step = values.step === undefined || !/^-?\d+$/.test(values.step) ? null : Number(values.step);
  batch(() => {
    durable.wish.value = { run: values.run ?? null, name: values.name ?? null, step };
    durable.layers.value = [...new Set(splitList(values.layers))];
    durable.sort.value = values.sort || DEFAULT_SORT;
    durable.pinned.value = [...new Set(splitList(values.pinned))];
    durable.dotSize.value = values.size === "active" ? "active" : "fixed";
    durable.coloured.value = splitList(values.colours);
    durable.locked.value = values.locked ?? "";
    durable.maximised.value = values.maximised ?? "";
    durable.slimGraph.value = values.graph === "slim";
    const projection = parseProjection(values.projection);
    if (formatProjection(projection) !== formatProjection(durable.projection.peek())) {
      durable.projection.value = projection;
    }
    durable.colour.value = values.colour || DEFAULT_COLOUR;
  });
}

/** `pca`, or `tsne-50`; empty for the default. */
function formatProjection({ method, perplexity }: ProjectionChoice): string {
  if (method === "pca") return "pca";
  return perplexity === DEFAULT_PROJECTION.perplexity ? "" : `tsne-${perplexity}`;
}

function parseProjection(text: string | undefined): ProjectionChoice {
  if (text === "pca") return { ...DEFAULT_PROJECTION, method: "pca" };
  const perplexity = Number(/^tsne-(\d{1,3})$/.exec(text ?? "")?.[1] ?? DEFAULT_PROJECTION.perplexity);
  return { method: "tsne", perplexity };
}

/** Adds `item` to the list, or takes it out. */
export function toggle(list: Signal<readonly string[]>, item: string): void {
  list.value = list.value.includes(item) ? list.value.filter((other) => other !== item) : [...list.value, item];
}
