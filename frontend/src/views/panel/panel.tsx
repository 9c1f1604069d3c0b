/** View B: the panel of one layer, its name and health, its matrix, its projection, and its compared runs. */
import { neighbours, sourceKind } from "../../store/graph_order";
import type { LayerStore } from "../../store/layer";
import { pairedName, type Side } from "../../store/side";
import { SnapshotContext, useSnapshot, useTab } from "../../ui/context";
import { Segmented } from "../../ui/controls";
import { Icon, LayerGlyph, SideBadge } from "../../ui/glyphs";
import { countedText, countText, listText } from "../../ui/numbers";
import { Health, HealthLine } from "./health";
import { Matrix, SideMatrix } from "./matrix";
import { type PlacedMatrix, useMatrixFrame } from "./matrix_context";
import { ProjectionView } from "./projection";

interface MissingLayerProperties {
  side: Side;
  layer: string;
}

function MissingLayer({ side, layer }: MissingLayerProperties) {
  const runs = useTab().catalogue.runs.value;
  const snapshot = side.view.snapshot.value;
  const wanted = pairedName(side, layer);
  return (
    <div class="missing-layer" data-testid="missing-layer" data-side={side.letter}>
      {snapshot ? (
        wanted === "" ? (
          <LeftEmpty side={side} layer={layer} />
        ) : (
          <Offers side={side} layer={layer} wanted={wanted} />
        )
      ) : (
        <p>
          <SideBadge letter={side.letter} />{" "}
          {runs.value
            ? `The run ${side.wish.value?.run} no longer has a recording. Remove it with × or choose another one.`
            : "Looking for its recordings…"}
        </p>
      )}
    </div>
  );
}

function LeftEmpty({ side, layer }: MissingLayerProperties) {
  const { comparing } = useTab();
  return (
    <button type="button" class="quiet" onClick={() => comparing.pair(side.position, layer, layer)}>
      {side.letter} is left empty here. Choose again
    </button>
  );
}

/** Another step that has the layer, another layer, or nothing. */
function Offers({ side, layer, wanted }: MissingLayerProperties & { wanted: string }) {
  const { comparing } = useTab();
  const current = side.view.snapshot.value;
  const steps = (side.run.value?.snapshots ?? [])
    .filter(({ name, layers }) => name === current?.name && layers.some((entry) => entry.name === wanted))
    .map(({ step }) => step);
  const others = current?.layers.map(({ name }) => name) ?? [];
  const nearest = steps.reduce<number | null>(
    (best, step) => (best === null || distance(step, current?.step) < distance(best, current?.step) ? step : best),
    null,
  );
  return (
    <>
      <p class="missing-title">
        <b class="side-letter">{side.letter}</b>{" "}
        {steps.length > 0
          ? `has no recording of ${wanted} at step ${countText(current?.step ?? 0)}`
          : `has no layer called ${wanted}`}
      </p>
      <p>
        {steps.length > 0
          ? `It recorded ${wanted} at ${steps.length === 1 ? "step" : "steps"} ${listText(steps.map(countText))}.`
          : others.length > 0
            ? `It recorded ${listText(others)}.`
            : "It recorded no layer at this step."}
      </p>
      <p class="missing-offers">
        {nearest !== null && (
          <button type="button" class="primary" onClick={() => comparing.change(side.position, { step: nearest })}>
            Use step {countText(nearest)}
          </button>
        )}
        {others.length > 0 && (
          <select
            aria-label={`Layer of ${side.letter} beside ${layer}`}
            data-testid="layer-choice"
            value=""
            onChange={(event) => comparing.pair(side.position, layer, event.currentTarget.value)}
          >
            <option value="">Use another layer…</option>
            {others.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <button type="button" class="plain" onClick={() => comparing.pair(side.position, layer, "")}>
          Keep empty
        </button>
      </p>
    </>
  );
}

const distance = (step: number, from: number | undefined): number => Math.abs(step - (from ?? 0));

function ComparedLayers({ layer }: { layer: LayerStore }) {
  const { comparing } = useTab();
  const placed = useMatrixFrame(layer, false, true);
  return (
    <>
      <div class="side-columns first">
        <BaseTitle layer={layer} />
        <Matrix placed={placed} />
      </div>
      <ProjectionView layer={layer} fitted />
      {comparing.sides.value.map((side) => (
        <SnapshotContext.Provider key={side.letter} value={side.store}>
          <SideColumns side={side} layer={layer} placed={placed} />
        </SnapshotContext.Provider>
      ))}
    </>
  );
}

function BaseTitle({ layer }: { layer: LayerStore }) {
  const { toggleLayer } = useTab();
  const neurons = layer.entry.value?.neurons ?? 0;
  const instances = useSnapshot().snapshot.value?.instances ?? 0;
  return (
    <div class="side-title base-title">
      <h3>
        <LayerGlyph />
        <span title={`${layer.name}: ${countText(instances)} instances × ${countedText(neurons, "neuron")}`}>
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
  const { comparing } = useTab();
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

/** Of a layer's name: as many as three lines hold. */
const MOST_CHARACTERS = 36;

/** Layers of one model differ at the ends of their names more often than in the middle. */
const withoutMiddle = (name: string): string =>
  name.length <= MOST_CHARACTERS
    ? name
    : `${name.slice(0, MOST_CHARACTERS / 2 - 1)}…${name.slice(-MOST_CHARACTERS / 2)}`;

function PanelHead({ layer }: { layer: LayerStore }) {
  const { urlState, toggleLayer } = useTab();
  const maximised = urlState.maximised.value === layer.name;
  const entry = layer.entry.value;
  const snapshot = useSnapshot().snapshot.value;
  if (!entry || !snapshot) return null;
  return (
    <div class="panel-head">
      <h3>
        <span class="buttons">
          <button
            type="button"
            class="quiet"
            data-testid="maximise"
            aria-pressed={maximised}
            aria-label={`Show ${layer.name} alone`}
            title={maximised ? "Show every open layer again" : "Show this layer alone, as large as fits"}
            onClick={() => {
              urlState.maximised.value = maximised ? "" : layer.name;
            }}
          >
            <Icon name={maximised ? "restore" : "maximise"} />
          </button>
          <button
            type="button"
            class="quiet"
            aria-label={`Close ${layer.name}`}
            onClick={() => toggleLayer(layer.name)}
          >
            <Icon name="close" />
          </button>
        </span>
        <LayerGlyph />
        <span title={layer.name}>{withoutMiddle(layer.name)}</span>
      </h3>
      <p>
        {entry.dtype} · {countText(snapshot.instances)} × {countText(entry.neurons)}
      </p>
      {entry.pooling !== "" && (
        <p title={`One instance is ${entry.shape.join(" × ")} before pooling`}>
          {entry.pooling === "first" || entry.pooling === "last"
            ? `${entry.pooling} position`
            : `${entry.pooling} over positions`}
        </p>
      )}
      <Neighbours layer={layer} />
      <Health layer={layer} />
    </div>
  );
}

const MOST_NEIGHBOURS = 4;

function Neighbours({ layer }: { layer: LayerStore }) {
  const { graph } = useTab();
  const { hover } = useSnapshot();
  const loaded = graph.state.value.value;
  const nodes = loaded && sourceKind(loaded) !== "layers" ? neighbours(loaded, layer.name) : [];
  if (nodes.length < 2) return null;
  return (
    <ul class="neighbours" aria-label="In the graph">
      {nodes.slice(0, MOST_NEIGHBOURS).map((node) => (
        <li
          key={node.id}
          title={node.full_name}
          onPointerEnter={() => {
            hover.value = { source: "head", layer: layer.name, node: node.id };
          }}
          onPointerLeave={() => {
            hover.value = null;
          }}
        >
          <i class={node.kind === "tensor" ? "key-tensor recorded" : "key-operator"} />
          <span>{node.kind === "tensor" ? node.layer || node.name : node.operator || node.name}</span>
        </li>
      ))}
    </ul>
  );
}

export function Panel({ layer }: { layer: LayerStore }) {
  const { comparing, urlState } = useTab();
  const recorded = layer.entry.value !== null;
  const compared = comparing.active.value && recorded;
  const maximised = recorded && !compared && urlState.maximised.value === layer.name;
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
  const { toggleLayer } = useTab();
  const snapshot = useSnapshot().snapshot.value;
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
