/** What the address names and there is not: said, as something else is shown in its place. */

import { batch, computed, type ReadonlySignal } from "@preact/signals";
import type { RunEntry, RunList } from "../contract/activis";
import type { Catalogue } from "./catalogue";
import type { Durable } from "./durable";
import type { Other } from "./others";
import { findRun, findRuns, namesOf, snapshotsOf } from "./selection";

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
    return [...base, ...sides, ...missingLayer(durable, catalogue), ...durable.leftOut.value];
  });
  const keepShown = () =>
    batch(() => {
      durable.wish.value = catalogue.reference.peek() ?? durable.wish.peek();
      const shown = others.peek().map(({ view, wish }) => ({ ...wish.peek(), ...view.reference.peek() }));
      const { others: wishes } = durable.comparing;
      wishes.value = wishes.peek().map((wish, at) => ({ ...wish, ...shown[at] }));
      if (missingLayer(durable, catalogue).length > 0) durable.overSteps.value = "";
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

const quoted = (text: string): string => `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;

const listed = (items: readonly string[]): string =>
  items.length > MOST_LISTED ? `${items.slice(0, MOST_LISTED).join(", ")} and others` : items.join(", ");

const either = (items: readonly string[]): string => listed(items).replace(/, (?=[^,]*$)/, " or ");
