/** Options of a projection: its method, and what stands at its dots. */

import { useSignal } from "@preact/signals";
import type { ProjectionMethod } from "../../contract/client";
import { PERPLEXITY } from "../../store/url_state";
import { useTab } from "../../ui/context";
import { closePopup, Segmented } from "../../ui/controls";

/** @param isSingle Whether there is one neuron, whose values are shown as they are: nothing is projected. */
export const ProjectionOptions = ({ isSingle }: { isSingle: boolean }) => (
  <div class="projection-options">
    {!isSingle && <MethodForm />}
    <MarkOptions />
  </div>
);

/** What stands at the dots, each to be put away where it disturbs. */
function MarkOptions() {
  const { urlState } = useTab();
  const marks = [
    { chosen: urlState.clusterNames, label: "Names of the classes", testId: "cluster-names" },
    { chosen: urlState.errorRings, label: "Rings around errors", testId: "error-rings" },
  ];
  return (
    <fieldset class="mark-options">
      {marks.map(({ chosen, label, testId }) => (
        <label key={testId}>
          <input
            type="checkbox"
            data-testid={testId}
            checked={chosen.value === ""}
            onChange={(event) => {
              chosen.value = event.currentTarget.checked ? "" : "off";
            }}
          />
          <span class="picker-label">{label}</span>
        </label>
      ))}
      <p class="hint">A ring has the colour of the class that the instance is taken for.</p>
    </fieldset>
  );
}

/** Nothing is computed until it is applied. */
function MethodForm() {
  const { urlState } = useTab();
  const chosen = urlState.projection.value;
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
        urlState.projection.value = { method: method.value, perplexity: wanted, framing: framing.value };
        closePopup(event.currentTarget);
      }}
    >
      <Segmented
        label="Method"
        value={method.value}
        options={[
          { value: "tsne", label: "t-SNE" },
          { value: "pca", label: "PCA" },
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
      <label title="Each step's layout starts from the previous one and is held near it, so that only what changed moves">
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
      <p class="hint">
        Perplexity: roughly the number of neighbours that count for each instance. For every open layer.
      </p>
      <button type="submit" class="primary" disabled={unchanged || Number.isNaN(perplexity.value)}>
        Apply
      </button>
    </form>
  );
}
