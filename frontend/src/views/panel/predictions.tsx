/** Table of predictions beside an output layer, as buttons over its picture: a cell or a heading makes a subset. */
import { useComputed } from "@preact/signals";
import type { SnapshotEntry, SubsetDescription } from "../../contract/activis";
import type { OutputLayout } from "../../draw/matrix_text";
import { NO_PREDICTION, predictedNames } from "../../store/judgement";
import { isMany } from "../../store/rows";
import { cellOf, conditionOf, predictedAs } from "../../store/subset_from_click";
import type { NamedCondition } from "../../store/subset_list";
import { useSnapshot, useTab } from "../../ui/context";
import { useLighting } from "../../ui/lighting";
import { countText } from "../../ui/numbers";
import type { MatrixFrame } from "./matrix_context";

export function Predictions({ frame }: { frame: MatrixFrame }) {
  const store = useSnapshot();
  const { header, view, output: place } = frame;
  const snapshot = store.snapshot.value;
  if (!place || place.predictedPitch === 0) return null;
  return (
    <fieldset
      class="predictions"
      aria-label="Predicted as: subsets of the instances in a cell"
      style={{ height: `${header.height + view.height}px` }}
      onKeyDown={moveAmongCells}
    >
      {predictedNames(snapshot).map((name, label) => (
        <Cell
          key={`${label} ${name}`}
          {...{ place, label }}
          row={-1}
          top={HEADING_TOP}
          title={`Make a subset of the instances ${predictionPhrase(snapshot, label)}`}
          made={predictedAs(snapshot?.classes[label] ?? null)}
        />
      ))}
      {frame.rows.map((row, position) => (
        <RowCells key={row.key} {...{ frame, place, position }} />
      ))}
      <OutlinedCell frame={frame} place={place} />
    </fieldset>
  );
}

interface OutlinedCellProperties {
  frame: MatrixFrame;
  place: OutputLayout;
}

/** Around the cell of the instances that the sentence is about, while none are lit. */
function OutlinedCell({ frame: { rows, view, header }, place }: OutlinedCellProperties) {
  const { reported } = useTab();
  const { beside, litMask, snapshot } = useSnapshot();
  const confusion = useComputed(() => (litMask.value === null ? reported.value?.confusion : null)).value;
  if (!confusion || beside) return null;
  const position = rows.findIndex((row) => row.kind === "class" && row.subset === confusion.label);
  const top = view.tops[position] ?? Number.NaN;
  if (!Number.isFinite(top)) return null;
  const column = confusion.predicted ?? snapshot.value?.classes.length ?? 0;
  return (
    <i
      class="outlined-cell"
      data-testid="outlined-cell"
      data-row={position}
      data-label={column}
      aria-hidden="true"
      style={{
        left: `${place.predictedLeft + column * place.predictedPitch}px`,
        top: `${header.height + top}px`,
        width: `${place.predictedPitch - 2}px`,
        height: `${place.rowHeight}px`,
      }}
    />
  );
}

/** `predicted NUM`, or for the last column `with no prediction`. */
function predictionPhrase(snapshot: SnapshotEntry | null, label: number): string {
  const name = snapshot?.classes[label];
  return name === undefined ? `with ${NO_PREDICTION}` : `predicted ${name}`;
}

const HEADING_TOP = 19;
const HEADING_HEIGHT = 15;

interface RowCellsProperties {
  frame: MatrixFrame;
  place: OutputLayout;
  position: number;
}

function RowCells({ frame: { rows, view, header }, place, position }: RowCellsProperties) {
  const store = useSnapshot();
  const { answerOf, factsOf } = store;
  const snapshot = store.snapshot.value;
  const row = rows[position];
  const top = view.tops[position] ?? Number.NaN;
  if (!snapshot || !row || !isMany(row) || !Number.isFinite(top)) return null;
  const subset = conditionOf(row, snapshot);
  const facts = factsOf(row);
  if (!(subset || row.kind === "all") || !facts) return null;
  const answer = answerOf(row)?.value;
  return (
    <>
      {[...facts.predicted_counts, facts.without_prediction].map((count, label) => {
        const name = snapshot.classes[label] ?? null;
        if (count === 0) return null;
        return (
          <Cell
            key={name}
            {...{ place, label }}
            row={position}
            top={header.height + top}
            title={`${row.name}, ${predictionPhrase(snapshot, label)}: make a subset of these ${cellCount(count, answer, label)}`}
            made={subset ? cellOf(subset, name) : predictedAs(name)}
          />
        );
      })}
    </>
  );
}

/** `205`, or `about 130 (64 to 205)`. */
function cellCount(count: number, answer: SubsetDescription | undefined, label: number): string {
  const [low, high] = [answer?.predicted_low[label] ?? count, answer?.predicted_high[label] ?? count];
  return low === high ? countText(count) : `about ${countText(count)} (${countText(low)} to ${countText(high)})`;
}

interface CellProperties {
  place: OutputLayout;
  label: number;
  /** Position of the row; -1 for the headings. */
  row: number;
  top: number;
  title: string;
  /** The subset that a click makes, and the pointer lights. */
  made: NamedCondition;
}

/** The first heading is the stop of the Tab key; from there arrows lead on. */
function Cell({ place, label, row, top, title, made }: CellProperties) {
  const { pointing } = useTab();
  const lighting = useLighting();
  const left = place.predictedLeft + label * place.predictedPitch;
  return (
    <button
      type="button"
      class="prediction"
      data-testid="prediction"
      data-row={row}
      data-label={label}
      tabIndex={row < 0 && label === 0 ? 0 : -1}
      title={title}
      aria-label={title}
      style={{
        left: `${left}px`,
        top: `${top}px`,
        width: `${place.predictedPitch - 2}px`,
        height: `${row < 0 ? HEADING_HEIGHT : place.rowHeight}px`,
      }}
      {...lighting(made)}
      onClick={() => pointing.point(made)}
    />
  );
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Moves the focus to the nearest cell in the direction of an arrow key. */
function moveAmongCells(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const [down, right] = STEPS[event.key] ?? [0, 0];
  const from = placeOf(event.target as HTMLElement);
  if (down === 0 && right === 0) return;
  event.preventDefault();
  const distance = (cell: HTMLElement) => {
    const to = placeOf(cell);
    const [along, across] =
      down !== 0
        ? [(to.row - from.row) * down, to.label - from.label]
        : [(to.label - from.label) * right, to.row - from.row];
    return along > 0 && (across === 0 || down !== 0) ? along * 100 + Math.abs(across) : Number.POSITIVE_INFINITY;
  };
  const cells = [...event.currentTarget.querySelectorAll<HTMLElement>(".prediction")];
  const nearest = cells.reduce<HTMLElement | null>(
    (best, cell) => (distance(cell) < (best ? distance(best) : Number.POSITIVE_INFINITY) ? cell : best),
    null,
  );
  nearest?.focus();
}

const placeOf = ({ dataset }: HTMLElement) => ({ row: Number(dataset.row), label: Number(dataset.label) });
