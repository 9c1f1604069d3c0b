/** Above a matrix: which neurons are in sight or what the hovered cell holds, the scale, and the two strips. */
import { drawDifference, drawFunnel, drawStrongest, scaleEnd } from "../../draw/matrix_header";
import { drawHeadings, FONT, type OutputLayout } from "../../draw/matrix_text";
import { predictedNames } from "../../store/judgement";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { countText, valueText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import { isOutputLayer, type MatrixFrame } from "./frame";
import { Overview } from "./overview";
import { Readout } from "./readout";
import { ScaleLegend } from "./scale_legend";

export function MatrixHeader({ frame }: { frame: MatrixFrame }) {
  const unlabelled = useStore().catalogue.snapshot.value?.unlabelled ?? false;
  const problem = problemOf(frame);
  const { columns, header } = frame;
  const labelTop = columns.printed ? 22 : header.strongestTop - 5;
  return (
    <div class="matrix-header" style={{ height: `${header.height}px` }}>
      <span class="strip-label" style={{ top: `${labelTop}px` }}>
        {columns.printed ? "n" : unlabelled ? "" : "strongest class"}
      </span>
      {frame.differenceTop !== null && <DifferenceLabel frame={frame} top={frame.differenceTop} />}
      <Readout frame={frame} resting={problem ? <Failure sentence={problem} /> : <RestingText frame={frame} />} />
      {!columns.printed && frame.ramp && <ScaleLegend scale={frame.ramp} />}
      {frame.width > 0 && (
        <div class="strips">
          <Strips frame={frame} />
          <Overview frame={frame} />
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

/** Which neurons are in sight, and in which order. */
function RestingText({ frame: { layer, columns } }: { frame: MatrixFrame }) {
  const store = useStore();
  const { catalogue, durable, rows, comparison } = store;
  if (columns.printed) return isOutputLayer(store, layer) ? <>mean activation</> : <>mean activation by neuron</>;
  const sort = durable.sort.value;
  const separation = comparison.compared.value?.map((one) => one.name).join(" − ") ?? "";
  const row = rows.value.find((candidate) => candidate.key === sort);
  const strongest = catalogue.snapshot.value?.unlabelled ? "mean" : "strongest class";
  const named: Record<string, string> = { strongest, variance: "variance", natural: "" };
  const by = row ? (row.sampled < 0 ? `${row.name} mean` : row.name) : (named[sort] ?? separation);
  const total = countText(columns.total);
  const fits = columns.visible >= columns.total;
  const window = `neurons ${countText(columns.first + 1)}–${countText(columns.first + columns.visible)} of ${total}`;
  const loading = layer.mean.state.value.value === undefined;
  if (loading) return <>averaging…</>;
  return (
    <>
      {fits ? `${total} neurons` : window}
      {by !== "" && `, by ${by}`}
    </>
  );
}

/** Names what the strip shows, and how it is measured. */
function DifferenceLabel({ frame: { layer }, top }: { frame: MatrixFrame; top: number }) {
  const difference = layer.difference.value;
  if (!difference) return null;
  const { measure, values } = difference;
  const end = valueText(scaleEnd(values));
  const title =
    measure === "z"
      ? "z = (activation − mean) / standard deviation, of the instance against the other row"
      : "d = (mean 1 − mean 2) / √((std 1² + std 2²) / 2); thin where it is less than twice its standard error (Hedges and Olkin 1985)";
  return (
    <span class="strip-label" style={{ top: `${top - 4}px` }} title={title} data-testid="difference-label">
      {measure}: −{end} … {end}
    </span>
  );
}

function Strips({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const colours = useClassColours();
  const { layer, columns, order, width, header, ramp, output: place } = frame;
  const strongest = layer.strongest.value;
  const nonfinite = layer.nonfiniteCounts.value;
  const snapshot = store.catalogue.snapshot.value;
  const classes = snapshot?.classes ?? [];
  const output = isOutputLayer(store, layer);
  const difference = layer.difference.value;
  const { differenceTop } = frame;

  const draw = (context: CanvasRenderingContext2D) => {
    if (!order || !ramp || !strongest) return;
    if (difference && differenceTop !== null) {
      drawDifference(context, { order, ...difference, columns, palette, top: differenceTop });
    }
    if (columns.printed) {
      const names = output ? classes : Array.from(order, (neuron) => String(neuron));
      drawHeadings(context, names, (position) => position * columns.pitch, columns.pitch - 4, palette);
      if (!place) return;
      drawTitles(context, { place, width, colour: palette.secondary, labelled: !snapshot?.unlabelled });
      if (place.predictedPitch === 0) return;
      const at = (position: number) => place.predictedLeft + position * place.predictedPitch;
      drawHeadings(context, predictedNames(snapshot), at, place.predictedPitch - 2, palette);
      return;
    }
    const ofClasses = snapshot?.unlabelled ? strongest.map(() => -1) : strongest;
    const top = header.strongestTop;
    drawStrongest(context, { order, strongest: ofClasses, colours, columns, palette, nonfinite, top });
    if (header.overview === "map") drawFunnel(context, columns, header, width, palette);
  };
  return <Surface width={width} height={header.height} draw={draw} aria-hidden="true" />;
}

interface Titles {
  place: OutputLayout;
  width: number;
  colour: string;
  /** Whether there is any accuracy. */
  labelled: boolean;
}

function drawTitles(context: CanvasRenderingContext2D, { place, width, colour, labelled }: Titles): void {
  context.font = `11px ${FONT}`;
  context.fillStyle = colour;
  const table = place.predictedPitch > 0;
  if (table) context.fillText("predicted as", place.predictedLeft, 12);
  const title = !labelled ? "score" : place.barWidth > 0 ? "accuracy · score" : "accuracy";
  context.fillText(title, Math.min(place.barLeft, width - context.measureText(title).width), table ? 12 : 30);
}
