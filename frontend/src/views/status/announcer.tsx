/** Says what is hovered or focused, for those who listen. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { rowValues } from "../../state/layer";
import { instanceName, isMany, type MatrixRow } from "../../state/rows";
import type { Store } from "../../state/store";
import { countText, percentText, valueText } from "../widgets/numbers";
import { useStore } from "../widgets/store";

/** What is passed over is not worth a word. */
const REST_MILLISECONDS = 250;

export function Announcer() {
  const store = useStore();
  const said = useSignal("");
  const sentence = sentenceOf(store);
  useEffect(() => {
    const timer = setTimeout(() => {
      said.value = sentence;
    }, REST_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [sentence, said]);
  return (
    <p class="spoken" role="status" aria-live="polite" data-testid="announcer">
      {said.value}
    </p>
  );
}

function sentenceOf(store: Store): string {
  const hover = store.hover.value;
  const row = hover?.row;
  const layer = store.layers.value.find((candidate) => candidate.name === hover?.layer);
  if (hover?.source === "matrix" && layer && hover.neuron !== undefined) {
    const value = row ? rowValues(layer, row)?.[hover.neuron] : undefined;
    const shown = row ? `, ${row.name} ${value === undefined ? "" : valueText(value)}` : "";
    return `${layer.name}, neuron ${hover.neuron}${shown}`;
  }
  if (!row) return "";
  return isMany(row) ? subsetSentence(store, row) : instanceSentence(store, row.sampled);
}

function subsetSentence(store: Store, row: MatrixRow): string {
  const subset = store.factsOf(row);
  if (!subset) return "";
  const share = subset.count > 0 ? `, ${percentText(subset.correct / subset.count)} correct` : "";
  return `${row.name}, ${countText(subset.count)} instances${share}`;
}

function instanceSentence(store: Store, row: number): string {
  const instances = store.instances.state.value.value;
  const classes = store.catalogue.snapshot.value?.classes ?? [];
  if (!instances || row < 0) return "";
  const label = instances.label[row] ?? -1;
  const predicted = instances.predicted[row] ?? -1;
  const text = instances.attributes.find((attribute) => attribute.type === "text")?.texts[row] ?? "";
  const outcome = label === predicted ? "predicted so" : `predicted ${classes[predicted]}`;
  const score = (instances.score[row] ?? 0).toFixed(2);
  return `${instanceName(instances, row)}, true ${classes[label]}, ${outcome} with ${score}. ${text}`.trim();
}
