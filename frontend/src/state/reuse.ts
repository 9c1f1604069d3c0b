/** Keeps what did not change the same object, so that a poll's answer redraws only what it changes. */

import type { RunEntry, RunList, SnapshotEntry } from "../contract/activis";

/** Returns `list` with the snapshots of `before` where they are alike. */
export function reuseEntries(list: RunList, before: RunList | undefined): RunList {
  const known = new Map(before?.runs.flatMap((run) => run.snapshots.map((entry) => [keyOf(run, entry), entry])));
  const reuse = (run: RunEntry, entry: SnapshotEntry): SnapshotEntry => {
    const old = known.get(keyOf(run, entry));
    return old && JSON.stringify(old) === JSON.stringify(entry) ? old : entry;
  };
  return {
    ...list,
    runs: list.runs.map((run) => ({ ...run, snapshots: run.snapshots.map((entry) => reuse(run, entry)) })),
  };
}

const keyOf = (run: RunEntry, entry: SnapshotEntry): string => JSON.stringify([run.run, entry.name, entry.step]);
