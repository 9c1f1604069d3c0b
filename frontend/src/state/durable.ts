/** What the user chose and wants to find again: kept in the parent page's URL hash, nowhere else. */

import { batch, effect, type Signal, signal } from "@preact/signals";
import { type HashStore, type HashValues, joinList, splitList } from "./hash";
import type { Wish } from "./selection";

export type DotSize = "fixed" | "active";

/** `natural`, `strongest`, `variance`, or the key of a row, e.g. `class:NUM`. */
export type Sort = string;

export const DEFAULT_SORT: Sort = "strongest";

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
  });
}

/** Adds `item` to the list, or takes it out. */
export function toggle(list: Signal<readonly string[]>, item: string): void {
  list.value = list.value.includes(item) ? list.value.filter((other) => other !== item) : [...list.value, item];
}
