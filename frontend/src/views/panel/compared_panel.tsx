/** View B where runs are compared: a layer's panel with columns for each of them, and the labels once. */
import type { LayerStore } from "../../store/layer";
import type { Side } from "../../store/side";
import { StoreContext, useStore } from "../../ui/context";
import { Segmented } from "../../ui/controls";
import { Icon, LayerGlyph, SideBadge } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import { HealthLine } from "./health";
import { Matrix } from "./matrix";
import { type PlacedMatrix, useMatrixFrame } from "./matrix_frame";
import { MissingLayer } from "./missing_layer";
import { ProjectionView } from "./projection";
import { SideMatrix } from "./side_matrix";

export function ComparedLayers({ layer }: { layer: LayerStore }) {
  const { comparing } = useStore();
  const placed = useMatrixFrame(layer, false, true);
  return (
    <>
      <div class="side-columns first">
        <BaseTitle layer={layer} />
        <Matrix placed={placed} />
      </div>
      <ProjectionView layer={layer} fitted />
      {comparing.sides.value.map((side) => (
        <StoreContext.Provider key={side.letter} value={side.store}>
          <SideColumns side={side} layer={layer} placed={placed} />
        </StoreContext.Provider>
      ))}
    </>
  );
}

function BaseTitle({ layer }: { layer: LayerStore }) {
  const { catalogue, toggleLayer } = useStore();
  const neurons = layer.entry.value?.neurons ?? 0;
  const instances = catalogue.snapshot.value?.instances ?? 0;
  return (
    <div class="side-title base-title">
      <h3>
        <LayerGlyph />
        <span title={`${layer.name}: ${countText(instances)} instances × ${countText(neurons)} neurons`}>
          {layer.name}
        </span>
        <button type="button" class="quiet" aria-label={`Close ${layer.name}`} onClick={() => toggleLayer(layer.name)}>
          <Icon name="close" />
        </button>
      </h3>
      <SideBadge letter="A" />
      <HealthLine layer={layer} />
    </div>
  );
}

interface SideColumnsProperties {
  side: Side;
  layer: LayerStore;
  placed: PlacedMatrix;
}

function SideColumns({ side, layer, placed }: SideColumnsProperties) {
  const compared = side.layers.value.get(layer.name);
  if (!compared) return <MissingLayer side={side} layer={layer.name} />;
  return (
    <>
      <div class="side-columns" data-testid="side" data-side={side.letter}>
        <div class="side-title">
          <SideBadge letter={side.letter} />
          <HealthLine layer={compared.layer} />
          <ShowingChoice side={side} layer={layer.name} />
        </div>
        <SideMatrix compared={compared} placed={placed} />
      </div>
      <ProjectionView layer={compared.layer} fitted />
    </>
  );
}

function ShowingChoice({ side, layer }: { side: Side; layer: string }) {
  const { comparing } = useStore();
  return (
    <Segmented
      label={`Show ${layer} of ${side.letter} as`}
      quiet
      value={comparing.isDifference(layer) ? "difference" : "values"}
      options={[
        { value: "values", label: `${side.letter} values` },
        { value: "difference", label: `Δ ${side.letter} − A` },
      ]}
      onPick={(value) => comparing.showLayer(layer, value === "difference")}
    />
  );
}
