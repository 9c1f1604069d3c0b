/** One layer over the steps of the run: how right and how separate the classes become, pictures side by side, likeness. */
import { useStore } from "../../ui/context";
import { Picker } from "../../ui/controls";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { StepCharts } from "./charts";
import { Likeness } from "./likeness";
import { StepStrip } from "./strip";

export function OverSteps() {
  const { catalogue, durable, overSteps } = useStore();
  const layer = overSteps.layer.value;
  const recorded = catalogue.snapshot.value?.layers.map(({ name }) => name) ?? [];
  const names = recorded.includes(layer) ? recorded : [...recorded, layer];
  const found = overSteps.snapshots.value.length;
  return (
    <section class="card over-steps" data-testid="over-steps" aria-label={`${layer} over steps`}>
      <div class="panel-head">
        <h3>
          <span class="buttons">
            <button
              type="button"
              class="quiet"
              aria-label="Close the steps"
              onClick={() => {
                durable.overSteps.value = "";
              }}
            >
              <Icon name="close" />
            </button>
          </span>
          <LayerGlyph />
          <span>Over steps</span>
        </h3>
        <Picker
          label="Layer"
          testId="over-steps-layer"
          value={layer}
          options={names.map((name) => ({ value: name, label: name }))}
          onPick={(name) => {
            durable.overSteps.value = name;
          }}
        />
        <p>{found === 1 ? "one step" : `${found} steps`}</p>
      </div>
      {found === 0 ? (
        <p class="hint" data-testid="over-steps-none">
          No step of this run has recorded {layer}. Choose another layer.
        </p>
      ) : (
        <div class="over-steps-body">
          <StepCharts />
          <Likeness />
          <StepStrip />
        </div>
      )}
    </section>
  );
}
