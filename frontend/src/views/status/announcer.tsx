/** Says what is hovered or focused, for those who listen. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { judgementOf, NO_PREDICTION } from "../../store/judgement";
import { rowValues } from "../../store/layer";
import { instanceName, isMany, type MatrixRow } from "../../store/rows";
import { accuracyOfRow } from "../../store/snapshot";
import type { Store } from "../../store/store";
import { useStore } from "../../ui/context";
import { accuracyText, intervalText, isExact, limitsText } from "../../ui/exactness";
import { countText, percentText, valueText } from "../../ui/numbers";

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
    const means = layer.typedMeans.states.value.get(row?.condition ?? "")?.value;
    const drawn = store.subsets.answers.value.get(row?.condition ?? "")?.value?.drawn ?? 0;
    const sure = intervalText(means, hover.neuron, drawn);
    const shown = row ? `, ${row.name} ${value === undefined ? "" : valueText(value)}${sure && `, ${sure}`}` : "";
    return `${layer.name}, neuron ${hover.neuron}${shown}`;
  }
  if (!row) return "";
  return isMany(row) ? subsetSentence(store, row) : instanceSentence(store, row.sampled);
}

function subsetSentence(store: Store, row: MatrixRow): string {
  const subset = store.factsOf(row);
  if (!subset) return "";
  const answer = store.subsets.answers.value.get(row.condition ?? "")?.value;
  if (answer && !isExact(answer)) {
    return `${row.name}, about ${countText(answer.count)} instances, ${limitsText(answer)}, ${accuracyText(answer)}`.replace(
      /, $/,
      "",
    );
  }
  const accuracy = accuracyOfRow(subset);
  const share = accuracy === null ? "" : `, ${percentText(accuracy)} correct`;
  return `${row.name}, ${countText(subset.count)} instances${share}`;
}

function instanceSentence(store: Store, row: number): string {
  const instances = store.instances.state.value.value;
  const classes = store.catalogue.snapshot.value?.classes ?? [];
  if (!instances || row < 0) return "";
  const { kind, label, predicted } = judgementOf(instances, row);
  const text = instances.attributes.find((attribute) => attribute.type === "text")?.texts[row] ?? "";
  const score = (instances.score[row] ?? 0).toFixed(2);
  const found = kind === "right" ? "predicted so" : `predicted ${classes[predicted]}`;
  const facts = [
    instanceName(instances, row),
    label < 0 ? "" : `true ${classes[label]}`,
    kind === "nothing" ? NO_PREDICTION : `${found} with ${score}`,
  ];
  return `${facts.filter((fact) => fact !== "").join(", ")}. ${text}`.trim();
}
