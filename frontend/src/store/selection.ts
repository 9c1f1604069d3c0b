/** Selection of a snapshot among those there are. */

import type { RunEntry, RunList, SnapshotEntry } from "../contract/activis";

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
