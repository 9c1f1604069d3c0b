/** State in the URL: what the user chose and finds again by the address, bounded where a link asks for too much. */

import { batch, effect, type Signal, signal, untracked } from "@preact/signals";
import type { Framing } from "../contract/client";
import { type HashStore, type HashValues, joinList, KEPT, splitList } from "./address";
import type { Wish } from "./selection";
import { flattenSubsets, type NamedCondition, unflattenSubsets } from "./subset_list";

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

export type DotSize = "fixed" | "active";

/** `""`: as what else is shown leaves it room. */
export type GraphSize = "" | "slim" | "normal" | "tall";

/** `natural`, `strongest`, `variance`, or the key of a row, e.g. `class:NUM`. */
export type Sort = string;

export const DEFAULT_SORT: Sort = "strongest";
/** Sorts that name no row. */
export const NAMED_SORTS: readonly Sort[] = [DEFAULT_SORT, "variance", "natural"];

/** `recorded`: as it was, and then as the user made them; `accuracy`: the lowest first; `size`: the largest first. */
export type RowOrder = "recorded" | "accuracy" | "size" | "likeness";

/** Whether rows of one attribute stand below a heading; `""`: where there are many. */
export type Grouping = "" | "attribute" | "none";

/** How instances are placed in the plane; chosen first, then computed. */
export interface ProjectionChoice {
  method: "pca" | "tsne";
  /** Wanted of t-SNE; few instances lower it. */
  perplexity: number;
  framing: Framing;
}

const DEFAULT_PROJECTION: ProjectionChoice = { method: "tsne", perplexity: 30, framing: "own" };

/** `label`, `predicted`, `score`, `attribute:` and a name, or `neuron:`, a number, `:` and a layer: what dots are coloured by. */
export type Colour = string;

export const DEFAULT_COLOUR: Colour = "label";
/** Colours that name no attribute. */
export const NAMED_COLOURS: readonly Colour[] = [DEFAULT_COLOUR, "predicted", "score"];

/** A neuron that colours the dots, in all projections alike. */
export interface ColouringNeuron {
  neuron: number;
  layer: string;
}

export const neuronKey = ({ neuron, layer }: ColouringNeuron): string => `${neuron}:${layer}`;

export const neuronColour = (one: ColouringNeuron): Colour => `neuron:${neuronKey(one)}`;

/** Returns null where a colour names no neuron. */
export function colouringNeuron(colour: Colour): ColouringNeuron | null {
  const [, neuron, layer] = /^neuron:(\d+):(.+)$/s.exec(colour) ?? [];
  return neuron === undefined || layer === undefined ? null : { neuron: Number(neuron), layer };
}

/** Returns the neuron of a key; null of what is none. */
export const keyedNeuron = (key: string): ColouringNeuron | null => colouringNeuron(`neuron:${key}`);

/** Of t-SNE; one between them can be wanted. */
export const PERPLEXITY = { least: 5, most: 100 };

/** What the user can choose, as the address has it. */
interface Choice<Value> {
  initial: Value;
  /** Texts by the keys of the address; empty ones are not written. */
  encode(value: Value): HashValues;
  /** @param before What is chosen now, kept where the address means the same. */
  decode(values: HashValues, before: Value): Value;
  /** How much a link may ask for, by its key. */
  bounds?: Readonly<Record<string, Bound>>;
  /** What a link says and means nothing here, as sentences. */
  problems?(values: HashValues): string[];
}

interface Bound {
  most: number;
  /** Texts that make one of them. */
  items: number;
  what: string;
}

/** @param initial Chosen where the link says nothing, and not written. */
const textChoice = (key: string, initial = ""): Choice<string> => ({
  initial,
  encode: (text) => ({ [key]: text === initial ? "" : text }),
  decode: (values) => values[key] || initial,
});

/** @param options The first is chosen where the link says nothing. */
const optionChoice = <Option extends string>(key: string, options: readonly [Option, ...Option[]]): Choice<Option> => ({
  initial: options[0],
  encode: (option) => ({ [key]: option === options[0] ? "" : option }),
  decode: (values) => options.find((option) => option === values[key]) ?? options[0],
  problems: ({ [key]: text = "" }) => {
    const meant = options.filter((option) => option !== "").join(", ");
    const isKnown = text === "" || options.some((option) => option === text);
    return isKnown ? [] : [`The link says “${short(text)}” for “${key}”, which can be: ${meant}.`];
  },
});

const listChoice = <Item>(
  key: string,
  bound: Bound,
  write: (items: readonly Item[]) => readonly string[],
  read: (texts: readonly string[]) => readonly Item[],
): Choice<readonly Item[]> => ({
  initial: [],
  encode: (items) => ({ [key]: joinList(write(items)) }),
  decode: (values) => read(splitList(values[key])),
  bounds: { [key]: bound },
});

const namesChoice = (key: string, most: number, what: string, read = eachOnce): Choice<readonly string[]> =>
  listChoice(key, { most, items: 1, what }, (names) => names, read);

const eachOnce = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const FOLLOWING = optionChoice("follow", ["", "latest"]);

const MOST_LAYERS = 24;

const WISH: Choice<Wish> = {
  initial: { run: null, name: null, step: null },
  encode: ({ run, name, step }) => ({ run: run ?? "", name: name ?? "", step: stepText(step) }),
  decode: ({ run, name, step }) => ({ run: run ?? null, name: name ?? null, step: parseStep(step) }),
  problems: ({ step = "" }) => illegibleSteps([step]),
};

const FOLLOW: Choice<boolean> = {
  ...FOLLOWING,
  initial: false,
  encode: (follows) => FOLLOWING.encode(follows ? "latest" : ""),
  decode: (values) => FOLLOWING.decode(values, "") === "latest",
};

const PROJECTION: Choice<ProjectionChoice> = {
  initial: DEFAULT_PROJECTION,
  encode: (choice) => ({ projection: formatProjection(choice) }),
  decode: ({ projection }, before) => {
    const choice = parseProjection(projection) ?? DEFAULT_PROJECTION;
    return formatProjection(choice) === formatProjection(before) ? before : choice;
  },
  problems: ({ projection = "" }) =>
    parseProjection(projection) === null
      ? [
          `The link says “${short(projection)}” for “projection”, which can be pca, tsne-30 or steps-30, with a perplexity of ${PERPLEXITY.least} to ${PERPLEXITY.most}.`,
        ]
      : [],
};

const SUBSETS: Choice<readonly NamedCondition[]> = {
  ...listChoice<NamedCondition>("subsets", { most: 100, items: 2, what: "subsets" }, flattenSubsets, unflattenSubsets),
  problems: ({ subsets }) =>
    splitList(subsets).some((condition, at) => at % 2 === 1 && condition.trim() === "")
      ? ["The link has a subset without a condition, which is left out."]
      : [],
};

const OTHERS: Choice<readonly OtherWish[]> = {
  ...listChoice<OtherWish>(
    "vs",
    { most: MOST_OTHERS, items: 3, what: "runs or steps to compare with" },
    (others) => others.flatMap(({ run, name, step }) => [run, name, stepText(step)]),
    (texts) => triples(texts).map(([run, name, step]) => ({ run, name, step: parseStep(step) })),
  ),
  problems: ({ vs }) => illegibleSteps(triples(splitList(vs)).map(([, , step]) => step)),
};

/** In the order in which the address has them. */
const CHOICES = {
  wish: WISH,
  /** Whether the newest step is shown as soon as it is there. */
  follow: FOLLOW,
  /** Names of the layers whose panels are open. */
  layers: namesChoice("layers", MOST_LAYERS, "open layers"),
  /** Names of those whose rows are words. */
  perWord: namesChoice("perword", MOST_LAYERS, "layers shown per word"),
  /** Whether the user closed the last of them, so that none is opened instead. */
  panels: optionChoice<"" | "closed">("panels", ["", "closed"]),
  sort: textChoice("sort", DEFAULT_SORT),
  /** Whether a row that sorts puts its highest values first, or those by which it stands out from all instances. */
  sortBy: optionChoice<"" | "apart">("by", ["", "apart"]),
  /** Whether cells show means, or by how much these are above the mean over all instances. */
  scale: optionChoice<"" | "relative">("scale", ["", "relative"]),
  rowOrder: optionChoice<RowOrder>("rows", ["recorded", "accuracy", "size", "likeness"]),
  grouping: optionChoice<Grouping>("group", ["", "attribute", "none"]),
  /** Ids of the groups of rows that are closed. */
  closed: namesChoice("closed", 250, "closed groups of rows"),
  /** Keys of the rows of recorded subsets that are hidden. */
  hidden: namesChoice("hidden", 250, "hidden rows"),
  /** Ids of the pinned instances, in the order of pinning. */
  pinned: namesChoice("pinned", 5_000, "pinned instances"),
  dotSize: optionChoice<DotSize>("size", ["fixed", "active"]),
  /** Classes that keep their colour where there are too many to tell apart; empty means the first ones. */
  coloured: namesChoice("colours", 100, "coloured classes", (names) => names),
  /** Key of the row that stays lit; empty where none does. */
  locked: textChoice("locked"),
  /** Name of the layer whose panel takes the place of all; empty where none does. */
  maximised: textChoice("maximised"),
  /** Whether the instances are a rail beside the panels; empty where that follows from what else is shown. */
  instances: optionChoice<"" | "aside" | "open">("instances", ["", "aside", "open"]),
  /** How much room the graph has. */
  graphSize: optionChoice<GraphSize>("graph", ["", "normal", "slim", "tall"]),
  /** Id of the graph's source that was chosen; empty for the best there is. */
  graphSource: textChoice("source"),
  projection: PROJECTION,
  /** The subsets that the user made. */
  subsets: SUBSETS,
  /** The condition that instances must meet to be shown; empty where all are. */
  filter: textChoice("filter"),
  colour: textChoice("colour", DEFAULT_COLOUR),
  /** Key of the neuron whose card is open; empty where none is. */
  neuron: textChoice("neuron"),
  /** Whether the classes are named at their clusters, and errors have a ring. */
  clusterNames: optionChoice<"" | "off">("names", ["", "off"]),
  errorRings: optionChoice<"" | "off">("rings", ["", "off"]),
  /** The run whose sentence is put away; empty where none is. */
  unsaid: textChoice("unsaid"),
  /** The layer whose steps are shown together; empty where none is. */
  overSteps: textChoice("over"),
};

const COMPARING_CHOICES = {
  others: OTHERS,
  showing: optionChoice<Showing>("show", ["values", "difference", "layer"]),
  /** Layers shown as differences where each is chosen by itself. */
  differing: namesChoice("differing", MOST_LAYERS, "layers shown as differences", (names) => names),
  alignment: optionChoice<Alignment>("align", ["auto", "best", "index"]),
  pairs: listChoice<LayerPair>(
    "pairs",
    { most: MOST_OTHERS * MOST_LAYERS, items: 3, what: "pairs of layers" },
    (pairs) => pairs.flatMap(({ other, layer, recorded }) => [String(other), layer, recorded]),
    (texts) => triples(texts).map(([other, layer, recorded]) => ({ other: Number(other), layer, recorded })),
  ),
  /** Keys of the rows of instances that were chosen by who is right. */
  outcomes: namesChoice("outcomes", 100, "rows of outcomes"),
};

type Table = Readonly<Record<string, Choice<unknown>>>;
type Chosen<Choices extends Table> = {
  [Name in keyof Choices]: Choices[Name] extends Choice<infer Value> ? Signal<Value> : never;
};

/** Signals of a table's choices, and how they and the address follow each other. */
function openChoices<Choices extends Table>(table: Choices) {
  const opened = Object.entries(table).map(([name, choice]) => ({ name, choice, chosen: signal(choice.initial) }));
  return {
    chosen: Object.fromEntries(opened.map(({ name, chosen }) => [name, chosen])) as Chosen<Choices>,
    encode: (): HashValues => Object.assign({}, ...opened.map(({ choice, chosen }) => choice.encode(chosen.value))),
    decode: (values: HashValues): void => {
      for (const { choice, chosen } of opened) chosen.value = choice.decode(values, chosen.peek());
    },
  };
}

const ALL: readonly Choice<unknown>[] = [...Object.values(CHOICES), ...Object.values(COMPARING_CHOICES)];
const BOUNDS: Readonly<Record<string, Bound>> = Object.assign({}, ...ALL.map(({ bounds }) => bounds));
const KEYS: ReadonlySet<string> = new Set([
  ...ALL.flatMap(({ initial, encode }) => Object.keys(encode(initial))),
  KEPT,
]);

/** What a link says that means nothing here, as sentences. */
function illegible(values: HashValues): string[] {
  const foreign = Object.keys(values).filter((key) => !KEYS.has(key));
  return [
    ...ALL.flatMap(({ problems }) => problems?.(values) ?? []),
    ...(foreign.length > 0 ? [`The link says something that is not known here: ${short(foreign.join(", "))}.`] : []),
  ];
}

const illegibleSteps = (steps: readonly string[]): string[] =>
  steps
    .filter((step) => step !== "" && parseStep(step) === null)
    .map((step) => `The link's step, “${short(step)}”, is no whole number.`);

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** In bytes, about. */
const decodedLength = (item: string): number => item.replaceAll(/%[0-9A-Fa-f]{2}/g, "x").length;

/** A step as text, `3` or `3.0`; null where it is none. */
const parseStep = (text: string | undefined): number | null =>
  text === undefined || !/^-?\d+(\.0*)?$/.test(text) ? null : Number(text);

function stepText(step: number | null): string {
  return step === null ? "" : String(step);
}

/** A flat list by threes; what is left over is dropped. */
const triples = (items: readonly string[]): [string, string, string][] =>
  Array.from({ length: Math.floor(items.length / 3) }, (_, at) => {
    const [first = "", second = "", third = ""] = items.slice(3 * at, 3 * at + 3);
    return [first, second, third];
  });

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

/** Characters of one name or condition; the plugin takes no longer ones. */
const LONGEST = 4096;

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

export interface UrlState extends Chosen<typeof CHOICES> {
  comparing: Chosen<typeof COMPARING_CHOICES>;
  /** Whether the tab says which layers are open first: the address named at most a run, or another was picked since. */
  undecided: Signal<boolean>;
  /** What the link says and cannot be taken from it, as sentences. */
  leftOut: Signal<readonly string[]>;
  /** Makes a change that follows from others: it does not lengthen the history. One that is `unhurried` is written soon. */
  settle: (change: () => void, unhurried?: boolean) => void;
}

/** TensorBoard's page does its own work on every write; a frame that draws has none to spare for it. */
const UNHURRIED_MILLISECONDS = 200;

/** Reads the hash once, then keeps hash and signals alike in both directions. */
export function openUrlState(hash: HashStore): UrlState {
  const own = openChoices(CHOICES);
  const comparing = openChoices(COMPARING_CHOICES);
  const encode = (): HashValues => ({ ...own.encode(), ...comparing.encode() });
  let settled = "";
  let delay = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = (change: () => void, unhurried = false) =>
    untracked(() =>
      batch(() => {
        change();
        settled = JSON.stringify(encode());
        delay = unhurried ? UNHURRIED_MILLISECONDS : 0;
      }),
    );
  const undecided = signal(false);
  const leftOut = signal<readonly string[]>([]);
  const read = () =>
    settle(() => {
      const { values, notes } = boundLink(hash.read());
      // The link that a recording prints names its run alone.
      undecided.value = Object.keys(values).every((key) => key === "run") && notes.length === 0;
      leftOut.value = [...notes, ...illegible(values)];
      own.decode(values);
      comparing.decode(values);
    });
  read();
  hash.listen(read);
  effect(() => {
    const values = encode();
    const cause = JSON.stringify(values) === settled ? "consequence" : "choice";
    clearTimeout(timer);
    if (cause === "consequence" && delay > 0) timer = setTimeout(() => hash.write(values, cause), delay);
    else hash.write(values, cause);
    settled = "";
  });
  return { ...own.chosen, comparing: comparing.chosen, undecided, leftOut, settle };
}

/** Adds `item` to the list, or takes it out. */
export function toggle(list: Signal<readonly string[]>, item: string): void {
  list.value = list.value.includes(item) ? list.value.filter((other) => other !== item) : [...list.value, item];
}
