/** Labels of a matrix's rows, with their buttons and predictions. */

import type { ComponentChildren } from "preact";
import { isError, judgementOf, judgementText } from "../../store/judgement";
import { typedStatistic } from "../../store/layer";
import type { Comparison } from "../../store/row_comparison";
import {
  blockOf,
  type InstanceRow,
  isInstance,
  isMadeHere,
  isMany,
  LIT,
  type MatrixRow,
  type OutcomeRow,
  type RecordedRow,
  type TypedRow,
} from "../../store/rows";
import { listedInstances } from "../../store/subset_from_click";
import { toggle } from "../../store/url_state";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { deferred } from "../../ui/deferred";
import { averagesText, intervalText, populationText, roughCountText, shortCountText } from "../../ui/exactness";
import { ClassDot, Icon, InstanceGlyph, SubsetGlyph } from "../../ui/glyphs";
import { leaveHover } from "../../ui/lighting";
import { Thumbnail } from "../../ui/media";
import { countText, valueText } from "../../ui/numbers";
import type { MatrixFrame } from "./matrix_context";
import type { GridFocus } from "./matrix_keyboard";
import { valueOnSide } from "./readout";
import { AccuracyCells, useAccuracyText } from "./row_accuracy";

const ComparedPredictions = deferred(async () => (await import("./side_header")).ComparedPredictions);
const GroupHeading = deferred(async () => (await import("./row_groups")).GroupHeading);

function CompareButton({ row }: { row: MatrixRow }) {
  const { comparison } = useTab();
  const marked = comparison.marked.value;
  const isMarked = marked?.key === row.key;
  const label =
    marked && !isMarked ? `Compare ${marked.name} with ${row.name}` : `Compare ${row.name} with another row`;
  const place = row.kind === "typed" || row.kind === "recorded" ? "third" : "second";
  return (
    <button
      type="button"
      tabIndex={-1}
      class={`row-action compare ${place}${isMarked ? " on" : ""}`}
      data-testid="row-compare"
      aria-pressed={isMarked}
      aria-label={label}
      title={`${label}: neurons that separate the two come first (key C)`}
      onClick={() => comparison.compare(row)}
    >
      <Icon name="compare" />
    </button>
  );
}

/** `1` and `2` at the rows that are compared. */
function comparisonSign({ compared, marked }: Comparison, row: MatrixRow): string {
  if (marked.value?.key === row.key) return "1";
  const at = marked.value ? -1 : (compared.value?.findIndex(({ key }) => key === row.key) ?? -1);
  return at < 0 ? "" : String(at + 1);
}

interface RowLabelsProperties {
  frame: MatrixFrame;
  focus: GridFocus;
}

export function RowLabels({ frame, focus }: RowLabelsProperties) {
  const { rows, names, view, layer } = frame;
  const cell = focus.cell.value;
  return (
    <div class="row-labels">
      {rows.map((row, position) => {
        const top = view.tops[position] ?? Number.NaN;
        if (!Number.isFinite(top)) return null;
        const focused = cell?.row === row.key;
        if (row.kind === "group") {
          const focusId = focused ? focus.id : null;
          return (
            <GroupHeading key={row.key} group={row} {...{ names, top, position, focusId }} height={view.rowHeight} />
          );
        }
        const name = names.get(row.key);
        return (
          <RowLabel key={row.key} {...{ row, name, top, position }} height={view.rowHeight} layer={layer.name}>
            {focused && <FocusedCell frame={frame} row={row} neuron={cell.neuron} id={focus.id} />}
          </RowLabel>
        );
      })}
    </div>
  );
}

/** The rows once more, beside a bank after the first. */
export function RowNames({ frame: { rows, names, view, layer } }: { frame: MatrixFrame }) {
  const { urlState } = useTab();
  const { hover } = useSnapshot();
  return (
    <div class="row-labels" aria-hidden="true">
      {rows.map((row, position) =>
        row.kind === "group" ? null : (
          <div
            key={row.key}
            class={`row-label ${names.has(row.key) ? "in-group " : ""}${blockOf(row)}${urlState.sort.value === row.key ? " sorted" : ""}`}
            style={{ top: `${view.tops[position]}px`, height: `${view.rowHeight}px` }}
            onPointerEnter={() => {
              hover.value = { source: "label", layer: layer.name, row };
            }}
            onPointerLeave={() => leaveHover(hover)}
          >
            <div class="row-header">
              <button
                type="button"
                tabIndex={-1}
                title={`${row.name}: click to sort the neurons by it`}
                onClick={() => {
                  urlState.sort.value = row.key;
                }}
              >
                <RowContent row={row} name={names.get(row.key) ?? row.name} sign="" />
              </button>
            </div>
          </div>
        ),
      )}
    </div>
  );
}

// Not a table's cell: the grid is virtual, and a <td> cannot stand among labels.
const gridCell = (column: number) =>
  ({ role: "gridcell", "aria-selected": true, "aria-colindex": column + 1 }) as const;

interface FocusedCellProperties {
  frame: MatrixFrame;
  row: MatrixRow;
  neuron: number;
  id: string;
}

/** The one cell that assistive technology is told of: the focused one. The readout speaks more of it. */
function FocusedCell({ frame, row, neuron, id }: FocusedCellProperties) {
  const { layer } = frame;
  const value = frame.valuesOf(row)?.[neuron];
  const { comparing } = useTab();
  const { answerOf } = useSnapshot();
  const drawn = answerOf(row)?.value?.drawn ?? 0;
  const sure = intervalText(typedStatistic(layer.typedMeans, row), neuron, drawn);
  const others = comparing.sides.value.map((side) => {
    const there = valueOnSide(side, frame, neuron, row);
    return `; ${side.letter}: ${there === undefined ? "no value" : valueText(there)}`;
  });
  return (
    <span id={id} class="unseen" {...gridCell(frame.order?.indexOf(neuron) ?? -1)}>
      {row.name}, neuron {neuron}: {value === undefined ? "no value" : valueText(value)}
      {sure && `, ${sure}`}
      {others.join("")}
    </span>
  );
}

interface RowLabelProperties {
  row: MatrixRow;
  /** What it is called below a heading that says the rest. */
  name?: string | undefined;
  top: number;
  height: number;
  layer: string;
  /** Among the rows of the grid; none for the temporary row. */
  position?: number;
  children?: ComponentChildren;
}

export function RowLabel({ row, name, top, height, layer, position, children }: RowLabelProperties) {
  const { urlState, comparison, pointing } = useTab();
  const { hover, columns } = useSnapshot();
  const titleOf = useTitle(layer);
  const accuracy = useAccuracyText(row);
  const sorted = urlState.sort.value === row.key;
  const locked = urlState.locked.value === row.key;
  const inGrid = position !== undefined;
  const sign = sorted ? "▼" : comparisonSign(comparison, row);
  return (
    <div
      class={`row-label ${inGrid ? blockOf(row) : `temporary${row.key.startsWith(LIT) ? " lit" : ""}`}${sorted ? " sorted" : ""}${sign === "" ? "" : " signed"}${locked ? " locked" : ""}${name === undefined ? "" : " in-group"}`}
      style={{ top: `${top}px`, height: `${height}px` }}
      {...(inGrid && { role: "row", "aria-rowindex": position + 1 })}
      onPointerEnter={() => {
        if (inGrid) hover.value = { source: "label", layer, row };
      }}
      onPointerLeave={() => {
        if (inGrid) leaveHover(hover);
      }}
    >
      <div class="row-header" {...(inGrid && { role: "rowheader" })}>
        <button
          type="button"
          tabIndex={-1}
          data-testid="row-label"
          data-row={isInstance(row) ? row.id : row.name}
          data-kind={blockOf(row)}
          title={titleOf(row, accuracy)}
          onClick={() => {
            if (!row.key.startsWith(LIT)) urlState.sort.value = row.key;
            else if (row.kind === "typed") pointing.point(row);
            else if (row.kind === "found" && columns.value)
              pointing.point(listedInstances(row.name, columns.value, row.members));
          }}
        >
          <RowContent row={row} name={name ?? row.name} sign={sign} />
        </button>
        {row.kind === "instance" && <UnpinButton row={row} />}
        {isMany(row) && row.kind !== "found" && <LockButton row={row} locked={locked} />}
        {inGrid && row.kind !== "outcome" && row.kind !== "word" && <CompareButton row={row} />}
        {inGrid && (isMadeHere(row) || row.kind === "recorded") && <RemoveButton row={row} />}
      </div>
      {children}
    </div>
  );
}

function UnpinButton({ row }: { row: InstanceRow }) {
  const { hover, togglePin } = useSnapshot();
  return (
    <button
      type="button"
      tabIndex={-1}
      class="row-action"
      aria-label={`Unpin ${row.name}`}
      onClick={() => {
        hover.value = null;
        togglePin(row.sampled);
      }}
    >
      <Icon name="close" />
    </button>
  );
}

/** Says of a row what its numbers hold for. */
function useTitle(layer: string): (row: MatrixRow, accuracy: string) => string {
  const { comparing } = useTab();
  const { answerOf, layers, snapshot } = useSnapshot();
  return (row, accuracy) => {
    const click = row.key.startsWith(LIT) ? "click to keep it as a row" : "click to sort the neurons by it";
    const linesOf = (...lines: string[]) => [...lines, accuracy, click].filter((line) => line !== "").join("\n");
    if (row.kind === "outcome") return linesOf(comparing.titleOf(row));
    if (isInstance(row) || row.kind === "absent") return linesOf(row.name);
    if (row.kind === "word")
      return linesOf(row.place, row.count === null ? `“${row.name}”` : seenText(row.name, row.count));
    if (row.kind === "found") {
      return linesOf(
        `${row.name}: averages over the ${countText(row.members.length)} found among the instances kept here`,
      );
    }
    if (row.kind !== "typed") return linesOf(row.name, `exact over all ${countText(snapshot.value?.instances ?? 0)}`);
    const state = answerOf(row);
    const opened = layers.value.find((one) => one.name === layer);
    const means = opened && typedStatistic(opened.typedMeans, row);
    return linesOf(
      row.condition === row.name ? row.name : `${row.name}: ${row.condition}`,
      state?.status === "error" ? state.message : "",
      state?.value ? populationText(state.value) : "",
      averagesText(means, state?.value?.drawn),
    );
  };
}

const seenText = (word: string, count: number) => `“${word}”: at ${countText(count)} positions of all instances`;

/** Takes away what was made here, and hides what was recorded. */
function RemoveButton({ row }: { row: TypedRow | OutcomeRow | RecordedRow }) {
  const { comparing, subsets, urlState } = useTab();
  const { hover } = useSnapshot();
  const isMade = isMadeHere(row);
  return (
    <button
      type="button"
      tabIndex={-1}
      class="row-action second"
      data-testid={isMade ? "row-remove" : "row-hide"}
      aria-label={`${isMade ? "Remove" : "Hide"} ${row.name}`}
      title={isMade ? "Remove it" : "Hide it"}
      onClick={() => {
        hover.value = null;
        if (!isMadeHere(row)) toggle(urlState.hidden, row.key);
        else if (row.kind === "outcome") comparing.removeOutcome(row.key);
        else subsets.remove(row.name);
      }}
    >
      <Icon name="close" />
    </button>
  );
}

function LockButton({ row, locked }: { row: MatrixRow; locked: boolean }) {
  const { toggleLock } = useTab();
  return (
    <button
      type="button"
      tabIndex={-1}
      class={locked ? "row-action on" : "row-action"}
      data-testid="row-lock"
      aria-pressed={locked}
      aria-label={`Keep ${row.name} lit`}
      title={locked ? "Stays lit; click to release it" : "Keep its instances lit"}
      onClick={() => toggleLock(row)}
    >
      <Icon name={locked ? "locked" : "unlocked"} />
    </button>
  );
}

function RowContent({ row, name, sign }: { row: MatrixRow; name: string; sign: string }) {
  const { answerOf, factsOf } = useSnapshot();
  const colours = useClassColours();
  if (isInstance(row)) return <InstanceContent row={row} colours={colours} sign={sign} />;
  const facts = factsOf(row);
  const state = answerOf(row);
  const failed = state?.status === "error";
  return (
    <>
      {row.kind === "class" ? <ClassDot colour={colours[row.subset]} /> : row.kind !== "word" && <SubsetGlyph />}
      <RowName name={name} />
      <span class="sort-sign">{sign}</span>
      <span class={failed ? "row-detail wrong" : "row-detail"} data-testid="row-size">
        {state?.value
          ? roughCountText(state.value)
          : facts
            ? shortCountText(facts.count)
            : failed
              ? "failed"
              : row.kind === "word"
                ? ""
                : "…"}
      </span>
      <AccuracyCells row={row} />
    </>
  );
}

const KEPT_END = 6;
const KEPT_VALUE = 12;
const SHORT = 14;

/** Long names are cut before their end: names that begin alike often differ there, as `education: Masters` does. */
function RowName({ name }: { name: string }) {
  const value = name.includes(": ") ? name.length - name.lastIndexOf(": ") - 2 : 0;
  const kept = Math.min(KEPT_VALUE, Math.max(KEPT_END, value));
  const cut = name.length > SHORT ? name.length - kept : name.length;
  return (
    <span class="row-name">
      <span>{name.slice(0, cut)}</span>
      {cut < name.length && <span class="name-end">{name.slice(cut)}</span>}
    </span>
  );
}

interface InstanceContentProperties {
  row: InstanceRow;
  colours: readonly string[];
  sign: string;
}

function InstanceContent({ row, colours, sign }: InstanceContentProperties) {
  const { comparing } = useTab();
  const { instances, snapshot } = useSnapshot();
  const columns = instances.state.value.value;
  const classes = snapshot.value?.classes ?? [];
  const judgement = columns && judgementOf(columns, row.sampled);
  return (
    <>
      {judgement && <InstanceGlyph judgement={judgement} colours={colours} />}
      <Thumbnail row={row.sampled} />
      <RowName name={row.name} />
      <span class="sort-sign">{sign}</span>
      {comparing.active.value ? (
        <ComparedPredictions row={row} />
      ) : (
        <span class={judgement && isError(judgement) ? "row-detail wrong" : "row-detail"}>
          {judgement && judgementText(judgement, classes)}
        </span>
      )}
    </>
  );
}
