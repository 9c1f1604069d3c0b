/** Empty states of the tab: no recording in the log directory, and no open layer. */

import { useSignal } from "@preact/signals";
import { POLL_MILLISECONDS } from "../../store/catalogue";
import { copyText } from "../../ui/clipboard";
import { useTab } from "../../ui/context";
import { LayerGlyph } from "../../ui/glyphs";
import { countedText } from "../../ui/numbers";

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
