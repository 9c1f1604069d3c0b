/** Header of a matrix beside the base's: how its neurons are matched, its scale, bars of how alike they are; its absent rows. */

import { drawCorrelations } from "../../draw/matrix_header";
import { drawHeadings, FONT } from "../../draw/matrix_text";
import { type ColumnMatching, type ComparedLayer, WEAK } from "../../store/compared_layer";
import { isError, NO_PREDICTION } from "../../store/judgement";
import type { MatrixRow } from "../../store/rows";
import { baseOf, type SnapshotStore } from "../../store/snapshot";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { ClassDot } from "../../ui/glyphs";
import { correlationText, countText, valueText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import { isOutputLayer, type MatrixFrame } from "./matrix_context";
import { clipsOf, firstBank, ScaleLegend } from "./matrix_header";
import { predictionOf } from "./matrix_text";
import { Followed, roomOf } from "./readout";

interface SideHeaderProperties {
  frame: MatrixFrame;
  compared: ComparedLayer;
}

/** Of the bars, from the rows up. */
const BARS = { above: 17, height: 12 };

export function SideHeader({ frame, compared }: SideHeaderProperties) {
  return (
    <div class="matrix-header" style={{ height: `${frame.header.height}px` }}>
      <p class="readout" style={roomOf(frame)} data-testid="matching">
        <Followed frame={frame}>
          <MatchingText frame={frame} compared={compared} />
        </Followed>
      </p>
      {(frame.isDifference || !frame.columns.printed) && <Scale frame={frame} />}
      {frame.width > 0 && (
        <div class="strips">
          <SideStrips frame={firstBank(frame)} compared={compared} />
        </div>
      )}
    </div>
  );
}

function MatchingText({ frame, compared }: SideHeaderProperties) {
  const matching = compared.matching.value;
  const problem = compared.problem.value;
  const name = compared.recorded === compared.base.name ? "" : `${compared.recorded}, `;
  if (problem !== "") {
    return (
      <span class="wrong" role="alert" data-testid="error" title={problem}>
        {name}by index: {problem}
      </span>
    );
  }
  if (!matching) return <>matching the neurons…</>;
  if (matching.method === "classes") return <>{name}mean activation, columns by class</>;
  return (
    <span class="matching" title={explain(matching)}>
      <span>
        {name}
        {matching.method === "best" ? "matched" : "by index"}
        {matching.method === "best" && <span class="wide"> to A</span>}
        {Number.isFinite(matching.median) && (
          <>
            {" · "}
            <span class="wide">median </span>r {correlationText(matching.median)}
          </>
        )}
      </span>
      <Unmatched matching={matching} total={frame.columns.total} />
      {matching.method === "best" && Number.isFinite(matching.medianByIndex) && (
        <span>index {correlationText(matching.medianByIndex)}</span>
      )}
    </span>
  );
}

function Unmatched({ matching: { partners, weak }, total }: { matching: ColumnMatching; total: number }) {
  const count = partners.reduce((sum, partner, neuron) => sum + Number(partner < 0 || weak[neuron] === 1), 0);
  if (count === 0) return null;
  return (
    <span class="wrong">
      ○ {countText(count)}
      <span class="wide"> of {countText(total)}</span> unmatched
    </span>
  );
}

function explain({ method, over }: ColumnMatching): string {
  const how =
    method === "best"
      ? "Each neuron is below the neuron of A that it correlates with most, one to one: the assignment with the largest sum of Pearson's r"
      : "Each neuron is below the neuron of A with the same number";
  return `${how}, over ${countText(over)} instances in both samples. Below r ${WEAK} it is hollow and not subtracted; a neuron without a partner leaves a gap.`;
}

function Scale({ frame }: { frame: MatrixFrame }) {
  const store = useSnapshot();
  const { ramp } = frame;
  if (!ramp) return null;
  if (!frame.isDifference) return <ScaleLegend frame={frame} ramp={ramp} />;
  const unit = isOutputLayer(store, frame.layer) ? "" : " sd";
  const end = `${valueText(ramp.max)}${unit}`;
  const clips = clipsOf(frame);
  return (
    <span
      class="scale"
      data-testid="difference-scale"
      title={`${unit && "Each in its neurons' standard deviations over all instances, from their mean. "}Blue: A is higher, orange: the other. One scale for every row of this panel: the 99th percentile of the class means' differences, rounded up`}
    >
      {clips.low && "≤ "}−{end}
      <i style={{ background: `linear-gradient(to right, ${ramp.levels.join(", ")})` }} />
      {clips.high && "≥ "}+{end}
    </span>
  );
}

function SideStrips({ frame, compared }: SideHeaderProperties) {
  const { beside, snapshot } = useSnapshot();
  const palette = usePalette();
  const { columns, header, order, output, width, isDifference } = frame;
  const matching = compared.matching.value;
  const before = beside?.base.snapshot.value;
  const classes = before?.classes ?? [];
  const labelled = !snapshot.value?.unlabelled && !(isDifference && before?.unlabelled);
  const draw = (context: CanvasRenderingContext2D) => {
    if (!order || !matching) return;
    if (columns.printed) {
      const byClass = matching.method === "classes";
      const names = Array.from(order, (neuron) => {
        const partner = matching.partners[neuron] ?? -1;
        return byClass ? (classes[neuron] ?? "") : partner < 0 ? "" : String(partner);
      });
      drawHeadings(context, names, (position) => position * columns.pitch, columns.pitch - 4, palette);
      if (!output) return;
      context.font = `11px ${FONT}`;
      context.fillStyle = palette.secondary;
      const title = labelled
        ? isDifference
          ? "Δ accuracy (points, ±50)"
          : "accuracy · score"
        : isDifference
          ? ""
          : "score";
      context.fillText(title, Math.min(output.barLeft, width - context.measureText(title).width), 30);
    } else if (matching.correlations) {
      const { correlations, weak } = matching;
      const top = header.height - BARS.above;
      drawCorrelations(context, { order, correlations, weak, columns, palette, top, height: BARS.height });
    }
  };
  return <Surface later width={width} height={header.height} draw={draw} aria-hidden="true" />;
}

export function SideBankHeader({ frame, compared }: SideHeaderProperties) {
  const { header, width } = frame;
  return (
    <div class="bank-header" style={{ top: `-${header.height}px`, height: `${header.height}px` }}>
      {width > 0 && <SideStrips frame={frame} compared={compared} />}
    </div>
  );
}

/** What each run predicts of a pinned instance. */
export function ComparedPredictions({ row }: { row: MatrixRow }) {
  const tab = useTab();
  const store = useSnapshot();
  const sides = tab.comparing.sides.value;
  const places: { letter: string; store: SnapshotStore; row: MatrixRow | undefined }[] = [
    { letter: "A", store, row },
    ...sides.map((side) => ({ letter: side.letter, store: side.store, row: side.store.rowOfKey(row.key) })),
  ];
  return (
    <span class="row-detail predictions-compared">
      {places.map((place) => (
        <Prediction key={place.letter} {...place} isShort={places.length > 2} />
      ))}
    </span>
  );
}

interface PredictionProperties {
  letter: string;
  store: SnapshotStore;
  row: MatrixRow | undefined;
  /** Whether a dot stands for the class, as many names have no room. */
  isShort: boolean;
}

function Prediction({ letter, store, row, isShort }: PredictionProperties) {
  const prediction = row && predictionOf(store, row);
  const colours = useClassColours();
  const predicted = prediction?.judgement.predicted ?? -1;
  const name = prediction && (store.snapshot.value?.classes[predicted] ?? "none");
  const ours = baseOf(store).snapshot.value?.classes ?? [];
  return (
    <span
      class={prediction && isError(prediction.judgement) ? "wrong" : ""}
      title={prediction && predicted < 0 ? NO_PREDICTION : (name ?? "")}
    >
      {letter} {name && predicted >= 0 && isShort ? <ClassDot colour={colours[ours.indexOf(name)]} /> : (name ?? "–")}
    </span>
  );
}

function absenceText({ kind }: MatrixRow, unlabelled: boolean): string {
  if (kind === "instance") return "not in its sample";
  if (kind === "class" && unlabelled) return "recorded without labels";
  if (kind === "all" && !unlabelled) return "recorded with labels, by class";
  return `no ${kind === "class" ? kind : "subset"} of this name`;
}

/** Says of rows without values why they have none. */
export function AbsentRows({ frame: { rows, view } }: { frame: MatrixFrame }) {
  const unlabelled = useSnapshot().snapshot.value?.unlabelled ?? false;
  return (
    <>
      {rows.map((row, position) => {
        const top = view.tops[position] ?? Number.NaN;
        if (row.kind !== "absent" || !Number.isFinite(top)) return null;
        return (
          <span key={row.key} class="absent-row" style={{ top: `${top}px` }}>
            {absenceText(row.of, unlabelled)}
          </span>
        );
      })}
    </>
  );
}
