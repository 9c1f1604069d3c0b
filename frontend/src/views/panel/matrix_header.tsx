/** Header of a matrix: the neurons in sight or the hovered cell, the overview, and the class strip. */

import { memo } from "preact/compat";
import {
  drawDifference,
  drawFunnel,
  drawOverview,
  drawStrongest,
  groupEnds,
  type HeaderLayout,
  paintMinimap,
  scaleEnd,
} from "../../draw/matrix_header";
import { drawHeadings, FONT } from "../../draw/matrix_text";
import type { Ramp } from "../../draw/palette";
import { predictedNames } from "../../store/judgement";
import { type LayerStore, relativeOf, shownValues } from "../../store/layer";
import { extremesOf } from "../../store/numbers";
import { blockOf, isMany, type MatrixRow } from "../../store/rows";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { countText, valueText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import { useCard, wheelColumns } from "./cells";
import { isOutputLayer, type MatrixFrame, rampOf } from "./matrix_context";
import { barHeading } from "./matrix_text";
import { Readout } from "./readout";
import { RowHeads } from "./row_heads";

/** At which ends of the scale values of the rows lie beyond it. */
export function clipsOf({ rows, valuesOf, ramp }: MatrixFrame): { low: boolean; high: boolean } {
  const all = rows.flatMap((row) => {
    const values = valuesOf(row);
    return values ? [extremesOf(values)] : [];
  });
  const end = ramp?.max ?? Number.POSITIVE_INFINITY;
  return { low: all.some(({ low }) => low < -end), high: all.some(({ high }) => high > end) };
}

const ABSOLUTE = "One scale for every row of this panel: the 99th percentile of the class means, rounded up.";
const RELATIVE =
  "(Mean of the row − mean over all) / standard deviation over all, of each neuron; brown is below, blue above.";

export function ScaleLegend({ frame, ramp: { signed, max, levels } }: { frame: MatrixFrame; ramp: Ramp }) {
  const clips = clipsOf(frame);
  const { isPerWord } = useSnapshot();
  const { value: isRelative } = frame.layer.isRelative;
  const unit = isRelative ? " sd" : "";
  return (
    <span
      class="scale"
      data-testid="scale"
      title={`${isRelative ? RELATIVE : ABSOLUTE} What is beyond has the colour of its end, and a dark outline.`}
    >
      {isPerWord ? "mean " : <ScaleChoice />}
      {signed ? `${clips.low ? "≤ " : ""}−${valueText(max)}${unit}` : "0"}
      <i style={{ background: `linear-gradient(to right, ${levels.join(", ")})` }} />
      {clips.high && "≥ "}
      {`${unit && "+"}${valueText(max)}${unit}`}
    </span>
  );
}

const SCALES = { "": "mean", relative: "minus the mean over all" } as const;

/** What the cells of all panels show: said as text, with the system's list over it. */
function ScaleChoice() {
  const { scale } = useTab().urlState;
  return (
    <label
      class="colour-choice"
      title="What the cells show: means of the row's instances, or by how many standard deviations over all instances they are above (blue) or below (brown) the mean over all"
    >
      <span>{SCALES[scale.value]}</span>
      <span data-unprinted> ▾</span>
      <select
        data-testid="scale-picker"
        aria-label="What the cells show"
        value={scale.value}
        onChange={(event) => {
          scale.value = event.currentTarget.value as keyof typeof SCALES;
        }}
      >
        {Object.entries(SCALES).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Overview({ frame }: { frame: MatrixFrame }) {
  const { layer, rows, order, width, header, columns } = frame;
  if (header.overview === "none" || !order) return null;
  const scale = width / columns.total;
  const place = { top: `${header.overviewTop}px`, height: `${header.overviewHeight}px` };
  return (
    <div class={`overview ${header.overview}`} style={place} data-testid="overview" data-kind={header.overview}>
      <OverviewPicture
        layer={layer}
        rows={rows}
        order={order}
        width={width}
        height={header.overviewHeight}
        kind={header.overview}
      />
      <i
        class="overview-window"
        style={{ left: `${columns.first * scale}px`, width: `${Math.max(4, columns.visible * scale)}px` }}
      />
      <OverviewHandle frame={frame} />
    </div>
  );
}

interface OverviewPictureProperties {
  layer: LayerStore;
  rows: readonly MatrixRow[];
  order: Int32Array;
  width: number;
  height: number;
  kind: HeaderLayout["overview"];
}

/** Painted when numbers or their order change, not while the window moves. */
const OverviewPicture = memo(function OverviewPicture(properties: OverviewPictureProperties) {
  const { layer, rows, order, width, height, kind } = properties;
  const tab = useTab();
  const palette = usePalette();
  const ramp = rampOf(layer, palette);
  const values = kind === "strip" ? stripValues(layer, rows, tab.urlState.sort.value) : null;
  const all = kind === "map" ? rows.map((row) => shownValues(layer, row)) : [];
  const gaps = groupEnds(rows.map(blockOf));

  const draw = (context: CanvasRenderingContext2D) => {
    if (!ramp) return;
    if (values) drawOverview(context, { order, values, ramp, width, height });
    if (kind !== "map") return;
    const pixels = context.createImageData(context.canvas.width, context.canvas.height);
    paintMinimap({ rows: all, gaps, order, ramp }, pixels);
    context.putImageData(pixels, 0, 0);
  };
  // A map is pixels: a picture of the tab takes them as they are.
  const pixels = kind === "map" ? { "data-pixels": "" } : {};
  return <Surface later width={width} height={height} draw={draw} aria-hidden="true" {...pixels} />;
});

/** What the strip shows: the row that sorts, else each neuron's highest class mean. */
function stripValues(layer: LayerStore, rows: readonly MatrixRow[], sort: string): Float32Array | null {
  const row = rows.find((candidate) => candidate.key === sort);
  const means = layer.mean.state.value.value;
  if (row) return shownValues(layer, row);
  const [, neurons = 0] = means?.shape ?? [];
  const strongest = layer.strongest.value;
  const relative = layer.isRelative.value
    ? rows.map((one) => (one.kind === "class" ? relativeOf(layer, one) : null))
    : null;
  const peak = (label: number, neuron: number) =>
    relative ? relative[label]?.[neuron] : means?.data[label * neurons + neuron];
  return means && strongest
    ? Float32Array.from(strongest, (label, neuron) => (label < 0 ? 0 : (peak(label, neuron) ?? 0)))
    : null;
}

/** Drags the window, by pointer or by key; a double click brings it back to the first rank. */
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
      data-testid="overview-handle"
      type="range"
      title="Drag to move along the neurons; double-click to return to the first"
      aria-label="First visible neuron"
      aria-valuetext={`${countText(columns.first + 1)} to ${countText(columns.first + columns.visible)}`}
      min={0}
      max={columns.total - columns.visible}
      value={columns.first}
      onInput={(event) => scrollTo(Number(event.currentTarget.value))}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.focus({ preventScroll: true });
        move(event);
      }}
      onPointerMove={move}
      onDblClick={() => scrollTo(0)}
      onWheel={(event) => {
        if (event.shiftKey || event.deltaX !== 0) return wheelColumns(event, frame);
        event.preventDefault();
        scrollTo(columns.first + (Math.sign(event.deltaY) * columns.visible) / 4);
      }}
    />
  );
}

/** The strips of a matrix's own header are those of its first bank. */
export const firstBank = (frame: MatrixFrame): MatrixFrame => ({ ...frame, columns: frame.banks[0] ?? frame.columns });

export function MatrixHeader({ frame }: { frame: MatrixFrame }) {
  const compares = useTab().comparing.active.value;
  const problem = problemOf(frame);
  const { columns, header } = frame;
  return (
    <div class="matrix-header" style={{ height: `${header.height}px` }}>
      <RowHeads frame={frame} />
      {frame.differenceTop !== null && <DifferenceLabel frame={frame} top={frame.differenceTop} />}
      <Readout frame={frame} resting={problem ? <Failure sentence={problem} /> : <RestingText frame={frame} />} />
      {compares && !columns.printed && frame.ramp && <ScaleLegend frame={frame} ramp={frame.ramp} />}
      {frame.width > 0 && (
        <div class="strips">
          <Strips frame={firstBank(frame)} />
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
function RestingText({ frame: { layer, columns, banks } }: { frame: MatrixFrame }) {
  const { comparison, urlState } = useTab();
  const store = useSnapshot();
  if (columns.printed) return isOutputLayer(store, layer) ? <>mean activation</> : <>mean activation by neuron</>;
  const sort = urlState.sort.value;
  const separation = comparison.compared.value?.map((one) => one.name).join(" − ") ?? "";
  const row = store.rows.value.find((candidate) => candidate.key === sort);
  const strongest = store.snapshot.value?.unlabelled ? "mean" : "strongest class";
  const named: Record<string, string> = { strongest, variance: "variance", natural: "" };
  const apart = urlState.sortBy.value === "apart";
  const by = row
    ? apart
      ? `what singles ${row.name} out`
      : isMany(row)
        ? `${row.name} mean`
        : row.name
    : (named[sort] ?? separation);
  const total = countText(columns.total);
  const fits = columns.visible >= columns.total;
  const [bank = columns] = banks;
  const all = banks.length > 1 ? `1–${countText(bank.visible)} of ${total} neurons` : `${total} neurons`;
  const window = `neurons ${countText(columns.first + 1)}–${countText(columns.first + columns.visible)} of ${total}`;
  const loading = layer.mean.state.value.value === undefined;
  if (loading) return <>averaging…</>;
  return (
    <>
      {fits ? all : window}
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
      ? "z = (activation − mean) / standard deviation, of the instance against the other row. Blue: row 1 is higher, orange: row 2"
      : "d = (mean 1 − mean 2) / √((std 1² + std 2²) / 2); thin where it is less than twice its standard error (Hedges and Olkin 1985). Blue: row 1 is higher, orange: row 2";
  return (
    <span class="strip-label" style={{ top: `${top - 4}px` }} title={title} data-testid="difference-label">
      {measure}: −{end} … {end}
    </span>
  );
}

/** Which neurons are in a bank after the first, and their strips. */
export function BankHeader({ frame }: { frame: MatrixFrame }) {
  const { columns, header, width } = frame;
  const last = countText(columns.first + columns.visible);
  return (
    <div class="bank-header" style={{ top: `-${header.height}px`, height: `${header.height}px` }} aria-hidden="true">
      <span class="bank-range">{`${countText(columns.first + 1)}–${last} of ${countText(columns.total)}`}</span>
      {width > 0 && <Strips frame={frame} />}
    </div>
  );
}

/** The strips of a side's bank after the first. */
function Strips({ frame }: { frame: MatrixFrame }) {
  const store = useSnapshot();
  const palette = usePalette();
  const colours = useClassColours();
  const { layer, columns, order, width, header, ramp, output: place } = frame;
  const strongest = layer.strongest.value;
  const nonfinite = layer.nonfiniteCounts.value;
  const snapshot = store.snapshot.value;
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
      context.font = `11px ${FONT}`;
      context.fillStyle = palette.secondary;
      if (place.predictedPitch === 0) {
        context.fillText(barHeading(frame.rows), place.barLeft, 30);
        return;
      }
      context.fillText("predicted as", place.predictedLeft, 12);
      const at = (position: number) => place.predictedLeft + position * place.predictedPitch;
      drawHeadings(context, predictedNames(snapshot), at, place.predictedPitch - 2, palette);
      return;
    }
    const ofClasses = snapshot?.unlabelled ? strongest.map(() => -1) : strongest;
    const top = header.strongestTop;
    drawStrongest(context, { order, strongest: ofClasses, colours, columns, palette, nonfinite, top });
    if (header.overview === "map" && frame.banks.length === 1) drawFunnel(context, columns, header, width, palette);
  };
  return <Surface width={width} height={header.height} draw={draw} aria-hidden="true" onClick={useCard(frame)} />;
}
