/** Opens the step that comes next out of sight, the base's and that of every side, so that it is there when it is shown. */

import { computed, type ReadonlySignal } from "@preact/signals";
import { type Catalogue, viewSnapshot } from "./catalogue";
import type { ComparedLayer } from "./compared_layer";
import { type LayerContext, type LayerStore, openLayer } from "./layer";
import { openEach } from "./opened_layers";
import { type OpenedSnapshot, openSnapshot } from "./opened_snapshot";
import { followOthers, type Other } from "./others";
import type { Loadable, Resource } from "./resource";
import { type Selection, snapshotsOf } from "./selection";
import { followLayers } from "./side";

/** Opens the pending step beside the one that is shown; says whether all of it is there. */
export function prepareStep(
  pending: ReadonlySignal<number | null>,
  catalogue: Catalogue,
  layerContext: LayerContext,
): ReadonlySignal<boolean> {
  const selection = computed((): Selection | null => {
    const current = catalogue.selection.value;
    const step = pending.value;
    if (!current || step === null) return null;
    const snapshot = snapshotsOf(current.run, current.snapshot.name).find((entry) => entry.step === step);
    return snapshot ? { run: current.run, snapshot } : null;
  });
  const view: Catalogue = { ...catalogue, ...viewSnapshot(selection) };
  const context = { ...layerContext, catalogue: view };
  const opened = openSnapshot(context);
  const layers = openEach(
    () => (selection.value ? layerContext.durable.layers.value : []),
    (name) => openLayer(name, context),
  );
  const base = {
    catalogue: view,
    columns: opened.columns,
    layers: computed(() => [...layers.value.values()].filter(({ entry }) => entry.value !== null)),
  };
  const sides = new Map<Other, ReadonlySignal<ReadonlyMap<string, ComparedLayer>>>();
  const others = followOthers(context);
  const layersOf = (other: Other) => {
    const known = sides.get(other) ?? followLayers(other, base, context, other.opened.subsets.conditions);
    sides.set(other, known);
    return known.value;
  };
  return computed(
    () =>
      selection.value !== null &&
      isOpened(opened) &&
      [...layers.value.values()].every((layer) => isReady(layer, layerContext)) &&
      others.value.every((other) => isSideReady(other, layersOf(other), layerContext)),
  );
}

const isOver = ({ status }: Loadable<unknown>): boolean => status === "ready" || status === "error";

const isSettled = (resource: Pick<Resource<unknown>, "state">): boolean => isOver(resource.state.value);

const isOpened = ({ instances, membership, subsets }: OpenedSnapshot): boolean =>
  isSettled(instances) && isSettled(membership) && [...subsets.answers.value.values()].every(isOver);

function isReady(layer: LayerStore, { durable }: LayerContext): boolean {
  if (layer.entry.value === null) return true;
  const { shown, problem } = layer.projection;
  return (
    [layer.mean, layer.active, layer.nonfinite, layer.activations, layer.health].every(isSettled) &&
    [...layer.typedMeans.states.value.values()].every(isOver) &&
    (problem.value !== null || (shown.value?.done === true && shown.value.method === durable.projection.value.method))
  );
}

/** A side that has nothing to show keeps nobody waiting. */
function isSideReady(other: Other, layers: ReadonlyMap<string, ComparedLayer>, context: LayerContext): boolean {
  if (other.view.snapshot.value === null) return true;
  return (
    isOpened(other.opened) &&
    isSettled(other.agreement) &&
    other.outcomes.state.value.status !== "loading" &&
    [...layers.values()].every(({ layer, matching }) => matching.value !== null && isReady(layer, context))
  );
}
