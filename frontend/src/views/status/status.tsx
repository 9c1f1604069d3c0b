/** Status of the tab: nothing to show yet, unknown names in the link, and announcements for screen readers. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { POLL_MILLISECONDS } from "../../store/catalogue";
import { accuracyOfRow, judgementOf, NO_PREDICTION } from "../../store/judgement";
import { rowValues, typedStatistic } from "../../store/layer";
import { instanceName, isMany, type MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { copyText } from "../../ui/clipboard";
import { useSnapshot, useTab } from "../../ui/context";
import { accuracyText, intervalText, isExact, limitsText } from "../../ui/exactness";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { countedText, countText, percentText, valueText } from "../../ui/numbers";

export function UnknownLine() {
  const { unknown } = useTab();
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
  return isMany(row) ? subsetSentence(store, row) : instanceSentence(store, store.instance.value);
}

function subsetSentence(store: SnapshotStore, row: MatrixRow): string {
  const subset = store.factsOf(row);
  if (!subset) return "";
  const answer = store.answerOf(row)?.value;
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

const SNIPPET = `import activis_tb.keras

model.fit(x, y, callbacks=[
    activis_tb.keras.ActivisCallback(
        logdir, x_val, y_val, layers=["hidden"], classes=CLASSES)])`;

export function NothingRecorded() {
  const { catalogue } = useTab();
  const list = catalogue.runs.value.value;
  const total = list?.total_runs ?? 0;
  const what = list?.warnings.length ? "none with ActiVis data that can be read" : "none with ActiVis data";
  const runs =
    total === 0
      ? "There is no run in the log directory yet."
      : `${countedText(total, "run")} found in the log directory, ${what}.`;
  return (
    <main class="card empty" data-testid="empty-state">
      <h1>No activations recorded yet</h1>
      <p>{runs} Add the callback to your training script, and this page fills in after the first epoch.</p>
      <Snippet />
      <p>
        <button type="button" class="primary" onClick={() => void catalogue.refresh()}>
          Reload
        </button>
        <small>
          checks again every {POLL_MILLISECONDS / 1000} s · for other loops use activis_tb.preprocess or
          activis_tb.summary.activations
        </small>
      </p>
      {list?.warnings.map((warning) => (
        <p key={warning} class="problem">
          {warning}
        </p>
      ))}
    </main>
  );
}

function Snippet() {
  const copied = useSignal(false);
  const copy = async () => {
    copied.value = await copyText(SNIPPET);
  };
  return (
    <div class="snippet">
      <pre>{SNIPPET}</pre>
      <button type="button" onClick={() => void copy()}>
        {copied.value ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

/** Stands where the first two panels will be in a moment. */
export function PanelPlaces() {
  return (
    <>
      <div class="card panel" />
      <div class="card panel" />
    </>
  );
}

/** Stands where the panels will be, until a layer is opened. */
export function LayerInvitation() {
  const { catalogue, toggleLayer } = useTab();
  const snapshot = catalogue.snapshot.value;
  return (
    <div class="card invitation" data-testid="empty-state">
      <h2>Which layer do you want to look into?</h2>
      <p>Click a yellow tensor in the graph, or open a recorded layer here.</p>
      <p class="invitation-layers">
        {snapshot?.layers.map((layer) => (
          <button key={layer.name} type="button" onClick={() => toggleLayer(layer.name)}>
            <LayerGlyph />
            <b>{layer.name}</b>
            <small>{countedText(layer.neurons, "neuron")}</small>
          </button>
        ))}
      </p>
      <p class="hint">
        A panel shows how strongly each neuron responds to each class, and which instances are alike to the layer.
      </p>
    </div>
  );
}
