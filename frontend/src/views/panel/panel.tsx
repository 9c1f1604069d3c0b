/** View B: the panel of one layer, its name and health, its matrix, its projection, and its compared runs. */
import { signal } from "@preact/signals";
import { memo } from "preact/compat";
import { useLayoutEffect } from "preact/hooks";
import type { Layer } from "../../contract/activis";
import { groupEnds } from "../../draw/matrix_header";
import { isPrinted } from "../../draw/matrix_layout";
import {
  columnPanel,
  mostCells,
  type PanelContent,
  panelNeed,
  placeProjection,
  usualCells,
} from "../../draw/panel_layout";
import { neighbours, sourceKind } from "../../store/graph_order";
import { predictedNames } from "../../store/judgement";
import type { LayerStore } from "../../store/layer";
import type { WordsStore } from "../../store/per_word";
import { blockOf } from "../../store/rows";
import type { Side } from "../../store/side";
import { toggle } from "../../store/url_state";
import { isColumn, SnapshotContext, useSnapshot, useTab } from "../../ui/context";
import { Segmented } from "../../ui/controls";
import { deferred, loadDeferred } from "../../ui/deferred";
import { Icon, LayerGlyph, SideBadge } from "../../ui/glyphs";
import { countedText, countText } from "../../ui/numbers";
import { type Size, useSize } from "../../ui/surface";
import { Health, HealthLine } from "./health";
import { Matrix, SideMatrix } from "./matrix";
import { isOutputLayer, type MatrixFrame, type PlacedMatrix, useMatrixFrame } from "./matrix_context";
import { ScaleLegend } from "./matrix_header";
import { ProjectionView } from "./projection";

const WordFacts = deferred(async () => (await import("./word_projection")).WordFacts);
const WordProjection = deferred(async () => (await import("./word_projection")).WordProjection);
const MissingLayer = deferred(async () => (await import("./missing_layer")).MissingLayer);
const UnrecordedLayer = deferred(async () => (await import("./missing_layer")).UnrecordedLayer);

function ComparedLayers({ layer }: { layer: LayerStore }) {
  const { comparing } = useTab();
  const placed = useMatrixFrame(layer, { narrow: true });
  return (
    <>
      <div class="side-columns first">
        <BaseTitle layer={layer} />
        <Matrix placed={placed} />
      </div>
      <ProjectionView layer={layer} />
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
      <ProjectionView layer={compared.layer} />
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

/** Of a layer's name. */
const MOST_CHARACTERS = 36;

/** Layers of one model differ at the ends of their names more often than in the middle. */
const withoutMiddle = (name: string): string =>
  name.length <= MOST_CHARACTERS
    ? name
    : `${name.slice(0, MOST_CHARACTERS / 2 - 1)}…${name.slice(-MOST_CHARACTERS / 2)}`;

/** One line: parts for which there is no room are left out, the last ones first. */
function PanelHead({ layer, words, frame }: RecordedProperties & { frame: MatrixFrame }) {
  const entry = layer.entry.value;
  const snapshot = useSnapshot().snapshot.value;
  if (!entry || !snapshot) return null;
  return (
    <div class="panel-head">
      <h3>
        <LayerGlyph />
        <span title={layer.name}>{withoutMiddle(layer.name)}</span>
      </h3>
      {entry.positions === "tokens" && <RowsChoice layer={layer.name} />}
      <div class="panel-facts">
        {words ? (
          <WordFacts words={words} />
        ) : (
          <p title={shapeTitle(entry)}>
            {countText(snapshot.instances)} × {countText(entry.neurons)}
            {entry.pooling !== "" && ` · ${poolingText(entry.pooling)}`}
          </p>
        )}
        <Neighbours layer={layer} />
        <Health layer={layer} />
      </div>
      {!frame.columns.printed && frame.ramp && <ScaleLegend frame={frame} ramp={frame.ramp} />}
    </div>
  );
}

function RowsChoice({ layer }: { layer: string }) {
  const { perWord } = useTab().urlState;
  return (
    <Segmented
      label={`Rows of ${layer}`}
      quiet
      value={perWord.value.includes(layer) ? "words" : "instances"}
      options={[
        { value: "instances", label: "instances" },
        { value: "words", label: "words" },
      ]}
      onPick={(rows) => {
        if (perWord.value.includes(layer) !== (rows === "words")) toggle(perWord, layer);
      }}
    />
  );
}

const poolingText = (pooling: string): string =>
  pooling === "first" || pooling === "last" ? `${pooling} position` : `${pooling} over positions`;

const shapeTitle = ({ dtype, pooling, shape }: Layer): string =>
  `Instances × neurons, ${dtype}${pooling === "" ? "" : `; one instance is ${shape.join(" × ")} before pooling`}`;

function PanelButtons({ layer }: { layer: LayerStore }) {
  const { urlState, toggleLayer } = useTab();
  const maximised = urlState.maximised.value === layer.name;
  return (
    <span class="panel-buttons">
      <button
        type="button"
        class="quiet"
        data-testid="maximise"
        aria-pressed={maximised}
        aria-label={`Show ${layer.name} alone`}
        title={maximised ? "Show every open layer again" : "Show this layer alone, as large as fits"}
        onClick={async () => {
          // The bars above change with it, at once.
          await loadDeferred();
          urlState.maximised.value = maximised ? "" : layer.name;
        }}
      >
        <Icon name={maximised ? "restore" : "maximise"} />
      </button>
      <button type="button" class="quiet" aria-label={`Close ${layer.name}`} onClick={() => toggleLayer(layer.name)}>
        <Icon name="close" />
      </button>
    </span>
  );
}

const MOST_NEIGHBOURS = 3;

/** The operators that the layer comes from and goes to. */
function Neighbours({ layer }: { layer: LayerStore }) {
  const { graph } = useTab();
  const { hover } = useSnapshot();
  const loaded = graph.state.value.value;
  const nodes = loaded && sourceKind(loaded) !== "layers" ? neighbours(loaded, layer.name) : [];
  const operators = nodes.filter(({ kind }) => kind !== "tensor").slice(0, MOST_NEIGHBOURS);
  if (operators.length === 0) return null;
  return (
    <ul class="neighbours" aria-label="In the graph">
      {operators.map((node) => (
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
          {node.operator || node.name}
        </li>
      ))}
    </ul>
  );
}

/** Of what stands beside the cells of a compared run. */
const BESIDE_COMPARED = 230;
/** Of a compared run; sides.css has it too. */
const LEAST_COMPARED = 470;

/** Widths of the projections beside circles, by layer: those beside printed values are as wide. */
const pictures = signal<ReadonlyMap<string, number>>(new Map());

/** Says how wide a layer's projection is; 0 where others do not follow it. */
function usePictureWidth(layer: string, width: number): void {
  useLayoutEffect(() => {
    if (width === 0) return undefined;
    pictures.value = new Map([...pictures.peek(), [layer, width]]);
    return () => {
      pictures.value = new Map([...pictures.peek()].filter(([name]) => name !== layer));
    };
  }, [layer, width]);
}

/** A panel of so many words has its share; the others are scrolled to. */
const WORDS_IN_SIGHT = 16;

/** Where the panel's parts stand, which nothing that is hovered changes. */
function usePanelStyle(layer: LayerStore, { width, height }: Size, compared: boolean, alone: boolean) {
  const { comparing } = useTab();
  const store = useSnapshot();
  const { value: all } = store.rows;
  const groups = (store.isPerWord ? all.slice(0, WORDS_IN_SIGHT) : all).map(blockOf);
  const content: PanelContent = {
    neurons: layer.entry.value?.neurons ?? 0,
    rows: groups.length,
    gaps: groupEnds(groups).size,
    predictions: isOutputLayer(store, layer) ? predictedNames(store.snapshot.value).length : 0,
    alone,
  };
  const isPrintedHere = isPrinted(content.neurons, mostCells(width));
  const place = placeProjection(content, width, height, isPrintedHere ? Math.max(0, ...pictures.value.values()) : 0);
  const isFollowed = !(compared || isColumn.value || place.below || isPrintedHere) && height > 0;
  usePictureWidth(layer.name, isFollowed ? place.width : 0);
  const sides = comparing.sides.value.length + 1;
  const { least, wanted, share } = compared
    ? panelNeed(content, Math.max(LEAST_COMPARED, width / sides) - BESIDE_COMPARED)
    : panelNeed(content, (usualCells(width) + mostCells(width)) / 2, mostCells(width));
  const need = { "--lowest": `${least}px`, "--wanted": `${wanted}px`, "--share": share };
  if (compared) return { style: isColumn.value ? { ...need, height: `${share}px` } : need, below: false };
  if (isColumn.value) {
    const { height, picture } = columnPanel(content, width);
    return { style: { "--picture": `${picture}px`, height: `${height}px` }, below: true };
  }
  const size = place.below ? place.height : place.width;
  return { style: { ...need, "--picture": `${size}px` }, below: place.below };
}

export function Panel({ layer }: { layer: LayerStore }) {
  const store = useSnapshot();
  const words = useTab().perWord.value.get(layer.name) ?? null;
  return (
    <SnapshotContext.Provider value={words?.snapshot ?? store}>
      <LayerPanel layer={words?.layer ?? layer} words={words} />
    </SnapshotContext.Provider>
  );
}

interface RecordedProperties {
  layer: LayerStore;
  /** Null where its rows are not its words. */
  words: WordsStore | null;
}

function LayerPanel({ layer, words }: RecordedProperties) {
  const { comparing, urlState } = useTab();
  const recorded = layer.entry.value !== null;
  const compared = comparing.active.value && recorded;
  const maximised = recorded && !compared && urlState.maximised.value === layer.name;
  const [section, size] = useSize<HTMLElement>();
  const { style, below } = usePanelStyle(layer, size, compared, maximised);
  const isMeasured = size.width > 0;
  const kinds = { maximised, compared, below, absent: !recorded };
  return (
    <section
      ref={section}
      class={["card panel", ...Object.entries(kinds).flatMap(([name, is]) => (is ? [name] : []))].join(" ")}
      style={style}
      data-testid="panel"
      data-layer={layer.name}
      aria-label={`Layer ${layer.name}`}
    >
      {compared && isMeasured && <ComparedLayers layer={layer} />}
      {recorded && !compared && isMeasured && <RecordedLayer layer={layer} words={words} maximised={maximised} />}
      {!recorded && <UnrecordedLayer layer={layer} />}
    </section>
  );
}

const RecordedLayer = memo(function RecordedLayer(properties: RecordedProperties & { maximised: boolean }) {
  const { layer, words, maximised } = properties;
  const placed = useMatrixFrame(layer, { alone: maximised });
  return (
    <>
      <PanelHead layer={layer} words={words} frame={placed.frame} />
      <Matrix placed={placed} />
      {words ? <WordProjection words={words} /> : <ProjectionView layer={layer} />}
      <PanelButtons layer={layer} />
    </>
  );
});
