/** Above another snapshot's matrix: how its columns were found, the scale, and how alike each is to the base's. */
import { drawCorrelations } from "../../draw/matrix_header";
import { drawHeadings, FONT } from "../../draw/matrix_text";
import { differenceColours } from "../../draw/palette";
import { type ColumnMatching, type ComparedLayer, WEAK } from "../../store/compared_layer";
import { usePalette, useStore } from "../../ui/context";
import { correlationText, countText, valueText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import type { MatrixFrame } from "./frame";
import { roomOf } from "./readout";
import { Followed } from "./row_path";
import { ScaleLegend } from "./scale_legend";

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
          <Strips frame={frame} compared={compared} />
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
        {matching.method === "best" &&
          Number.isFinite(matching.medianByIndex) &&
          ` (index ${correlationText(matching.medianByIndex)})`}
      </span>
      <Unmatched matching={matching} total={frame.columns.total} />
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
      ? "Each neuron stands under the neuron of A that it is most like, one for one: the largest sum of Pearson's r (Hungarian)"
      : "Each neuron stands under the neuron of A of its own number";
  return `${how}, over ${countText(over)} instances in both samples. Below r ${WEAK} it is hollow and not subtracted; a neuron without a partner leaves a gap.`;
}

function Scale({ frame }: { frame: MatrixFrame }) {
  const palette = usePalette();
  const { ramp } = frame;
  if (!ramp) return null;
  if (!frame.isDifference) return <ScaleLegend scale={ramp} />;
  const end = valueText(ramp.max);
  return (
    <span
      class="scale"
      data-testid="difference-scale"
      title="Blue: A is higher, orange: the other. One scale for every row of this panel: the 99th percentile of the class means' differences, rounded up"
    >
      −{end}
      <i style={{ background: `linear-gradient(to right, ${differenceColours(palette).join(", ")})` }} />+{end}
    </span>
  );
}

function Strips({ frame, compared }: SideHeaderProperties) {
  const { base, catalogue } = useStore();
  const palette = usePalette();
  const { columns, header, order, output, width, isDifference } = frame;
  const matching = compared.matching.value;
  const before = base?.catalogue.snapshot.value;
  const classes = before?.classes ?? [];
  const labelled = !catalogue.snapshot.value?.unlabelled && !(isDifference && before?.unlabelled);
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
