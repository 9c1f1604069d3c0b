/** One layer over the steps of a run: charts, projections, and likeness of the layers. */

import { batch } from "@preact/signals";
import { Fragment } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { LayerSimilarity, SnapshotEntry } from "../../contract/activis";
import type { SnapshotReference } from "../../contract/client";
import { hasLabels } from "../../draw/colouring";
import { mix, textOn } from "../../draw/palette";
import { createPaintedPoints, FRAME_REACH, placePoints } from "../../draw/projection";
import { endsOf, placeStrip } from "../../draw/strip";
import { overStepsOf } from "../../store/over_steps";
import type { TabStore } from "../../store/tab";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { Picker } from "../../ui/controls";
import { Icon, LayerGlyph } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import { pixelRatio } from "../../ui/surface";
import { StepCharts } from "./charts";

const SIZE = 104;
/** Dots are smaller than in a panel: the picture is laid out larger, and painted at this scale. */
const SCALE = 0.6;

function StepStrip() {
  const overSteps = overStepsOf(useTab());
  const snapshots = overSteps.snapshots.value;
  const values = snapshots.map(({ step }) => overSteps.values(step)?.value?.data);
  const ends = useMemo(() => endsOf(values.filter((one) => one !== undefined)), values);
  return (
    <div class="step-strip" data-testid="step-strip">
      {snapshots.map((snapshot) => (
        <StepPicture key={snapshot.step} snapshot={snapshot} ends={ends} />
      ))}
    </div>
  );
}

interface StepPictureProperties {
  snapshot: SnapshotEntry;
  /** Of the values of a single neuron over all steps that are there. */
  ends: ReturnType<typeof endsOf>;
}

function StepPicture({ snapshot, ends }: StepPictureProperties) {
  const tab = useTab();
  const { catalogue, stepping } = tab;
  const overSteps = overStepsOf(tab);
  const { step } = snapshot;
  const values = overSteps.values(step);
  const projection = overSteps.projection(step);
  const state = values ?? projection;
  const current = catalogue.snapshot.value?.step === step;
  const content = values ? "the values of the neuron, on one scale for all steps" : "t-SNE in the frame of the steps";
  return (
    <button
      type="button"
      class="step-picture"
      data-testid="step-picture"
      data-step={step}
      data-ready={state?.status === "ready"}
      data-strip={values !== undefined}
      aria-pressed={current}
      aria-label={`Show step ${step}`}
      title={state?.status === "error" ? state.message : `Step ${step}, ${content}`}
      onClick={() => stepping.goTo(step)}
    >
      {state?.value ? (
        <Dots values={values?.value?.data} coordinates={projection?.value?.coordinates} ends={ends} />
      ) : (
        <i class="bone" />
      )}
      <span>{step}</span>
    </button>
  );
}

interface DotsProperties {
  /** Of a single neuron, (rows,); else there are coordinates, (rows, 2). */
  values: Float32Array | undefined;
  coordinates: Float32Array | undefined;
  ends: ReturnType<typeof endsOf>;
}

function Dots({ values, coordinates, ends }: DotsProperties) {
  const { columns, litMask, snapshot } = useSnapshot();
  const palette = usePalette();
  const colours = useClassColours();
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = pixelRatio.value;
  const side = Math.round(SIZE * ratio);
  // The sample is the same at every step, unless ids changed; without them a dot has no colour.
  const shown = columns.value;
  const labels = shown ? (hasLabels(shown) ? shown.label : shown.predicted) : [];
  const named = colours.join();
  const classes = snapshot.value?.classes.length ?? 0;
  const rows = values?.length ?? (coordinates?.length ?? 0) / 2;
  const painted = useMemo(() => {
    const codes = labels.length === rows ? labels : [];
    const box = { width: SIZE / SCALE, height: SIZE / SCALE };
    const { positions } = values
      ? placeStrip({ values, codes, classes, ...box, ends, axisHeight: 0 })
      : placePoints(coordinates ?? new Float32Array(), box.width, box.height, FRAME_REACH);
    return createPaintedPoints(
      { positions, codes, colours: named.split(","), palette },
      () => new ImageData(side, side),
      ratio * SCALE,
    );
  }, [values, coordinates, ends, labels, rows, classes, named, palette, ratio, side]);
  const lightened = litMask.value?.length === rows ? litMask.value : null;
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(lightened ? painted.lit(lightened) : painted.all(), 0, 0);
  }, [painted, lightened]);
  return <canvas ref={canvas} width={side} height={side} />;
}

const EXPLANATION =
  "Linear CKA, debiased (Kornblith et al. 2019): 1 for layers that are alike but for a rotation, a scale and a shift, about 0 for independent ones";

export function Likeness() {
  const tab = useTab();
  const store = useSnapshot();
  const { other, similarity } = overStepsOf(tab);
  const against = other.value;
  const { status, value } = similarity.state.value;
  if (!against) return null;
  return (
    <figure class="likeness" data-testid="likeness">
      <figcaption title={EXPLANATION}>
        likeness of layers
        <b>
          step {store.snapshot.value?.step} ↓ · {againstText(tab, against)} →
        </b>
      </figcaption>
      {status === "error" && (
        <p class="wrong">{similarity.state.value.status === "error" && similarity.state.value.message}</p>
      )}
      {value && <Table similarity={value} against={against} />}
    </figure>
  );
}

function againstText({ catalogue }: TabStore, { run, step }: SnapshotReference): string {
  const same = run === catalogue.reference.value?.run;
  const label = catalogue.runs.value.value?.runs.find((entry) => entry.run === run)?.label;
  return same ? `step ${step}` : `${label ?? run} step ${step}`;
}

function Table({ similarity, against }: { similarity: LayerSimilarity; against: SnapshotReference }) {
  const tab = useTab();
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
            const ground = mix(weak, strong, known[at] ? Math.max(0, value) : 0);
            return (
              <button
                key={name}
                type="button"
                data-testid="likeness-cell"
                data-layer={layer}
                data-other={name}
                title={`${layer} and ${name}: ${shown}, over ${countText(over[at] ?? 0)} instances. Opens the two side by side`}
                style={{ background: ground, color: textOn(ground) }}
                onClick={() => openPair(tab, against, layer, name)}
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

function openPair(
  { comparing, urlState, toggleLayer }: TabStore,
  against: SnapshotReference,
  layer: string,
  other: string,
): void {
  batch(() => {
    if (!urlState.layers.peek().includes(layer)) toggleLayer(layer);
    if (!comparing.active.peek()) comparing.add(against);
    comparing.pair(0, layer, other);
  });
}

export function OverSteps() {
  const tab = useTab();
  const { catalogue, urlState } = tab;
  const overSteps = overStepsOf(tab);
  const layer = overSteps.layer.value;
  const recorded = catalogue.snapshot.value?.layers.map(({ name }) => name) ?? [];
  const names = recorded.includes(layer) ? recorded : [...recorded, layer];
  const found = overSteps.snapshots.value.length;
  return (
    <section class="card over-steps" data-testid="over-steps" aria-label={`${layer} over steps`}>
      <div class="panel-head">
        <h3>
          <LayerGlyph />
          <span>Over steps</span>
        </h3>
        <Picker
          label="Layer"
          testId="over-steps-layer"
          value={layer}
          options={names.map((name) => ({ value: name, label: name }))}
          onPick={(name) => {
            urlState.overSteps.value = name;
          }}
        />
        <p>{found === 1 ? "one step" : `${found} steps`}</p>
        <div class="panel-buttons">
          <button
            type="button"
            class="quiet"
            aria-label="Close the steps"
            onClick={() => {
              urlState.overSteps.value = "";
            }}
          >
            <Icon name="close" />
          </button>
        </div>
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
