/** Readout of a matrix: the hovered cell, in every compared run, and the path of the followed row. */

import { useComputed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { type ColumnMatching, WEAK } from "../../store/compared_layer";
import type { Hover } from "../../store/hover";
import { activeShares, type LayerStore, relativeOf, rowValues, typedStatistic } from "../../store/layer";
import { sliceRow } from "../../store/numbers";
import type { Difference } from "../../store/row_comparison";
import { followedRow, likest, type RowPath, rowPath } from "../../store/row_path";
import { isMany, type MatrixRow } from "../../store/rows";
import type { Side } from "../../store/side";
import { baseOf, type SnapshotStore } from "../../store/snapshot";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { averagesText, intervalText, shareText } from "../../ui/exactness";
import { ClassDot } from "../../ui/glyphs";
import { correlationText, countText, percentText, valueText } from "../../ui/numbers";
import type { MatrixFrame } from "./matrix_context";

function comparedText(
  sides: readonly Side[],
  frame: MatrixFrame,
  neuron: number,
  row: MatrixRow | undefined,
): ComponentChildren {
  const partners = sides.map((side) => partnerText(side, frame, neuron));
  const values = [row && frame.valuesOf(row)?.[neuron], ...sides.map((side) => valueOnSide(side, frame, neuron, row))];
  const letters = ["A", ...sides.map(({ letter }) => letter)];
  return (
    <>
      <b>neuron {[`${neuron} in A`, ...partners.filter((text) => text !== "")].join(", ")}</b>
      {row && `; ${row.name} ${values.map((value, side) => `${shown(value)} in ${letters[side]}`).join(", ")}`}
    </>
  );
}

const shown = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "–" : valueText(value);

function partnerText(side: Side, { layer }: MatrixFrame, neuron: number): string {
  const matching = side.layers.value.get(layer.name)?.matching.value;
  if (!matching) return "";
  const partner = matching.partners[neuron] ?? -1;
  return `${partner < 0 ? "none" : partner} in ${side.letter}${partner < 0 ? "" : likeness(matching, neuron)}`;
}

function likeness({ correlations, weak }: ColumnMatching, neuron: number): string {
  const r = correlations?.[neuron] ?? Number.NaN;
  if (Number.isNaN(r)) return "";
  return ` (r ${correlationText(r)}${weak[neuron] === 1 ? `, weak: below ${WEAK}` : ""})`;
}

/** Of the base's row on another side, under the base's neuron. */
export function valueOnSide(
  side: Side,
  { layer }: MatrixFrame,
  neuron: number,
  row: MatrixRow | undefined,
): number | undefined {
  const there = side.store.rowOfKey(row?.key);
  return there ? side.layers.value.get(layer.name)?.valuesOf(there)?.[neuron] : undefined;
}

/** Takes the place of what stands there otherwise while a row is hovered or lit. */
export function Followed({ frame, children }: { frame: MatrixFrame; children: ComponentChildren }) {
  const store = useSnapshot();
  const { layer } = frame;
  const row = followedRow(store);
  const path = row && rowPath(store, layer, row);
  return <>{path ? <RowPathLine layer={layer} row={row} path={path} isPrinted={frame.columns.printed} /> : children}</>;
}

interface RowPathLineProperties {
  layer: LayerStore;
  row: MatrixRow;
  path: RowPath;
  /** Whether the values stand below as numbers. */
  isPrinted: boolean;
}

function RowPathLine({ layer, row, path, isPrinted }: RowPathLineProperties) {
  const store = useSnapshot();
  const colours = useClassColours();
  const names = store.snapshot.value?.classes ?? [];
  const [first, second] = path.nearest;
  const before = turned(store, layer, row, first);
  const colourOf = (label: number) => colours[baseClasses(store).indexOf(names[label] ?? "")] ?? colours[label];
  return (
    <span
      class={isPrinted ? "row-path over-titles" : "row-path"}
      data-testid="row-path"
      data-nearest={first === undefined ? "" : names[first]}
      data-likeness={first === undefined ? "" : path.likeness[first]}
      title={titleOf(row, path, names)}
    >
      {path.shares && (
        <span>
          instances{" "}
          <i class="path-bar" data-testid="path-bar" aria-hidden="true">
            {[...path.shares].flatMap((share, label) =>
              share > 0 ? <i key={names[label]} style={{ flexGrow: share, background: colourOf(label) }} /> : [],
            )}
          </i>
          ; mean{" "}
        </span>
      )}
      {first === undefined ? (
        <span>{row.name} is like no class</span>
      ) : (
        <>
          <span>
            {row.kind === "class" ? "next most like " : "most like "}
            <ClassDot colour={colourOf(first)} /> <b>{names[first]}</b> {likenessText(path, first)}
          </span>
          {before !== null && <b class="turned">, no longer {names[before]}</b>}
          {second !== undefined && (
            <span>
              , then {names[second]} {likenessText(path, second)}
            </span>
          )}
        </>
      )}
      {!isPrinted && path.strongest.length > 0 && (
        <span>
          ; strongest {path.strongest.length === 1 ? "neuron" : "neurons"} {path.strongest.join(", ")}
        </span>
      )}
    </span>
  );
}

/** Colours are the base's. */
const baseClasses = (store: SnapshotStore): readonly string[] => baseOf(store).snapshot.value?.classes ?? [];

const likenessText = ({ likeness }: RowPath, label: number): string =>
  `(${correlationText(likeness[label] ?? Number.NaN)})`;

/** The class that the row was like in the panel above, where that is another one; else null. */
function turned(store: SnapshotStore, layer: LayerStore, row: MatrixRow, nearest: number | undefined): number | null {
  // How far other classes are from one is much the same for all of them.
  if (row.kind === "class") return null;
  const layers = store.layers.value;
  const above = layers[layers.findIndex(({ name }) => name === layer.name) - 1];
  const before = above && rowPath(store, above, row)?.nearest[0];
  return before === undefined || before === nearest ? null : before;
}

const LIKE =
  "Likeness: the cosine of the row's mean and a class's mean, both less the average of the class means; 1 is the same direction, 0 none. No longer: the class that it is like in the panel above.";

/** Of more classes, so many are told: those that the row is most like. */
const MOST_TOLD = 12;

/** What a row is like, class by class. */
export function likenessList(likeness: Float64Array, names: readonly string[]): string {
  const isTold = likeness.length <= MOST_TOLD;
  const told = isTold ? [...likeness.keys()] : likest(likeness, MOST_TOLD);
  const rest = isTold ? "" : `; ${countText(likeness.length - told.length)} others are less like it`;
  return `${told.map((label) => `${names[label]} ${correlationText(at(likeness, label))}`).join(", ")}${rest}`;
}

const at = (likeness: Float64Array, label: number): number => likeness[label] ?? Number.NaN;

function titleOf(
  row: MatrixRow,
  { shares, over, likeness, strongest: neurons }: RowPath,
  names: readonly string[],
): string {
  const split = [...(shares ?? [])].flatMap((share, label) =>
    share > 0 ? `${percentText(share)} ${names[label]}` : [],
  );
  const counted =
    shares && isMany(row)
      ? `Bar: of its sampled instances (${countText(over)}), the class each is most like: ${split.join(", ")}.`
      : "";
  const strongest = neurons.length > 0 ? `Strongest neurons: ${neurons.join(", ")}.` : "";
  return [`${row.name} in this layer: ${likenessList(likeness, names)}.`, counted, strongest, LIKE]
    .filter((line) => line !== "")
    .join("\n");
}

export function Readout({ frame, resting }: { frame: MatrixFrame; resting: ComponentChildren }) {
  const { comparing } = useTab();
  const store = useSnapshot();
  const { name } = frame.layer;
  const inside = useComputed(() => {
    const hover = store.hover.value;
    return hover?.layer === name && hover.source === "matrix" && hover.neuron !== undefined ? hover : null;
  }).value;
  const textOf = ({ neuron = 0, row }: Hover) =>
    comparing.active.value
      ? comparedText(comparing.sides.value, frame, neuron, row)
      : cellText(store, frame, neuron, row);
  return (
    <p
      class={inside ? "readout active" : "readout"}
      style={inside ? {} : roomOf(frame)}
      data-testid="readout"
      aria-live={inside ? "polite" : "off"}
    >
      {inside ? textOf(inside) : <Followed frame={frame}>{resting}</Followed>}
    </p>
  );
}

/** Where values are printed, no scale stands beside it, but maybe a table of counts. */
export function roomOf({ columns, output, isDifference }: MatrixFrame): { "--room"?: string } {
  if (isDifference && !columns.printed) return { "--room": "calc(100% - 190px)" };
  if (!columns.printed || isDifference) return {};
  return { "--room": output && output.predictedPitch > 0 ? `${output.predictedLeft - 8}px` : "100%" };
}

function cellText(
  store: SnapshotStore,
  { layer }: MatrixFrame,
  neuron: number,
  row: MatrixRow | undefined,
): ComponentChildren {
  if (row?.kind === "word") {
    return (
      <>
        <b>
          neuron {neuron} · {row.name} {row.place === "" && "mean "}
          {missingOr(row.values[neuron])}
        </b>
        {row.place !== "" && ` · ${row.place}`}
        {row.count !== null && ` · seen ${countText(row.count)}`}
      </>
    );
  }
  const classes = store.snapshot.value?.classes ?? [];
  const strongest = layer.strongest.value?.[neuron] ?? -1;
  const peak = sliceRow(layer.mean.state.value.value, strongest)?.[neuron];
  const broken = layer.nonfiniteCounts.value?.[neuron] ?? 0;
  const facts: string[] = [];
  const value = row && (rowValues(layer, row)?.[neuron] ?? Number.NaN);
  const means = typedStatistic(layer.typedMeans, row);
  const drawn = store.answerOf(row)?.value?.drawn ?? 0;
  const relative = row && layer.isRelative.value ? relativeText(relativeOf(layer, row)?.[neuron]) : "";
  if (relative !== "") facts.push(relative);
  const separation = differenceText(layer.difference.value, neuron);
  if (separation !== "") facts.push(separation);
  if (means) facts.push(intervalText(means, neuron, drawn) || averagesText(means) || "exact");
  if (row && isMany(row) && !layer.entry.value?.signed) {
    const share = activeShares(layer, row)?.[neuron];
    const typed = typedStatistic(layer.typedActive, row);
    if (share !== undefined && Number.isFinite(share)) facts.push(`active in ${shareText(share, typed, neuron)}`);
  }
  if (store.snapshot.value?.unlabelled) facts.push(...(layer.dead.value?.[neuron] === 1 ? ["never active"] : []));
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

/** `0.82 sd above the mean over all`. */
function relativeText(value = Number.NaN): string {
  if (!Number.isFinite(value)) return "too close to the mean over all to say by how many sd";
  if (value === 0) return "as the mean over all";
  return `${Math.abs(value).toFixed(2)} sd ${value > 0 ? "above" : "below"} the mean over all`;
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
