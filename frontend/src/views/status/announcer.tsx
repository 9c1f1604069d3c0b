/** Announcements of the tab: what is hovered or focused, for screen readers, and what the link names in vain. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { judgementOf, NO_PREDICTION } from "../../store/judgement";
import { rowValues, typedStatistic } from "../../store/layer";
import { rowAccuracy } from "../../store/row_accuracy";
import { instanceName, isMany, type MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { followUnknown } from "../../store/unknown";
import { useSnapshot, useTab } from "../../ui/context";
import { accuracyText, intervalText, isExact, limitsText, outcomeText } from "../../ui/exactness";
import { Icon } from "../../ui/glyphs";
import { countText, percentText, valueText } from "../../ui/numbers";

export function UnknownLine() {
  const tab = useTab();
  const unknown = useMemo(() => followUnknown(tab), [tab]);
  const sentences = unknown.sentences.value;
  if (sentences.length === 0) return null;
  return (
    <div class="unknown" role="alert" data-testid="unknown">
      <Icon name="link" />
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <button type="button" class="primary" onClick={unknown.keepShown}>
        Keep what is shown
      </button>
    </div>
  );
}

/** What is passed over is not worth a word. */
const REST_MILLISECONDS = 250;

export function Announcer() {
  const store = useSnapshot();
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

function sentenceOf(store: SnapshotStore): string {
  const hover = store.hover.value;
  const row = hover?.row;
  const layer = store.layers.value.find((candidate) => candidate.name === hover?.layer);
  if (hover?.source === "matrix" && layer && hover.neuron !== undefined) {
    const value = row ? rowValues(layer, row)?.[hover.neuron] : undefined;
    const drawn = store.answerOf(row)?.value?.drawn ?? 0;
    const sure = intervalText(typedStatistic(layer.typedMeans, row), hover.neuron, drawn);
    const shown = row ? `, ${row.name} ${value === undefined ? "" : valueText(value)}${sure && `, ${sure}`}` : "";
    return `${layer.name}, neuron ${hover.neuron}${shown}`;
  }
  if (!row) return "";
  if (row.kind === "word")
    return [row.name, row.place, row.count === null ? "" : `seen ${countText(row.count)} times`]
      .filter(Boolean)
      .join(", ");
  return isMany(row) ? subsetSentence(store, row) : instanceSentence(store, store.instance.value);
}

function subsetSentence(store: SnapshotStore, row: MatrixRow): string {
  const subset = store.factsOf(row);
  if (!subset) return "";
  const answer = store.answerOf(row)?.value;
  const accuracy = rowAccuracy(store, row);
  const outcome = accuracy?.byDefinition ? `${outcomeText(accuracy.share)} by definition` : "";
  const facts =
    answer && !isExact(answer)
      ? [`about ${countText(answer.count)} instances`, limitsText(answer), outcome || accuracyText(answer)]
      : [`${countText(subset.count)} instances`, outcome || (accuracy ? `${percentText(accuracy.share)} correct` : "")];
  return [row.name, ...facts].filter((fact) => fact !== "").join(", ");
}

function instanceSentence(store: SnapshotStore, row: number): string {
  const instances = store.instances.state.value.value;
  const classes = store.snapshot.value?.classes ?? [];
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
