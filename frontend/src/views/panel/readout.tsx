/** One line that says what the pointer is on; it takes the place of the line that stands there otherwise. */

import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { activeShares, rowValues } from "../../store/layer";
import { sliceRow } from "../../store/numbers";
import type { Difference } from "../../store/row_comparison";
import { isMany, type MatrixRow } from "../../store/rows";
import type { Store } from "../../store/store";
import { useStore } from "../../ui/context";
import { averagesText, intervalText, shareText } from "../../ui/exactness";
import { countText, valueText } from "../../ui/numbers";
import { comparedText } from "./compared_text";
import type { MatrixFrame } from "./frame";
import { Followed } from "./row_path";

export function Readout({ frame, resting }: { frame: MatrixFrame; resting: ComponentChildren }) {
  const store = useStore();
  const { name } = frame.layer;
  const inside = useComputed(() => {
    const hover = store.hover.value;
    return hover?.layer === name && hover.source === "matrix" && hover.neuron !== undefined ? hover : null;
  }).value;
  return (
    <p
      class={inside ? "readout active" : "readout"}
      style={inside ? {} : roomOf(frame)}
      data-testid="readout"
      aria-live={inside ? "polite" : "off"}
    >
      {inside ? textOf(store, frame, inside.neuron ?? 0, inside.row) : <Followed frame={frame}>{resting}</Followed>}
    </p>
  );
}

/** Where values are printed, no scale stands beside it, but maybe a table of counts. */
export function roomOf({ columns, output, isDifference }: MatrixFrame): { maxWidth?: string } {
  if (!columns.printed || isDifference) return {};
  return { maxWidth: output && output.predictedPitch > 0 ? `${output.predictedLeft - 8}px` : "100%" };
}

function textOf(store: Store, frame: MatrixFrame, neuron: number, row: MatrixRow | undefined): ComponentChildren {
  return store.comparing.active.value ? comparedText(store, frame, neuron, row) : cellText(store, frame, neuron, row);
}

function cellText(store: Store, { layer }: MatrixFrame, neuron: number, row: MatrixRow | undefined): ComponentChildren {
  const classes = store.catalogue.snapshot.value?.classes ?? [];
  const strongest = layer.strongest.value?.[neuron] ?? -1;
  const peak = sliceRow(layer.mean.state.value.value, strongest)?.[neuron];
  const broken = layer.nonfiniteCounts.value?.[neuron] ?? 0;
  const facts: string[] = [];
  const value = row && (rowValues(layer, row)?.[neuron] ?? Number.NaN);
  const condition = row?.condition ?? "";
  const means = layer.typedMeans.states.value.get(condition)?.value;
  const drawn = store.subsets.answers.value.get(condition)?.value?.drawn ?? 0;
  const separation = differenceText(layer.difference.value, neuron);
  if (separation !== "") facts.push(separation);
  if (means) facts.push(intervalText(means, neuron, drawn) || averagesText(means) || "exact");
  if (row && isMany(row) && !layer.entry.value?.signed) {
    const share = activeShares(layer, row)?.[neuron];
    const typed = layer.typedActive.states.value.get(condition)?.value;
    if (share !== undefined && Number.isFinite(share)) facts.push(`active in ${shareText(share, typed, neuron)}`);
  }
  if (store.catalogue.snapshot.value?.unlabelled)
    facts.push(...(layer.dead.value?.[neuron] === 1 ? ["never active"] : []));
  else if (strongest >= 0 && peak !== undefined) facts.push(`strongest class ${classes[strongest]} ${valueText(peak)}`);
  else facts.push(layer.dead.value?.[neuron] === 1 ? "never active" : "no class above zero");
  if (broken > 0) facts.push(`${countText(broken)} non-finite ${broken === 1 ? "value" : "values"} left out`);
  return (
    <>
      <b>
        neuron {neuron}
        {row && ` · ${row.name} ${isMany(row) ? "mean " : ""}${missingOr(value)}`}
      </b>
      {facts.map((fact) => ` · ${fact}`)}
    </>
  );
}

/** `d = 1.84 ± 0.21`: the standardised difference of the compared rows and its standard error. */
function differenceText(difference: Difference | null, neuron: number): string {
  const value = difference?.values[neuron];
  if (!difference || value === undefined || Number.isNaN(value)) return "";
  const sign = value < 0 ? "−" : "";
  const number = Number.isFinite(value) ? `${sign}${Math.abs(value).toFixed(2)}` : `${sign}∞ (neither varies)`;
  const error = difference.errors?.[neuron] ?? Number.NaN;
  const margin = Number.isFinite(error) ? ` ± ${error.toFixed(2)}` : difference.errors ? ", its error unknown" : "";
  return `${difference.measure} = ${number}${Number.isFinite(value) ? margin : ""}`;
}

const missingOr = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? "has no finite value" : valueText(value);
