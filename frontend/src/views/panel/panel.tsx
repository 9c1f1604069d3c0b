/** View B, one layer's panel: what it is, its matrix, its projection. */
import type { LayerStore } from "../../store/layer";
import { useStore } from "../../ui/context";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { listText } from "../../ui/numbers";
import { ComparedLayers } from "./compared_panel";
import { PanelHead } from "./head";
import { Matrix } from "./matrix";
import { useMatrixFrame } from "./matrix_frame";
import { ProjectionView } from "./projection";

export function Panel({ layer }: { layer: LayerStore }) {
  const { comparing, durable } = useStore();
  const recorded = layer.entry.value !== null;
  const compared = comparing.active.value && recorded;
  const maximised = recorded && !compared && durable.maximised.value === layer.name;
  return (
    <section
      class={`card panel${maximised ? " maximised" : ""}${compared ? " compared" : ""}`}
      data-testid="panel"
      data-layer={layer.name}
      aria-label={`Layer ${layer.name}`}
    >
      {compared && <ComparedLayers layer={layer} />}
      {recorded && !compared && <RecordedLayer layer={layer} maximised={maximised} />}
      {!recorded && <UnrecordedLayer layer={layer} />}
    </section>
  );
}

function RecordedLayer({ layer, maximised }: { layer: LayerStore; maximised: boolean }) {
  const placed = useMatrixFrame(layer, maximised);
  return (
    <>
      <PanelHead layer={layer} />
      <Matrix placed={placed} />
      <ProjectionView layer={layer} fitted={maximised} />
    </>
  );
}

function UnrecordedLayer({ layer }: { layer: LayerStore }) {
  const { catalogue, toggleLayer } = useStore();
  const snapshot = catalogue.snapshot.value;
  return (
    <div class="unrecorded">
      <LayerGlyph />
      <b>{layer.name}</b>
      <span>
        was not recorded here. This snapshot has{" "}
        {listText(snapshot?.layers.map((entry) => entry.name) ?? []) || "no layer"}.
      </span>
      <button type="button" class="quiet" aria-label={`Close ${layer.name}`} onClick={() => toggleLayer(layer.name)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
