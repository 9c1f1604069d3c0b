/** Selection of a snapshot among those there are, and names in the address that none of them has. */

import { batch, computed, type ReadonlySignal } from "@preact/signals";
import type { RunEntry, RunList, SnapshotEntry } from "../contract/activis";
import type { Catalogue } from "./catalogue";
import type { Other } from "./compare";
import { DEFAULT_SORT, type Durable, NAMED_SORTS } from "./durable";
import { comparedKeys } from "./row_comparison";
import type { MatrixRow } from "./rows";

/** What the user chose; null where nothing was chosen yet. */
export interface Wish {
  run: string | null;
  name: string | null;
  step: number | null;
}

export interface Selection {
  run: RunEntry;
  snapshot: SnapshotEntry;
}

/**
 * Returns the runs that a name can mean: the one that is called so, else those that a link made elsewhere can mean.
 *
 * A recording prints the last folders of its path; TensorBoard may serve any of the folders around it. With the name of
 * that folder before it, the shorter of the two names ends the longer one.
 */
export function findRuns(list: RunList, name: string): RunEntry[] {
  const recorded = list.runs.filter((run) => run.snapshots.length > 0);
  const called = recorded.find(({ run }) => run === name) ?? recorded.find(({ label }) => label === name);
  if (called) return [called];
  return name.includes("/") ? recorded.filter(({ run }) => isSamePlace(fullName(list, run), name)) : [];
}

const fullName = ({ logdir }: RunList, run: string): string =>
  [logdir, run].filter((part) => part !== "" && part !== ".").join("/");

const isSamePlace = (first: string, second: string): boolean =>
  `/${first}`.endsWith(`/${second}`) || `/${second}`.endsWith(`/${first}`);

/** Returns the one run that a name means; null where there is none, or several. */
export function findRun(list: RunList, name: string | null): RunEntry | null {
  const [only, ...others] = name === null ? [] : findRuns(list, name);
  return only && others.length === 0 ? only : null;
}

/** Returns the snapshot nearest to the wish: a wish that no longer exists falls back to the newest that does. */
export function resolveSelection(runs: RunList, wish: Wish): Selection | null {
  const recorded = runs.runs.filter((run) => run.snapshots.length > 0);
  const run = findRun(runs, wish.run) ?? newest(recorded, newestTime);
  if (!run) return null;
  const names = namesOf(run);
  const name =
    wish.name !== null && names.includes(wish.name) ? wish.name : newest(run.snapshots, (s) => s.wall_time)?.name;
  const steps = snapshotsOf(run, name ?? "");
  const snapshot = steps.find((candidate) => candidate.step === wish.step) ?? steps.at(-1);
  return snapshot ? { run, snapshot } : null;
}

/** Names recorded in a run, in the order of the list. */
export const namesOf = (run: RunEntry): string[] => [...new Set(run.snapshots.map((snapshot) => snapshot.name))];

/** Snapshots of one name, by step. */
export const snapshotsOf = (run: RunEntry, name: string): SnapshotEntry[] =>
  run.snapshots.filter((snapshot) => snapshot.name === name).sort((first, second) => first.step - second.step);

const newestTime = (run: RunEntry): number => Math.max(...run.snapshots.map((snapshot) => snapshot.wall_time));

function newest<Item>(items: readonly Item[], time: (item: Item) => number): Item | undefined {
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || time(item) > time(best) ? item : best),
    undefined,
  );
}

const MOST_LISTED = 6;

export interface Unknown {
  /** One for everything of that kind. */
  sentences: ReadonlySignal<readonly string[]>;
  /** Makes what is shown in its place what the address names. */
  keepShown: () => void;
}

export function followUnknown(
  durable: Durable,
  catalogue: Catalogue,
  others: ReadonlySignal<readonly Other[]>,
  rows: ReadonlySignal<readonly MatrixRow[]>,
): Unknown {
  const sentences = computed(() => {
    const list = catalogue.runs.value.value;
    const current = catalogue.selection.value;
    if (!list || !current) return [];
    const { run, name, step } = durable.wish.value;
    const shown = `Shown is ${quoted(current.run.label)}, ${current.snapshot.name} at step ${current.snapshot.step}.`;
    const missing =
      run !== null && findRun(list, run) === null
        ? missingRun(list, run)
        : missingSnapshot(current.run, name, durable.follow.value ? null : step, current.snapshot.name);
    const base = missing === "" ? [] : [`${missing} ${shown}`];
    const sides = others.value.map((other) => missingOther(list, other)).filter((sentence) => sentence !== "");
    return [
      ...base,
      ...sides,
      ...missingLayer(durable, catalogue),
      ...missingSort(durable, rows.value),
      ...missingLocked(durable, rows.value),
      ...missingMaximised(durable),
      ...durable.leftOut.value,
    ];
  });
  const keepShown = () =>
    batch(() => {
      durable.wish.value = catalogue.reference.peek() ?? durable.wish.peek();
      const shown = others.peek().map(({ view, wish }) => ({ ...wish.peek(), ...view.reference.peek() }));
      const { others: wishes } = durable.comparing;
      wishes.value = wishes.peek().map((wish, at) => ({ ...wish, ...shown[at] }));
      if (missingLayer(durable, catalogue).length > 0) durable.overSteps.value = "";
      if (missingSort(durable, rows.peek()).length > 0) durable.sort.value = DEFAULT_SORT;
      if (missingLocked(durable, rows.peek()).length > 0) durable.locked.value = "";
      if (missingMaximised(durable).length > 0) durable.maximised.value = "";
      durable.leftOut.value = [];
    });
  return { sentences, keepShown };
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
function missingLayer(durable: Durable, catalogue: Catalogue): string[] {
  const layers =
    catalogue.selection.value?.run.snapshots.flatMap((entry) => entry.layers.map(({ name }) => name)) ?? [];
  const over = durable.overSteps.value;
  return over === "" || layers.includes(over) ? [] : [`No step of this run has a layer called ${quoted(over)}.`];
}

function missingSort({ sort }: Durable, rows: readonly MatrixRow[]): string[] {
  const keys = comparedKeys(sort.value) ?? (NAMED_SORTS.includes(sort.value) ? [] : [sort.value]);
  const missing = keys.filter((key) => !canBeRow(key, rows));
  return missing.length === 0
    ? []
    : [`The neurons are in their natural order: there is no row ${either(missing.map(nameOfKey))} to sort them by.`];
}

function missingLocked({ locked }: Durable, rows: readonly MatrixRow[]): string[] {
  const { value } = locked;
  return value === "" || canBeRow(value, rows) ? [] : [`There is no row ${nameOfKey(value)} to highlight.`];
}

function missingMaximised({ maximised, layers }: Durable): string[] {
  const { value } = maximised;
  return value === "" || layers.value.includes(value)
    ? []
    : [`The layer ${quoted(value)} is not open to be shown alone.`];
}

/** Instances and outcomes of a comparison are known later than the other rows. */
const canBeRow = (key: string, rows: readonly MatrixRow[]): boolean =>
  /^(instance|outcome):/.test(key) || rows.some((row) => row.key === key);

const nameOfKey = (key: string): string => quoted(key.replace(/^(class|subset|typed):/, ""));

const quoted = (text: string): string => `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;

const listed = (items: readonly string[]): string =>
  items.length > MOST_LISTED ? `${items.slice(0, MOST_LISTED).join(", ")} and others` : items.join(", ");

const either = (items: readonly string[]): string => listed(items).replace(/, (?=[^,]*$)/, " or ");
