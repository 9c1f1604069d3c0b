/** Catalogue of the runs with recordings, asked for again while the tab is in front. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { RunEntry, RunList, SnapshotEntry } from "../contract/activis";
import type { Client, SnapshotReference } from "../contract/client";
import type { Host } from "./host";
import { type Loadable, sentenceOf } from "./resource";
import { findRun, resolveSelection, type Selection, snapshotsOf } from "./selection";
import type { UrlState } from "./url_state";

/** Returns `list` with the snapshots of `before` where they are alike. */
function reuseEntries(list: RunList, before: RunList | undefined): RunList {
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

export const POLL_MILLISECONDS = 8_000;

/** One snapshot among those there are; null where there is none. */
export interface SnapshotView {
  selection: ReadonlySignal<Selection | null>;
  snapshot: ReadonlySignal<SnapshotEntry | null>;
  reference: ReadonlySignal<SnapshotReference | null>;
  /** Names the snapshot and its contents: changes whenever any number of it may have changed. */
  key: ReadonlySignal<string>;
  /** Steps of the selected run and name, ascending. */
  steps: ReadonlySignal<readonly number[]>;
}

export interface Catalogue extends SnapshotView {
  runs: ReadonlySignal<Loadable<RunList>>;
  /** Steps that came after the newest one that was there or was looked at. */
  newSteps: ReadonlySignal<readonly number[]>;
  /** Why the last poll got no answer, while what was shown before stays; empty where it got one. */
  silence: ReadonlySignal<string>;
  /** Asks now. What is shown stays until the answer differs. */
  refresh: () => Promise<void>;
}

export function openCatalogue(client: Client, urlState: UrlState, host: Host): Catalogue {
  const { runs, silence, refresh } = pollRuns(client, host);
  const selection = computed(() => (runs.value.value ? resolveSelection(runs.value.value, urlState.wish.value) : null));
  const view = viewSnapshot(selection);

  choose(urlState, runs, selection, view.steps);
  const newSteps = noticeNewSteps(selection, view.steps);
  return { runs, ...view, newSteps, silence, refresh };
}

/** Says what follows from which snapshot is selected. */
export function viewSnapshot(selection: ReadonlySignal<Selection | null>): SnapshotView {
  const snapshot = computed(() => selection.value?.snapshot ?? null);
  const key = computed(() => {
    const current = selection.value;
    return current
      ? JSON.stringify([current.run.run, current.snapshot.name, current.snapshot.step, current.snapshot.version])
      : "";
  });
  const reference = computed<SnapshotReference | null>(() => {
    if (key.value === "") return null;
    const [run, name, step] = JSON.parse(key.value) as [string, string, number];
    return { run, name, step };
  });
  const steps = computed(() => {
    const current = selection.value;
    return current ? snapshotsOf(current.run, current.snapshot.name).map((entry) => entry.step) : [];
  });
  return { selection, snapshot, reference, key, steps };
}

/** Chooses for the user: once where nothing was chosen, so that new steps move nothing, and always where they follow. */
function choose(
  urlState: UrlState,
  runs: ReadonlySignal<Loadable<RunList>>,
  selection: ReadonlySignal<Selection | null>,
  steps: ReadonlySignal<readonly number[]>,
): void {
  effect(() => {
    const current = selection.value;
    if (!current) return;
    const { run, name, step } = urlState.wish.peek();
    const follows = urlState.follow.value && current.snapshot.step !== steps.value.at(-1);
    // A run that is wished for and not there may still come.
    const isThere = runs.peek().value !== undefined && findRun(runs.peek().value as RunList, run) === current.run;
    if (run !== null && !isThere) return;
    if (!follows && run !== null && name !== null && step !== null) return;
    const shown = urlState.follow.peek() ? steps.value.at(-1) : current.snapshot.step;
    const filled = { name: name ?? current.snapshot.name, step: step ?? shown ?? null };
    const followed = { name: current.snapshot.name, step: shown ?? null };
    urlState.settle(() => {
      // What a link names stays, also where it means the run by another name: what is called so may still come.
      urlState.wish.value = { run: isThere ? run : current.run.run, ...(follows ? followed : filled) };
    });
  });
}

function noticeNewSteps(
  selection: ReadonlySignal<Selection | null>,
  steps: ReadonlySignal<readonly number[]>,
): ReadonlySignal<readonly number[]> {
  const series = computed(
    () => selection.value && JSON.stringify([selection.value.run.run, selection.value.snapshot.name]),
  );
  const known = signal(Number.POSITIVE_INFINITY);
  let knownSeries: string | null = null;
  effect(() => {
    const newest = steps.value.at(-1) ?? Number.POSITIVE_INFINITY;
    const looked = selection.value?.snapshot.step ?? Number.NEGATIVE_INFINITY;
    if (series.value !== knownSeries) known.value = newest;
    else if (looked > known.peek()) known.value = looked;
    knownSeries = series.value;
  });
  return computed(() => steps.value.filter((step) => step > known.value));
}

function pollRuns(client: Client, host: Host): Pick<Catalogue, "runs" | "silence" | "refresh"> {
  const runs = signal<Loadable<RunList>>({ status: "loading" });
  const silence = signal("");
  let controller = new AbortController();
  let shown = "";

  const refresh = async () => {
    controller.abort();
    controller = new AbortController();
    const { signal: aborted } = controller;
    try {
      const list = await client.runs(aborted);
      const text = JSON.stringify(list);
      if (aborted.aborted) return;
      silence.value = "";
      if (text === shown && runs.value.status === "ready") return;
      shown = text;
      runs.value = { status: "ready", value: reuseEntries(list, runs.value.value) };
    } catch (error) {
      if (aborted.aborted) return;
      if (runs.value.status === "ready") silence.value = sentenceOf(error);
      else runs.value = { status: "error", message: sentenceOf(error) };
    }
  };

  host.onReload(refresh);
  effect(() => {
    if (!host.visible.value) return undefined;
    void refresh();
    const timer = setInterval(refresh, POLL_MILLISECONDS);
    return () => clearInterval(timer);
  });
  return { runs, silence, refresh };
}
