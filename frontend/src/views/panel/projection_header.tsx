/** Above a projection: how it was made, how far it is, and the choice of another way. */

import { type Signal, useSignal } from "@preact/signals";
import type { Projection, ProjectionMethod } from "../../contract/client";
import type { LayerStore } from "../../store/layer";
import { useStore } from "../../ui/context";
import { Popup, Segmented } from "../../ui/controls";
import { countText } from "../../ui/numbers";
import { LassoButton } from "./projection_lasso";

interface ProjectionHeaderProperties {
  layer: LayerStore;
  projection: Projection | null;
  problem: string | null;
  /** Whether the next drag draws a lasso. */
  armed: Signal<boolean>;
}

export function ProjectionHeader({ layer, projection, problem, armed }: ProjectionHeaderProperties) {
  const moving = projection !== null && projection.method === "tsne" && !projection.done;
  const share = projection ? projection.iteration / Math.max(1, projection.iterations) : 0;
  return (
    <div class={problem ? "projection-header wrong" : "projection-header"}>
      <MethodChoice method={projection?.method ?? "tsne"} />
      {problem ? (
        <small role="alert" data-testid="error" title={problem}>
          {problem}
        </small>
      ) : (
        projection && <small>{moving ? progressText(projection) : <RestingText {...{ layer, projection }} />}</small>
      )}
      <LassoButton armed={armed} />
      {moving && <i class="progress" style={{ width: `${100 * share}%` }} />}
    </div>
  );
}

const progressText = ({ iteration, iterations }: Projection) => `${iteration} / ${iterations}`;

function RestingText({ layer, projection }: { layer: LayerStore; projection: Projection }) {
  const all = projection.coordinates.length / 2;
  const placed = countPlaced(projection.coordinates);
  const everything = projection.method === "pca" ? `${countText(all)} instances` : countText(all);
  const instances = placed < all ? `${countText(placed)} of ${countText(all)} placed` : everything;
  const perplexity =
    projection.method === "tsne" && placed > 0 ? `perplexity ${Math.round(projection.perplexity)}` : "";
  const rotated = useStore().base !== null;
  const left = projection.neuronsLeftOut;
  const title =
    left > 0 ? `${countText(left)} of ${countText(layer.entry.value?.neurons ?? 0)} neurons left out: not finite` : "";
  if (rotated) return <span title={ROTATED}>rotated onto A</span>;
  return (
    <span title={title}>
      {[perplexity, instances, left > 0 ? `▲ ${countText(left)}` : ""].filter((part) => part !== "").join(" · ")}
    </span>
  );
}

const ROTATED =
  "Turned, mirrored, scaled and shifted so that the instances in both samples lie as close to A's as they can (orthogonal Procrustes)";

function countPlaced(coordinates: Float32Array): number {
  let placed = 0;
  for (let at = 0; at < coordinates.length; at += 2) if (Number.isFinite(coordinates[at])) placed++;
  return placed;
}

const METHODS = { pca: "PCA", tsne: "t-SNE" } as const;

function MethodChoice({ method }: { method: ProjectionMethod }) {
  return (
    <Popup class="projection-method" summary={<span title="Another method or perplexity">{METHODS[method]} ▾</span>}>
      <MethodForm />
    </Popup>
  );
}

const PERPLEXITY = { least: 5, most: 100 };

/** Nothing is computed until it is applied. */
function MethodForm() {
  const { durable } = useStore();
  const chosen = durable.projection.value;
  const method = useSignal(chosen.method);
  const perplexity = useSignal(chosen.perplexity);
  const framing = useSignal(chosen.framing);
  const unchanged =
    method.value === chosen.method &&
    (method.value === "pca" || (perplexity.value === chosen.perplexity && framing.value === chosen.framing));
  return (
    <form
      class="method-form"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = Math.round(Math.min(PERPLEXITY.most, Math.max(PERPLEXITY.least, perplexity.value)));
        durable.projection.value = { method: method.value, perplexity: wanted, framing: framing.value };
        event.currentTarget.closest("details")?.removeAttribute("open");
      }}
    >
      <Segmented
        label="Method"
        value={method.value}
        options={[
          { value: "tsne", label: METHODS.tsne },
          { value: "pca", label: METHODS.pca },
        ]}
        onPick={(value) => {
          method.value = value as ProjectionMethod;
        }}
      />
      <label>
        <span class="picker-label">Perplexity</span>
        <input
          type="number"
          required
          min={PERPLEXITY.least}
          max={PERPLEXITY.most}
          step={1}
          disabled={method.value === "pca"}
          value={perplexity.value}
          onInput={(event) => {
            perplexity.value = event.currentTarget.valueAsNumber;
          }}
        />
      </label>
      <label title="Each step starts from the one before and is held back by it, so that what moves is what changed">
        <input
          type="checkbox"
          data-testid="one-frame"
          disabled={method.value === "pca"}
          checked={framing.value === "steps"}
          onChange={(event) => {
            framing.value = event.currentTarget.checked ? "steps" : "own";
          }}
        />
        <span class="picker-label">One frame for all steps</span>
      </label>
      <p class="hint">Perplexity: about how many neighbours each instance looks at. For every open layer.</p>
      <button type="submit" class="primary" disabled={unchanged || Number.isNaN(perplexity.value)}>
        Apply
      </button>
    </form>
  );
}
