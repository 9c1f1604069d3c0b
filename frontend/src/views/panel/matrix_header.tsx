/** Above a matrix: which neurons are in sight or what the hovered cell holds, the scale, and the two strips. */

import { drawHeadings, FONT, layoutOutput, type OutputLayout } from "../../draw/printed";
import { drawOverview, drawStrongest } from "../../draw/strips";
import { rowValues } from "../../state/layer";
import { countText, valueText } from "../widgets/numbers";
import { useClassColours, usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";
import { isOutputLayer, type MatrixFrame, rampOf } from "./frame";
import { Readout } from "./readout";

export const HEADER_HEIGHT = 36;

export function MatrixHeader({ frame }: { frame: MatrixFrame }) {
  const problem = problemOf(frame);
  const printed = frame.columns.printed;
  const columns = frame.columns;
  const wide = columns.visible < columns.total;
  return (
    <div class="matrix-header">
      <span class="strip-label">{printed ? "n" : "strongest class"}</span>
      <Readout frame={frame} resting={problem ? <Failure sentence={problem} /> : restingText(frame)} />
      {!printed && <ScaleLegend frame={frame} />}
      {frame.width > 0 && (
        <div class="strips">
          <Strips frame={frame} />
          {wide && <OverviewHandle frame={frame} />}
        </div>
      )}
    </div>
  );
}

/** Why a part of the numbers is missing, where the means are there. */
function problemOf({ layer }: MatrixFrame): string | null {
  if (layer.mean.state.value.status === "error") return null;
  for (const part of [layer.activations, layer.active, layer.nonfinite]) {
    const state = part.state.value;
    if (state.status === "error") return state.message;
  }
  return null;
}

const Failure = ({ sentence }: { sentence: string }) => (
  <span class="wrong" role="alert" data-testid="error" title={sentence}>
    {sentence}
  </span>
);

function restingText({ columns }: MatrixFrame): string {
  if (columns.printed) return "mean activation";
  const total = countText(columns.total);
  if (columns.visible >= columns.total) return `${total} neurons`;
  return `neurons ${columns.first + 1}–${columns.first + columns.visible} of ${total}`;
}

function ScaleLegend({ frame }: { frame: MatrixFrame }) {
  const palette = usePalette();
  const scale = frame.layer.scale.value;
  if (!scale) return null;
  const colours = scale.signed ? palette.diverging : palette.ramp;
  return (
    <span
      class="scale"
      title="One scale for every row of this panel: the 99th percentile of the class means, rounded up; stronger values look like its end"
    >
      {scale.signed ? `−${valueText(scale.max)}` : "0"}
      <i style={{ background: `linear-gradient(to right, ${colours.join(", ")})` }} />
      {valueText(scale.max)}
    </span>
  );
}

function Strips({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const colours = useClassColours();
  const { layer, columns, order, width } = frame;
  const ramp = rampOf(layer, palette);
  const strongest = layer.strongest.value;
  const nonfinite = layer.nonfiniteCounts.value;
  const overview = overviewValues(frame, store.durable.sort.value);
  const classes = store.catalogue.snapshot.value?.classes ?? [];
  const output = isOutputLayer(store, layer);

  const draw = (context: CanvasRenderingContext2D) => {
    if (!order || !ramp || !strongest) return;
    if (columns.printed) {
      const names = output ? classes : Array.from(order, (neuron) => `neuron ${neuron}`);
      drawHeadings(context, names, (position) => position * columns.pitch, columns.pitch - 4, palette);
      const place = output ? layoutOutput(columns, classes.length, width) : null;
      if (!place) return;
      const at = (position: number) => place.predictedLeft + position * place.predictedPitch;
      drawHeadings(context, classes, at, place.predictedPitch - 2, palette);
      drawTitles(context, place, palette.secondary);
      return;
    }
    drawStrongest(context, { order, strongest, colours, columns, palette, nonfinite });
    if (overview && columns.visible < columns.total) {
      drawOverview(context, { order, values: overview, columns, ramp, palette, width });
    }
  };
  return <Surface width={width} height={HEADER_HEIGHT} draw={draw} aria-hidden="true" />;
}

function drawTitles(context: CanvasRenderingContext2D, place: OutputLayout, colour: string): void {
  context.font = `11px ${FONT}`;
  context.fillStyle = colour;
  context.fillText("predicted as", place.predictedLeft, 12);
  context.fillText(place.barWidth > 0 ? "accuracy · score" : "accuracy", place.barLeft, 12);
}

/** What the overview shows: the row that sorts, else each neuron's highest class mean. */
function overviewValues({ layer, rows }: MatrixFrame, sort: string): Float32Array | null {
  const row = rows.find((candidate) => candidate.key === sort);
  const means = layer.mean.state.value.value;
  if (row) return rowValues(layer, row);
  const [, neurons = 0] = means?.shape ?? [];
  const strongest = layer.strongest.value;
  return means && strongest
    ? Float32Array.from(strongest, (label, neuron) => (label < 0 ? 0 : (means.data[label * neurons + neuron] ?? 0)))
    : null;
}

/** Drags the window over all neurons. */
function OverviewHandle({ frame }: { frame: MatrixFrame }) {
  const { columns, width, scrollTo } = frame;
  const move = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.type === "pointermove" && event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    scrollTo((event.offsetX / width) * columns.total - columns.visible / 2);
  };
  return (
    <input
      class="overview-handle"
      type="range"
      aria-label="First neuron in sight"
      min={0}
      max={columns.total - columns.visible}
      value={columns.first}
      onInput={(event) => scrollTo(Number(event.currentTarget.value))}
      onPointerDown={move}
      onPointerMove={move}
    />
  );
}
