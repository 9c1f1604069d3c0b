/** What the user chose to compare, and how it is shown; a part of the durable state. */

import { type Signal, signal } from "@preact/signals";
import { type HashValues, joinList, splitList } from "./hash";

/** More sides than this leave none of them room. */
export const MOST_OTHERS = 4;

/** A snapshot to compare with; without a step, the base's where it has that, else its newest. */
export interface OtherWish {
  run: string;
  name: string;
  step: number | null;
}

export type Showing = "values" | "difference" | "layer";

/** `auto`: the best match, but two steps of one run by index. */
export type Alignment = "auto" | "best" | "index";

/** Which layer of another snapshot stands beside one of the base; an empty one leaves the place empty. */
export interface LayerPair {
  /** Position among the others. */
  other: number;
  layer: string;
  recorded: string;
}

export interface ComparingChoices {
  others: Signal<readonly OtherWish[]>;
  showing: Signal<Showing>;
  /** Layers shown as differences where each is chosen by itself. */
  differing: Signal<readonly string[]>;
  alignment: Signal<Alignment>;
  pairs: Signal<readonly LayerPair[]>;
  /** Keys of the rows of instances that were chosen by who is right. */
  outcomes: Signal<readonly string[]>;
}

export const createComparingChoices = (): ComparingChoices => ({
  others: signal([]),
  showing: signal("values"),
  differing: signal([]),
  alignment: signal("auto"),
  pairs: signal([]),
  outcomes: signal([]),
});

export function comparingValues(choices: ComparingChoices): HashValues {
  const others = choices.others.value.flatMap(({ run, name, step }) => [run, name, step === null ? "" : String(step)]);
  const pairs = choices.pairs.value.flatMap(({ other, layer, recorded }) => [String(other), layer, recorded]);
  return {
    vs: joinList(others),
    show: choices.showing.value === "values" ? "" : choices.showing.value,
    differing: joinList(choices.differing.value),
    align: choices.alignment.value === "auto" ? "" : choices.alignment.value,
    pairs: joinList(pairs),
    outcomes: joinList(choices.outcomes.value),
  };
}

export function applyComparing(choices: ComparingChoices, values: HashValues): void {
  choices.others.value = triples(values.vs).map(([run, name, step]) => ({ run, name, step: parseStep(step) }));
  choices.showing.value = values.show === "difference" || values.show === "layer" ? values.show : "values";
  choices.differing.value = splitList(values.differing);
  choices.alignment.value = values.align === "best" || values.align === "index" ? values.align : "auto";
  choices.pairs.value = triples(values.pairs).map(([other, layer, recorded]) => ({
    other: Number(other),
    layer,
    recorded,
  }));
  choices.outcomes.value = [...new Set(splitList(values.outcomes))];
}

/** A step as text, `3` or `3.0`; null where it is none. */
export const parseStep = (text: string | undefined): number | null =>
  text === undefined || !/^-?\d+(\.0*)?$/.test(text) ? null : Number(text);

/** A flat list by threes; what is left over is dropped. */
function triples(value: string | undefined): [string, string, string][] {
  const items = splitList(value);
  return Array.from({ length: Math.floor(items.length / 3) }, (_, at) => {
    const [first = "", second = "", third = ""] = items.slice(3 * at, 3 * at + 3);
    return [first, second, third];
  });
}
