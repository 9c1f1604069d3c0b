/** What there is to look at: the runs with recordings, asked for again while the tab is in front. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { RunList, SnapshotEntry } from "../contract/activis";
import type { Client, SnapshotReference } from "../contract/client";
import type { Durable } from "./durable";
import type { Host } from "./host";
import { type Loadable, sentenceOf } from "./resource";
import { resolveSelection, type Selection } from "./selection";

const POLL_MILLISECONDS = 30_000;

export interface Catalogue {
  runs: ReadonlySignal<Loadable<RunList>>;
  selection: ReadonlySignal<Selection | null>;
  snapshot: ReadonlySignal<SnapshotEntry | null>;
  reference: ReadonlySignal<SnapshotReference | null>;
  /** Names the snapshot and its contents: changes whenever any number of it may have changed. */
  key: ReadonlySignal<string>;
  /** Asks now. What is shown stays until the answer differs. */
  refresh: () => Promise<void>;
}

export function openCatalogue(client: Client, durable: Durable, host: Host): Catalogue {
  const { runs, refresh } = pollRuns(client, host);
  const selection = computed(() => (runs.value.value ? resolveSelection(runs.value.value, durable.wish.value) : null));
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

  // The first choice is made for the user once, so that a training run's new steps do not move the picture.
  effect(() => {
    const current = selection.value;
    if (!current || durable.wish.peek().run !== null) return;
    durable.wish.value = { run: current.run.run, name: current.snapshot.name, step: current.snapshot.step };
  });
  return { runs, selection, snapshot, reference, key, refresh };
}

function pollRuns(client: Client, host: Host): Pick<Catalogue, "runs" | "refresh"> {
  const runs = signal<Loadable<RunList>>({ status: "loading" });
  let controller = new AbortController();
  let shown = "";

  const refresh = async () => {
    controller.abort();
    controller = new AbortController();
    const { signal: aborted } = controller;
    try {
      const list = await client.runs(aborted);
      const text = JSON.stringify(list);
      if (aborted.aborted || (text === shown && runs.value.status === "ready")) return;
      shown = text;
      runs.value = { status: "ready", value: list };
    } catch (error) {
      if (!aborted.aborted && runs.value.status !== "ready") {
        runs.value = { status: "error", message: sentenceOf(error) };
      }
    }
  };

  host.onReload(refresh);
  effect(() => {
    if (!host.visible.value) return undefined;
    void refresh();
    const timer = setInterval(refresh, POLL_MILLISECONDS);
    return () => clearInterval(timer);
  });
  return { runs, refresh };
}
