/** How alike the layers are to those of another step or run: linear CKA; a cell opens its two layers side by side. */

import { batch } from "@preact/signals";
import { Fragment } from "preact";
import type { LayerSimilarity } from "../../contract/activis";
import type { SnapshotReference } from "../../contract/client";
import type { Store } from "../../store/store";
import { usePalette, useStore } from "../../ui/context";
import { countText } from "../../ui/numbers";

const EXPLANATION =
  "Linear CKA, debiased (Kornblith et al. 2019): 1 for layers that are alike but for a rotation, a scale and a shift, about 0 for independent ones";

export function Likeness() {
  const store = useStore();
  const { other, similarity } = store.overSteps;
  const against = other.value;
  const { status, value } = similarity.state.value;
  if (!against) return null;
  return (
    <figure class="likeness" data-testid="likeness">
      <figcaption title={EXPLANATION}>
        likeness of layers
        <b>
          step {store.catalogue.snapshot.value?.step} ↓ · {againstText(store, against)} →
        </b>
      </figcaption>
      {status === "error" && (
        <p class="wrong">{similarity.state.value.status === "error" && similarity.state.value.message}</p>
      )}
      {value && <Table similarity={value} against={against} />}
    </figure>
  );
}

function againstText(store: Store, { run, step }: SnapshotReference): string {
  const same = run === store.catalogue.reference.value?.run;
  const label = store.catalogue.runs.value.value?.runs.find((entry) => entry.run === run)?.label;
  return same ? `step ${step}` : `${label ?? run} step ${step}`;
}

function Table({ similarity, against }: { similarity: LayerSimilarity; against: SnapshotReference }) {
  const store = useStore();
  const palette = usePalette();
  const { layers, other_layers, cka, known, over } = similarity;
  const [weak, strong] = palette.ramp;
  return (
    <div class="likeness-table" style={{ "--layers": other_layers.length }}>
      <i />
      {other_layers.map((name) => (
        <span key={name} class="column-name" title={name}>
          {name}
        </span>
      ))}
      {layers.map((layer, row) => (
        <Fragment key={layer}>
          <span class="row-name" title={layer}>
            {layer}
          </span>
          {other_layers.map((name, column) => {
            const at = row * other_layers.length + column;
            const value = cka[at] ?? 0;
            const shown = known[at] ? value.toFixed(2).replace("-", "−") : "–";
            const share = known[at] ? Math.max(0, value) : 0;
            return (
              <button
                key={name}
                type="button"
                data-testid="likeness-cell"
                data-layer={layer}
                data-other={name}
                title={`${layer} and ${name}: ${shown}, over ${countText(over[at] ?? 0)} instances. Opens the two side by side`}
                style={{
                  background: `color-mix(in srgb, ${strong} ${Math.round(100 * share)}%, ${weak})`,
                  color: share > 0.5 ? palette.card : palette.text,
                }}
                onClick={() => openPair(store, against, layer, name)}
              >
                {shown}
              </button>
            );
          })}
        </Fragment>
      ))}
    </div>
  );
}

function openPair({ comparing, durable }: Store, against: SnapshotReference, layer: string, other: string): void {
  batch(() => {
    if (!durable.layers.peek().includes(layer)) durable.layers.value = [...durable.layers.peek(), layer];
    if (!comparing.active.peek()) comparing.add(against);
    comparing.pair(0, layer, other);
  });
}
