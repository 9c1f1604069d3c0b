/** Unknown names: what the address names and there is not, said in sentences, with the way to let go of it. */

import { batch, computed, type ReadonlySignal, type Signal } from "@preact/signals";
import type { InstanceColumns, RunEntry, RunList } from "../contract/activis";
import { isColourable } from "../contract/attributes";
import type { Catalogue } from "./catalogue";
import { parseLit } from "./lit";
import { comparedKeys } from "./row_comparison";
import { instanceKey, type MatrixRow, parseOutcome, wordOfKey } from "./rows";
import { findRun, findRuns, namesOf, type Selection, snapshotsOf } from "./selection";
import type { Other } from "./side";
import type { TabStore } from "./tab";
import {
  type ColouringNeuron,
  colouringNeuron,
  DEFAULT_COLOUR,
  DEFAULT_SORT,
  keyedNeuron,
  NAMED_COLOURS,
  NAMED_SORTS,
  type UrlState,
} from "./url_state";

const MOST_LISTED = 6;

export interface Unknown {
  /** One for everything of that kind. */
  sentences: ReadonlySignal<readonly string[]>;
  /** Makes what is shown in its place what the address names. */
  keepShown: () => void;
}

/** One thing that the address names and there is not. */
interface Missing {
  sentence: string;
  /** Takes what is shown in its place. */
  forget: () => void;
}

/** What is there, and where the names are that may not be. */
interface Shown {
  urlState: UrlState;
  catalogue: Catalogue;
  others: ReadonlySignal<readonly Other[]>;
  rows: ReadonlySignal<readonly MatrixRow[]>;
  columns: ReadonlySignal<InstanceColumns | null>;
  list: RunList;
  current: Selection;
}

/** Each looks after the names of one kind; all that an address can name belong to one of them. */
const KINDS: readonly ((shown: Shown) => Missing[])[] = [
  missingBase,
  missingOthers,
  missingStepsLayer,
  missingSort,
  missingLocked,
  missingMaximised,
  missingPinned,
  missingColoured,
  missingColour,
  missingNeuron,
  missingDiffering,
  missingPairs,
  missingOutcomes,
  leftOut,
];

/** Follows what the tab is asked for. */
export function followUnknown({ urlState, catalogue, comparing, base }: TabStore): Unknown {
  const { rows, columns } = base;
  const missing = computed(() => {
    const list = catalogue.runs.value.value;
    const current = catalogue.selection.value;
    if (!list || !current) return [];
    return KINDS.flatMap((find) =>
      find({ urlState, catalogue, others: comparing.sides, rows, columns, list, current }),
    );
  });
  return {
    sentences: computed(() => missing.value.map(({ sentence }) => sentence)),
    keepShown: () =>
      batch(() => {
        for (const { forget } of missing.peek()) forget();
      }),
  };
}

function missingBase({ urlState, catalogue, list, current }: Shown): Missing[] {
  const { run, name, step } = urlState.wish.value;
  const missing =
    run !== null && findRun(list, run) === null
      ? missingRun(list, run)
      : missingSnapshot(current.run, name, urlState.follow.value ? null : step, current.snapshot.name);
  if (missing === "") return [];
  const { label } = current.run;
  const sentence = `${missing} Shown is ${quoted(label)}, ${current.snapshot.name} at step ${current.snapshot.step}.`;
  const forget = () => {
    urlState.wish.value = catalogue.reference.peek() ?? urlState.wish.peek();
  };
  return [{ sentence, forget }];
}

function missingOthers({ urlState, list, others }: Shown): Missing[] {
  const { others: wishes } = urlState.comparing;
  return others.value.flatMap((other) => {
    const sentence = missingOther(list, other);
    const forget = () => {
      const { view, wish, position } = other;
      const shown = { ...wish.peek(), ...view.reference.peek() };
      wishes.value = wishes.peek().map((before, at) => (at === position ? { ...before, ...shown } : before));
    };
    return sentence === "" ? [] : [{ sentence, forget }];
  });
}

function missingRun(list: RunList, name: string): string {
  const meant = findRuns(list, name).map(({ run }) => quoted(run));
  if (meant.length > 1) return `The link names ${quoted(name)}, which can be ${either(meant)}: choose one.`;
  const warning = list.warnings.find((text) => text.includes(name));
  return `The link names the run ${quoted(name)}, of which there is no recording here. ${warning ?? ""}`.trim();
}

function missingSnapshot(run: RunEntry, name: string | null, step: number | null, shownName: string): string {
  const names = namesOf(run);
  if (name !== null && !names.includes(name)) {
    return `Run ${quoted(run.label)} has no recording called ${quoted(name)}; it has ${listed(names.map(quoted))}.`;
  }
  const steps = snapshotsOf(run, shownName).map((entry) => entry.step);
  if (step === null || steps.includes(step)) return "";
  const there = steps.length === 1 ? `step ${steps[0]}` : `${steps.length} steps from ${steps[0]} to ${steps.at(-1)}`;
  return `Run ${quoted(run.label)} has no recording of step ${step}; it has ${there}.`;
}

function missingOther(list: RunList, { letter, wish, run, view }: Other): string {
  if (!wish.value) return "";
  const missing = run.value
    ? missingSnapshot(run.value, wish.value.name, wish.value.step, view.snapshot.value?.name ?? "")
    : missingRun(list, wish.value.run);
  const shown =
    run.value && view.snapshot.value
      ? ` Shown is ${view.snapshot.value.name} at step ${view.snapshot.value.step}.`
      : "";
  return missing === "" ? "" : `${letter}: ${missing}${shown}`;
}

/** Of open layers their panels say it. */
function missingStepsLayer({ urlState: { overSteps }, current }: Shown): Missing[] {
  const { value } = overSteps;
  const isThere = value === "" || layersOf(current.run).includes(value);
  return isThere
    ? []
    : [{ sentence: `No step of this run has a layer called ${quoted(value)}.`, forget: emptied(overSteps) }];
}

function missingSort(shown: Shown): Missing[] {
  const { sort } = shown.urlState;
  const keys = comparedKeys(sort.value) ?? (NAMED_SORTS.includes(sort.value) ? [] : [sort.value]);
  const missing = keys.filter((key) => wordOfKey(key) === null && !isRow(key, shown)).map(nameOfKey);
  const forget = () => {
    sort.value = DEFAULT_SORT;
  };
  return missing.length === 0
    ? []
    : [
        {
          sentence: `The neurons are in their natural order: there is no row ${either(missing)} to sort them by.`,
          forget,
        },
      ];
}

function missingLocked(shown: Shown): Missing[] {
  const { locked } = shown.urlState;
  const isThere = locked.value === "" || isRow(locked.value, shown) || parseLit(locked.value) !== null;
  return isThere
    ? []
    : [{ sentence: `There is no row ${nameOfKey(locked.value)} to highlight.`, forget: emptied(locked) }];
}

function missingMaximised({ urlState: { maximised, layers } }: Shown): Missing[] {
  const { value } = maximised;
  const isThere = value === "" || layers.value.includes(value);
  return isThere
    ? []
    : [{ sentence: `The layer ${quoted(value)} is not open to be shown alone.`, forget: emptied(maximised) }];
}

function missingPinned({ urlState: { pinned }, columns }: Shown): Missing[] {
  const known = columns.value && new Set(columns.value.id);
  const [missing, forget] = apart(pinned, (id) => known?.has(id) ?? true);
  const instances = missing.length === 1 ? "pinned instance is" : "pinned instances are";
  return missing.length === 0
    ? []
    : [
        {
          sentence: `${missing.length} ${instances} not among those kept here: ${listed(missing.map(quoted))}.`,
          forget,
        },
      ];
}

function missingColoured({ urlState: { coloured }, current }: Shown): Missing[] {
  const [missing, forget] = apart(coloured, (name) => current.snapshot.classes.includes(name));
  return missing.length === 0
    ? []
    : [{ sentence: `There is no class ${either(missing.map(quoted))} to colour.`, forget }];
}

function missingColour({ urlState: { colour }, current }: Shown): Missing[] {
  const { attributes, unlabelled } = current.snapshot;
  const { neuron, layer } = colouringNeuron(colour.value) ?? {};
  const isThere =
    NAMED_COLOURS.includes(colour.value) ||
    hasNeuron(current, colouringNeuron(colour.value)) ||
    attributes.some((attribute) => colour.value === `attribute:${attribute.name}` && isColourable(attribute));
  const what =
    layer === undefined
      ? `attribute ${quoted(colour.value.replace(/^attribute:/, ""))}`
      : `neuron ${neuron} of ${quoted(layer)}`;
  const shown = unlabelled ? "predicted" : "true";
  const sentence = `The dots are coloured by their ${shown} class: no ${what} can colour them.`;
  const forget = () => {
    colour.value = DEFAULT_COLOUR;
  };
  return isThere ? [] : [{ sentence, forget }];
}

const hasNeuron = ({ snapshot }: Selection, wanted: ColouringNeuron | null): boolean =>
  snapshot.layers.some(({ name, neurons }) => name === wanted?.layer && wanted.neuron < neurons);

function missingNeuron({ urlState: { neuron }, current }: Shown): Missing[] {
  const wanted = keyedNeuron(neuron.value);
  if (neuron.value === "" || hasNeuron(current, wanted)) return [];
  const what = wanted ? `neuron ${wanted.neuron} of ${quoted(wanted.layer)}` : `neuron ${quoted(neuron.value)}`;
  const forget = () => {
    neuron.value = "";
  };
  return [{ sentence: `There is no ${what}, whose card the link opens.`, forget }];
}

function missingDiffering({ urlState: { comparing }, current }: Shown): Missing[] {
  const layers = layersOf(current.run);
  const [missing, forget] = apart(comparing.differing, (name) => layers.includes(name));
  return missing.length === 0
    ? []
    : [
        {
          sentence: `No step of this run has a layer called ${either(missing.map(quoted))} to show as differences.`,
          forget,
        },
      ];
}

function missingPairs({ urlState: { comparing }, current, others }: Shown): Missing[] {
  const layers = layersOf(current.run);
  const [missing, forget] = apart(comparing.pairs, ({ other, layer, recorded }) => {
    const side = others.value[other];
    const run = side?.run.value;
    return (
      side !== undefined && layers.includes(layer) && (recorded === "" || !run || layersOf(run).includes(recorded))
    );
  });
  const names = missing.map(
    ({ layer, recorded }) => `${quoted(layer)} with ${recorded === "" ? "none" : quoted(recorded)}`,
  );
  return missing.length === 0
    ? []
    : [{ sentence: `The link pairs layers that are not there: ${listed(names)}.`, forget }];
}

function missingOutcomes({ urlState: { comparing } }: Shown): Missing[] {
  const sides = comparing.others.value.length;
  const [missing, forget] = apart(comparing.outcomes, (key) => (parseOutcome(key)?.other ?? sides) < sides);
  return missing.length === 0
    ? []
    : [{ sentence: `Nothing is compared that has a row ${either(missing.map(nameOfKey))}.`, forget }];
}

function leftOut({ urlState }: Shown): Missing[] {
  const forget = () => {
    urlState.leftOut.value = [];
  };
  return urlState.leftOut.value.map((sentence) => ({ sentence, forget }));
}

/** Items that are not there, and how to keep only the others. */
function apart<Item>(list: Signal<readonly Item[]>, isThere: (item: Item) => boolean): [Item[], () => void] {
  const missing = list.value.filter((item) => !isThere(item));
  const forget = () => {
    list.value = list.peek().filter((item) => !missing.includes(item));
  };
  return [missing, forget];
}

const emptied = (choice: Signal<string>) => () => {
  choice.value = "";
};

const layersOf = (run: RunEntry): string[] => run.snapshots.flatMap((entry) => entry.layers.map(({ name }) => name));

/** Whether a key is of a row that is there, or that is not known yet: of an instance, or by comparing. */
function isRow(key: string, { rows, columns, urlState }: Shown): boolean {
  if (rows.value.some((row) => row.key === key)) return true;
  if (key.startsWith("outcome:")) return urlState.comparing.outcomes.value.includes(key);
  return key.startsWith("instance:") && (columns.value?.id.some((id) => instanceKey(id) === key) ?? true);
}

const nameOfKey = (key: string): string => quoted(key.replace(/^(class|subset|typed|instance|outcome):/, ""));

const quoted = (text: string): string => `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;

const listed = (items: readonly string[]): string =>
  items.length > MOST_LISTED ? `${items.slice(0, MOST_LISTED).join(", ")} and others` : items.join(", ");

const either = (items: readonly string[]): string => listed(items).replace(/, (?=[^,]*$)/, " or ");
