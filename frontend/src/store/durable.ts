/** Durable state: what the user chose and finds again by the address, bounded where a link asks for too much. */

import { batch, effect, type Signal, signal, untracked } from "@preact/signals";
import type { Framing } from "../contract/client";
import { type HashStore, type HashValues, joinList, KEPT, splitList } from "./address";
import type { Wish } from "./selection";
import { flattenSubsets, type SubsetList, unflattenSubsets } from "./subset_list";

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

interface ComparingChoices {
  others: Signal<readonly OtherWish[]>;
  showing: Signal<Showing>;
  /** Layers shown as differences where each is chosen by itself. */
  differing: Signal<readonly string[]>;
  alignment: Signal<Alignment>;
  pairs: Signal<readonly LayerPair[]>;
  /** Keys of the rows of instances that were chosen by who is right. */
  outcomes: Signal<readonly string[]>;
}

const createComparingChoices = (): ComparingChoices => ({
  others: signal([]),
  showing: signal("values"),
  differing: signal([]),
  alignment: signal("auto"),
  pairs: signal([]),
  outcomes: signal([]),
});

function comparingValues(choices: ComparingChoices): HashValues {
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

function applyComparing(choices: ComparingChoices, values: HashValues): void {
  choices.others.value = triples(values.vs).map(([run, name, step]) => ({ run, name, step: parseStep(step) }));
  choices.showing.value = chosen(values, "show");
  choices.differing.value = splitList(values.differing);
  choices.alignment.value = chosen(values, "align");
  choices.pairs.value = triples(values.pairs).map(([other, layer, recorded]) => ({
    other: Number(other),
    layer,
    recorded,
  }));
  choices.outcomes.value = [...new Set(splitList(values.outcomes))];
}

/** Of the keys with few values, these; the first is what holds where the link says none. */
const FEW_VALUES = {
  follow: ["", "latest"],
  size: ["fixed", "active"],
  graph: ["normal", "slim", "tall"],
  show: ["values", "difference", "layer"],
  align: ["auto", "best", "index"],
} as const;

type FewValues = typeof FEW_VALUES;

function chosen<Key extends keyof FewValues>(values: HashValues, key: Key): FewValues[Key][number] {
  const known: readonly FewValues[Key][number][] = FEW_VALUES[key];
  return known.find((value) => value === values[key]) ?? (FEW_VALUES[key][0] as FewValues[Key][number]);
}

/** A step as text, `3` or `3.0`; null where it is none. */
const parseStep = (text: string | undefined): number | null =>
  text === undefined || !/^-?\d+(\.0*)?$/.test(text) ? null : Number(text);

/** A flat list by threes; what is left over is dropped. */
function triples(value: string | undefined): [string, string, string][] {
  const items = splitList(value);
  return Array.from({ length: Math.floor(items.length / 3) }, (_, at) => {
    const [first = "", second = "", third = ""] = items.slice(3 * at, 3 * at + 3);
    return [first, second, third];
  });
}

/** Characters of one name or condition; the plugin takes no longer ones. */
const LONGEST = 4096;

interface Bound {
  most: number;
  /** Items that make one of them. */
  items: number;
  what: string;
}

const MOST_LAYERS = 24;

const BOUNDS: Readonly<Record<string, Bound>> = {
  layers: { most: MOST_LAYERS, items: 1, what: "open layers" },
  vs: { most: MOST_OTHERS, items: 3, what: "runs or steps to compare with" },
  subsets: { most: 100, items: 2, what: "subsets" },
  pinned: { most: 5_000, items: 1, what: "pinned instances" },
  colours: { most: 100, items: 1, what: "coloured classes" },
  differing: { most: MOST_LAYERS, items: 1, what: "layers shown as differences" },
  pairs: { most: MOST_OTHERS * MOST_LAYERS, items: 3, what: "pairs of layers" },
  outcomes: { most: 100, items: 1, what: "rows of outcomes" },
};

interface Bounded {
  values: HashValues;
  /** What was left out, as sentences. */
  notes: string[];
}

/** Returns what a link says as far as it may ask for it. */
export function boundLink(values: HashValues): Bounded {
  const notes: string[] = [];
  const bounded = Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const bound = BOUNDS[key];
    if (bound) return [[key, boundList(value, bound, notes)]];
    if (value.length <= LONGEST) return [[key, value]];
    notes.push(`The link says ${value.length.toLocaleString("en")} characters for “${key}”, which is left out.`);
    return [];
  });
  return { values: Object.fromEntries(bounded), notes };
}

/** @param value Escaped items, joined by commas. */
function boundList(value: string, { most, items, what }: Bound, notes: string[]): string {
  const all = value === "" ? [] : value.split(",");
  const groups = Array.from({ length: Math.ceil(all.length / items) }, (_, at) =>
    all.slice(at * items, (at + 1) * items),
  );
  const isWhole = (group: readonly string[]) => group.length === items;
  const legible = groups.filter((group) => isWhole(group) && group.every((item) => decodedLength(item) <= LONGEST));
  const kept = legible.slice(0, most);
  if (kept.length === groups.length) return value;
  const left = (groups.length - kept.length).toLocaleString("en");
  notes.push(`The link asks for ${groups.length.toLocaleString("en")} ${what}; ${left} of them are left out.`);
  return kept.flat().join(",");
}

/** What a link says that means nothing here, as sentences. */
function illegible(values: HashValues, keys: readonly string[]): string[] {
  const steps = [values.step, ...triples(values.vs).map(([, , step]) => step)];
  const conditions = splitList(values.subsets).filter((_, at) => at % 2 === 1);
  const foreign = Object.keys(values).filter((key) => key !== KEPT && !keys.includes(key));
  return [
    ...steps.flatMap((step) =>
      step && parseStep(step) === null ? [`The link's step, “${short(step)}”, is no whole number.`] : [],
    ),
    ...Object.entries(FEW_VALUES).flatMap(([key, known]) => {
      const value = values[key] ?? "";
      const isKnown = value === "" || (known as readonly string[]).includes(value);
      const meant = known.filter((other) => other !== "").join(", ");
      return isKnown ? [] : [`The link says “${short(value)}” for “${key}”, which can be: ${meant}.`];
    }),
    ...(values.projection && parseProjection(values.projection) === null
      ? [
          `The link says “${short(values.projection)}” for “projection”, which can be pca, tsne-30 or steps-30, with a perplexity of ${PERPLEXITY.least} to ${PERPLEXITY.most}.`,
        ]
      : []),
    ...(conditions.some((condition) => condition.trim() === "")
      ? ["The link has a subset without a condition, which is left out."]
      : []),
    ...(foreign.length > 0 ? [`The link says something that is not known here: ${short(foreign.join(", "))}.`] : []),
  ];
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** In bytes, about. */
const decodedLength = (item: string): number => item.replaceAll(/%[0-9A-Fa-f]{2}/g, "x").length;

export type DotSize = "fixed" | "active";

export type GraphSize = "slim" | "normal" | "tall";

/** `natural`, `strongest`, `variance`, or the key of a row, e.g. `class:NUM`. */
export type Sort = string;

export const DEFAULT_SORT: Sort = "strongest";
/** Sorts that name no row. */
export const NAMED_SORTS: readonly Sort[] = [DEFAULT_SORT, "variance", "natural"];

/** How instances are placed in the plane; chosen first, then computed. */
export interface ProjectionChoice {
  method: "pca" | "tsne";
  /** Wanted of t-SNE; few instances lower it. */
  perplexity: number;
  framing: Framing;
}

const DEFAULT_PROJECTION: ProjectionChoice = { method: "tsne", perplexity: 30, framing: "own" };

/** `label`, `predicted`, `score`, or `attribute:` and an attribute's name: what a projection's dots are coloured by. */
export type Colour = string;

export const DEFAULT_COLOUR: Colour = "label";
/** Colours that name no attribute. */
export const NAMED_COLOURS: readonly Colour[] = [DEFAULT_COLOUR, "predicted", "score"];

/** Of t-SNE; one between them can be wanted. */
export const PERPLEXITY = { least: 5, most: 100 };

interface Choices {
  wish: Signal<Wish>;
  /** Whether the newest step is shown as soon as it is there. */
  follow: Signal<boolean>;
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
  /** How much room the graph has. */
  graphSize: Signal<GraphSize>;
  /** Id of the graph's source that was chosen; empty for the best there is. */
  graphSource: Signal<string>;
  projection: Signal<ProjectionChoice>;
  /** The subsets that the user made. */
  subsets: Signal<SubsetList>;
  /** The condition that instances must meet to be shown; empty where all are. */
  filter: Signal<string>;
  colour: Signal<Colour>;
  /** The layer whose steps are shown together; empty where none is. */
  overSteps: Signal<string>;
  comparing: ComparingChoices;
}

export interface Durable extends Choices {
  /** What the link says and cannot be taken from it, as sentences. */
  leftOut: Signal<readonly string[]>;
  /** Makes a change that follows from others: it does not lengthen the history. One that is `unhurried` is written soon. */
  settle: (change: () => void, unhurried?: boolean) => void;
}

/** TensorBoard's page does its own work on every write; a frame that draws has none to spare for it. */
const UNHURRIED_MILLISECONDS = 200;

/** Reads the hash once, then keeps hash and signals alike in both directions. */
export function openDurable(hash: HashStore): Durable {
  const choices: Choices = {
    wish: signal({ run: null, name: null, step: null }),
    follow: signal(false),
    layers: signal([]),
    sort: signal(DEFAULT_SORT),
    pinned: signal([]),
    dotSize: signal("fixed"),
    coloured: signal([]),
    locked: signal(""),
    maximised: signal(""),
    graphSize: signal("normal"),
    graphSource: signal(""),
    projection: signal(DEFAULT_PROJECTION),
    subsets: signal([]),
    filter: signal(""),
    colour: signal(DEFAULT_COLOUR),
    overSteps: signal(""),
    comparing: createComparingChoices(),
  };
  let settled = "";
  let delay = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = (change: () => void, unhurried = false) =>
    untracked(() =>
      batch(() => {
        change();
        settled = JSON.stringify(valuesOf(choices));
        delay = unhurried ? UNHURRIED_MILLISECONDS : 0;
      }),
    );
  const leftOut = signal<readonly string[]>([]);
  const read = () =>
    settle(() => {
      leftOut.value = apply(choices, hash.read());
    });
  read();
  hash.listen(read);
  effect(() => {
    const values = valuesOf(choices);
    const cause = JSON.stringify(values) === settled ? "consequence" : "choice";
    clearTimeout(timer);
    if (cause === "consequence" && delay > 0) timer = setTimeout(() => hash.write(values, cause), delay);
    else hash.write(values, cause);
    settled = "";
  });
  return { ...choices, leftOut, settle };
}

function valuesOf(choices: Choices): HashValues {
  const { run, name, step } = choices.wish.value;
  return {
    run: run ?? "",
    name: name ?? "",
    step: step === null ? "" : String(step),
    follow: choices.follow.value ? "latest" : "",
    layers: joinList(choices.layers.value),
    sort: choices.sort.value === DEFAULT_SORT ? "" : choices.sort.value,
    pinned: joinList(choices.pinned.value),
    size: choices.dotSize.value === "fixed" ? "" : choices.dotSize.value,
    colours: joinList(choices.coloured.value),
    locked: choices.locked.value,
    maximised: choices.maximised.value,
    graph: choices.graphSize.value === "normal" ? "" : choices.graphSize.value,
    source: choices.graphSource.value,
    projection: formatProjection(choices.projection.value),
    subsets: joinList(flattenSubsets(choices.subsets.value)),
    filter: choices.filter.value,
    colour: choices.colour.value === DEFAULT_COLOUR ? "" : choices.colour.value,
    over: choices.overSteps.value,
    ...comparingValues(choices.comparing),
  };
}

/** @returns What the link says and cannot be taken from it, as sentences. */
function apply(choices: Choices, link: HashValues): string[] {
  const { values, notes } = boundLink(link);
  notes.push(...illegible(values, Object.keys(valuesOf(choices))));
  batch(() => {
    choices.wish.value = { run: values.run ?? null, name: values.name ?? null, step: parseStep(values.step) };
    choices.follow.value = chosen(values, "follow") === "latest";
    choices.layers.value = [...new Set(splitList(values.layers))];
    choices.sort.value = values.sort || DEFAULT_SORT;
    choices.pinned.value = [...new Set(splitList(values.pinned))];
    choices.dotSize.value = chosen(values, "size");
    choices.coloured.value = splitList(values.colours);
    choices.locked.value = values.locked ?? "";
    choices.maximised.value = values.maximised ?? "";
    choices.graphSize.value = chosen(values, "graph");
    choices.graphSource.value = values.source ?? "";
    const projection = parseProjection(values.projection) ?? DEFAULT_PROJECTION;
    if (formatProjection(projection) !== formatProjection(choices.projection.peek())) {
      choices.projection.value = projection;
    }
    choices.subsets.value = unflattenSubsets(splitList(values.subsets));
    choices.filter.value = values.filter ?? "";
    choices.colour.value = values.colour || DEFAULT_COLOUR;
    choices.overSteps.value = values.over ?? "";
    applyComparing(choices.comparing, values);
  });
  return notes;
}

/** `pca`, `tsne-50`, or `steps-50` for t-SNE in the frame of the steps; empty for the default. */
function formatProjection({ method, perplexity, framing }: ProjectionChoice): string {
  if (method === "pca") return "pca";
  if (framing === "steps") return `steps-${perplexity}`;
  return perplexity === DEFAULT_PROJECTION.perplexity ? "" : `tsne-${perplexity}`;
}

/** Returns null where the text means none. */
function parseProjection(text = ""): ProjectionChoice | null {
  if (text === "") return DEFAULT_PROJECTION;
  if (text === "pca") return { ...DEFAULT_PROJECTION, method: "pca" };
  const [, kind, digits] = /^(tsne|steps)-(\d{1,3})$/.exec(text) ?? [];
  const perplexity = Number(digits ?? Number.NaN);
  if (!(perplexity >= PERPLEXITY.least && perplexity <= PERPLEXITY.most)) return null;
  return { method: "tsne", perplexity, framing: kind === "steps" ? "steps" : "own" };
}

/** Adds `item` to the list, or takes it out. */
export function toggle(list: Signal<readonly string[]>, item: string): void {
  list.value = list.value.includes(item) ? list.value.filter((other) => other !== item) : [...list.value, item];
}
