/** Comparison of the base with other snapshots: its sides, and what can be done with them. */

import { batch, computed, type ReadonlySignal } from "@preact/signals";
import type { LayerContext } from "./layer";
import { type Outcome, type OutcomeRow, outcomeKey, outcomeRow, parseOutcome } from "./rows";
import { type Other, openSide, pairedName, type Side } from "./side";
import type { SnapshotStore } from "./snapshot";
import { type LayerPair, MOST_OTHERS, type OtherWish, type Showing, toggle, type UrlState } from "./url_state";

export interface Comparing {
  sides: ReadonlySignal<readonly Side[]>;
  /** Whether there is anything beside the base. */
  active: ReadonlySignal<boolean>;
  add: (other: OtherWish) => void;
  remove: (position: number) => void;
  /** Takes another step, run or name in the place of what is there. */
  change: (position: number, wish: Partial<OtherWish>) => void;
  /** Puts the first other in the base's place, and the base in its. */
  swap: () => void;
  /** Puts a layer of another name, or none where it is empty, beside one of the base. */
  pair: (position: number, layer: string, recorded: string) => void;
  /** Whether a layer is shown by its differences. */
  isDifference: (layer: string) => boolean;
  /** Shows one layer by its differences, or by its values. */
  showLayer: (layer: string, difference: boolean) => void;
  /** Adds the row of an outcome, or takes it away. */
  toggleOutcome: (outcome: Outcome, other: number) => void;
  removeOutcome: (key: string) => void;
  /** Says what the row of an outcome holds for. */
  titleOf: (row: OutcomeRow) => string;
}

interface ComparingInputs {
  base: SnapshotStore;
  others: ReadonlySignal<readonly Other[]>;
  layerContext: LayerContext;
  /** Says why something cannot be done. */
  refuse: (sentence: string) => void;
}

export function openComparing({ base, others, layerContext, refuse }: ComparingInputs): Comparing {
  const { urlState } = layerContext;
  const { others: wishes, showing, differing, pairs, outcomes } = urlState.comparing;
  const known = new Map<Other, Side>();
  const sides = computed(() => others.value.map(sideOf));
  return {
    sides,
    active: computed(() => wishes.value.length > 0),
    add: (other) =>
      batch(() => {
        if (wishes.peek().length >= MOST_OTHERS) return;
        if (wishes.peek().length === 0) makeRoom(urlState);
        wishes.value = [...wishes.peek(), other];
      }),
    remove: (position) =>
      batch(() => {
        wishes.value = wishes.peek().filter((_, at) => at !== position);
        pairs.value = withoutOther(pairs.peek(), position, (pair, other) => ({ ...pair, other }));
        const rows = outcomes.peek().flatMap((key) => parseOutcome(key) ?? []);
        outcomes.value = withoutOther(rows, position, (row, other) => ({ ...row, other })).map(outcomeKey);
        if (wishes.peek().length === 0) urlState.graphSize.value = "";
      }),
    change: (position, wish) => {
      wishes.value = wishes.peek().map((other, at) => (at === position ? { ...other, ...wish } : other));
    },
    swap: () =>
      batch(() => {
        const before = base.reference.peek();
        const [other] = others.peek();
        const first = other?.view.reference.peek();
        if (!before || !other || !first) return;
        urlState.layers.value = urlState.layers.peek().map((layer) => pairedName(other, layer) || layer);
        pairs.value = pairs.peek().map((pair) => (pair.other === 0 && pair.recorded !== "" ? inverted(pair) : pair));
        wishes.value = [before, ...wishes.peek().slice(1)];
        urlState.wish.value = first;
        urlState.follow.value = false;
      }),
    pair: (position, layer, recorded) => {
      const rest = pairs.peek().filter((pair) => pair.other !== position || pair.layer !== layer);
      pairs.value = recorded === layer ? rest : [...rest, { other: position, layer, recorded }];
    },
    isDifference: (layer) =>
      showing.value === "difference" || (showing.value === "layer" && differing.value.includes(layer)),
    showLayer: (layer, difference) =>
      batch(() => {
        const shown = base.layers.peek().map(({ name }) => name);
        const before = chosenDifferences(showing.peek(), differing.peek(), shown).filter((name) => name !== layer);
        differing.value = difference ? [...before, layer] : before;
        showing.value = "layer";
      }),
    toggleOutcome: (outcome, other) => toggle(outcomes, outcomeKey({ outcome, other })),
    removeOutcome: (key) => {
      outcomes.value = outcomes.peek().filter((other) => other !== key);
    },
    titleOf: ({ name, members, other }) => {
      const over = sides.peek()[other]?.agreement.state.peek().value?.sampled;
      return `${name}: averages over ${members.length} of the ${over ?? 0} instances sampled in both`;
    },
  };

  function sideOf(other: Other): Side {
    const side = known.get(other) ?? openSide(other, { base, layerContext, refuse });
    known.set(other, side);
    return side;
  }
}

const inverted = ({ other, layer, recorded }: LayerPair): LayerPair => ({ other, layer: recorded, recorded: layer });

/** The columns of a comparison need the graph's room. */
function makeRoom(urlState: UrlState): void {
  urlState.graphSize.value = "slim";
  urlState.maximised.value = "";
}

function chosenDifferences(showing: Showing, differing: readonly string[], layers: readonly string[]) {
  if (showing === "layer") return differing;
  return showing === "difference" ? layers : [];
}

/** Leaves out what was about one of the others, and counts the later ones anew. */
function withoutOther<Item extends { other: number }>(
  items: readonly Item[],
  position: number,
  renumbered: (item: Item, other: number) => Item,
): Item[] {
  return items
    .filter(({ other }) => other !== position)
    .map((item) => (item.other > position ? renumbered(item, item.other - 1) : item));
}

/** Rows of the outcomes that were chosen, while they are known. */
export function outcomeRows(
  urlState: UrlState,
  others: ReadonlySignal<readonly Other[]>,
): ReadonlySignal<OutcomeRow[]> {
  return computed(() =>
    urlState.comparing.outcomes.value.flatMap((key) => {
      const row = parseOutcome(key);
      const agreement = row && others.value[row.other]?.agreement.state.value.value;
      return row && agreement ? [outcomeRow(row, others.value.length, agreement[`${row.outcome}_rows`])] : [];
    }),
  );
}
