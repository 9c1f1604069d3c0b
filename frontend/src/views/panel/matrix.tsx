/**
 * Matrix of a layer: rows of classes, subsets and instances; columns of neurons; the base's and those of the sides.
 *
 * What hovering adds under its cells, bands of the hovered and the locked row and the cell's column, are boxes that are
 * moved, so that hovering neither renders a component nor paints a canvas.
 */

import { effect } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawBand, drawCells } from "../../draw/matrix";
import { type ColumnLayout, scrollToRow, TEMPORARY_GAP } from "../../draw/matrix_layout";
import { drawOutput, drawValues } from "../../draw/matrix_text";
import type { ComparedLayer } from "../../store/compared_layer";
import { typedStatistic } from "../../store/layer";
import { blockOf, isMany, type MatrixRow, newestRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { keyedNeuron } from "../../store/url_state";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { countedText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import { Cells, fewSampled } from "./cells";
import { bankFrames, bankOf, type MatrixFrame, type PlacedMatrix, useSideFrame } from "./matrix_context";
import { BankHeader, MatrixHeader } from "./matrix_header";
import { FocusRing, useGridKeys } from "./matrix_keyboard";
import { printedRow } from "./matrix_text";
import { RowLabel, RowLabels, RowNames } from "./row_labels";

/** Buttons over what is drawn: they may follow it. */
const SideHeader = deferred(async () => (await import("./side_header")).SideHeader);
const SideBankHeader = deferred(async () => (await import("./side_header")).SideBankHeader);
const AbsentRows = deferred(async () => (await import("./side_header")).AbsentRows);
const Predictions = deferred(async () => (await import("./predictions")).Predictions);

/**
 * Scrolls a row that is added into sight, and again while the room changes that its own name takes, until the user scrolls.
 *
 * @param show Scrolls a row into sight.
 */
function useNewRowInSight(shown: readonly MatrixRow[], grid: Box, show: (position: number) => void): void {
  const rows = useSnapshot().rows.value;
  const before = useRef(rows);
  const kept = useRef<{ key: string; scrollTop: number } | null>(null);
  useLayoutEffect(() => {
    const newest = rows[newestRow(before.current, rows)];
    before.current = rows;
    const scrollTop = () => grid.current?.scrollTop ?? 0;
    const wanted = newest ? { key: newest.key, scrollTop: scrollTop() } : kept.current;
    if (!wanted) return;
    const { key } = wanted;
    const position = wanted.scrollTop === scrollTop() ? shown.findIndex((row) => row.key === key) : -1;
    if (position >= 0) show(position);
    kept.current = position >= 0 ? { key, scrollTop: scrollTop() } : null;
  });
}

/** There are more words than are in sight, and one is chosen among the dots and in a link, too. */
function useSortingWordInSight(shown: readonly MatrixRow[], show: (position: number) => void): void {
  const sort = useTab().urlState.sort.value;
  const position = shown.findIndex((row) => row.kind === "word" && row.key === sort);
  useLayoutEffect(() => {
    if (position >= 0) show(position);
  }, [position]);
}

function HoverCells({ frame }: { frame: MatrixFrame }) {
  const tab = useTab();
  const store = useSnapshot();
  const band = useRef<HTMLElement>(null);
  const lock = useRef<HTMLElement>(null);
  const column = useRef<HTMLElement>(null);
  const cell = useRef<HTMLElement>(null);
  const chosen = useRef<HTMLElement>(null);
  useLayoutEffect(
    () =>
      effect(() => {
        const hovered = store.rowKey.value;
        moveRow(band, frame, hovered);
        moveRow(lock, frame, tab.urlState.locked.value === hovered ? null : tab.urlState.locked.value);
      }),
    [store, frame],
  );
  useLayoutEffect(() => effect(() => moveColumn(column, cell, frame, store)), [store, frame]);
  useLayoutEffect(() => effect(() => moveChosen(chosen, frame, tab.urlState.neuron.value)), [frame]);
  const { pitch, rowHeight } = frame.columns;
  const height = `${rowHeight}px`;
  return (
    <>
      <i ref={lock} class="band" style={{ height }} />
      <i ref={band} class="band" data-testid="hovered-row" style={{ height }} />
      <div class="hover-area" style={{ width: `${frame.width}px` }}>
        <i ref={column} class="column-band" style={{ width: `${pitch}px` }} />
        <i ref={chosen} class="column-band chosen" style={{ width: `${pitch}px` }} />
        <i ref={cell} class="cell-frame" style={{ width: `${cellWidth(frame.columns)}px`, height }} />
      </div>
    </>
  );
}

const cellWidth = ({ pitch }: ColumnLayout): number => Math.max(pitch, 9);

type Box = RefObject<HTMLElement | null>;

function moveRow(box: Box, { rows, view }: MatrixFrame, key: string | null): void {
  const top = view.tops[rows.findIndex((row) => row.key === key)] ?? Number.NaN;
  move(box, Number.isFinite(top), `translateY(${top}px)`);
}

/** Of a neuron, -1 or undefined for none. */
function columnPlace({ columns, order }: MatrixFrame, neuron = -1) {
  const position = order?.indexOf(neuron) ?? -1;
  const visible = position >= columns.first && position < columns.first + columns.visible;
  return { x: (position - columns.first) * columns.pitch, visible };
}

function moveChosen(column: Box, frame: MatrixFrame, key: string): void {
  const chosen = keyedNeuron(key);
  const { x, visible } = columnPlace(frame, chosen?.layer === frame.layer.name ? chosen.neuron : undefined);
  move(column, visible, `translateX(${x}px)`);
}

function moveColumn(column: Box, cell: Box, frame: MatrixFrame, store: SnapshotStore): void {
  const { layer, rows, view, columns } = frame;
  const hover = store.hover.value;
  const { x, visible } = columnPlace(frame, hover?.layer === layer.name ? hover.neuron : undefined);
  const top = visible ? (view.tops[rows.findIndex((row) => row.key === hover?.row?.key)] ?? Number.NaN) : Number.NaN;
  move(column, visible, `translateX(${x}px)`);
  move(cell, Number.isFinite(top), `translate(${x + (columns.pitch - cellWidth(columns)) / 2}px, ${top}px)`);
}

const OUT_OF_SIGHT = "translateY(-9999px)";

const places = new WeakMap<HTMLElement, string>();

function move({ current: element }: Box, shown: boolean, transform: string): void {
  // Out of sight rather than hidden: moving is all that the compositor can do without painting again.
  const place = shown ? transform : OUT_OF_SIGHT;
  if (!element || places.get(element) === place) return;
  element.style.transform = place;
  places.set(element, place);
}

const temporaryPlace = ({ view }: MatrixFrame) => ({ height: `${view.rowHeight}px`, marginTop: `${TEMPORARY_GAP}px` });

function TemporaryRow({ frame }: { frame: MatrixFrame }) {
  const { temporary } = useSnapshot();
  const row = temporary.value;
  return (
    <div class="temporary-row" style={temporaryPlace(frame)}>
      {row && (
        <>
          <RowLabel row={row} top={0} height={frame.view.rowHeight} layer={frame.layer.name} />
          <TemporaryCells frame={frame} />
        </>
      )}
    </div>
  );
}

/** The cells alone, as a side of a comparison has them. */
function TemporaryCells({ frame }: { frame: MatrixFrame }) {
  const store = useSnapshot();
  const palette = usePalette();
  const { columns, order, width, ramp, fillings, output } = frame;
  const row = store.temporary.value;
  const values = row && row.kind !== "absent" ? frame.valuesOf(row) : null;

  const cells = {
    top: 0,
    values,
    shares: row && isMany(row) ? frame.sharesOf(row) : null,
    fillings: fillings || !row || store.beside ? null : fewSampled(typedStatistic(frame.layer.typedMeans, row)),
  };

  const draw = (context: CanvasRenderingContext2D) => {
    if (!row || row.kind === "absent" || !ramp || !order) return;
    drawBand(context, columns.rowHeight, width, palette.hover);
    drawCells(context, [cells], { order, columns, ramp, palette, width, fillings });
    if (!columns.printed) return;
    const printed = [printedRow(store, frame, row, 0)];
    drawValues(context, printed, { order, columns, max: ramp.max, palette, withSign: frame.isDifference });
    if (output) drawOutput(context, printed, output, palette);
  };
  return <Surface width={width} height={columns.rowHeight} draw={draw} aria-hidden="true" />;
}

interface SideMatrixProperties {
  compared: ComparedLayer;
  placed: PlacedMatrix;
}

export function SideMatrix({ compared, placed }: SideMatrixProperties) {
  const frame = useSideFrame(compared, placed.frame);
  const state = compared.layer.mean.state.value;
  return (
    <div class="matrix beside" data-testid="side-matrix">
      <SideHeader frame={frame} compared={compared} />
      <div
        class="beside-rows"
        style={{ height: `${frame.gridHeight}px` }}
        onWheel={(event) => {
          if (event.shiftKey) return;
          const { current: rows } = placed.grid;
          const before = rows?.scrollTop;
          rows?.scrollBy({ top: event.deltaY });
          if (rows?.scrollTop !== before) event.preventDefault();
        }}
      >
        {bankFrames(frame).map((bank) => (
          <Bank
            key={bank.bank}
            frame={bank}
            header={<SideBankHeader frame={bank} compared={compared} />}
            temporary={<SideTemporaryRow frame={bank} />}
          >
            <HoverCells frame={bank} />
            <div class="matrix-canvases" style={{ height: `${bank.view.height}px` }}>
              <AbsentRows frame={bank} />
              {state.status === "error" ? (
                <Problem sentence={state.message} />
              ) : (
                bank.width > 0 && <Cells frame={bank} />
              )}
            </div>
          </Bank>
        ))}
      </div>
      {frame.banks.length === 1 && <SideTemporaryRow frame={frame} />}
    </div>
  );
}

const SideTemporaryRow = ({ frame }: { frame: MatrixFrame }) => (
  <div class="temporary-row beside-temporary" style={temporaryPlace(frame)}>
    <TemporaryCells frame={frame} />
  </div>
);

export function Matrix({ placed }: { placed: PlacedMatrix }) {
  const { frame, scrollTop, outer, grid, measured } = placed;
  const { layer, rows, rowLayout, view, banks } = frame;
  const groups = rows.map(blockOf);
  const show = (position: number, column?: number) => {
    const { current } = grid;
    if (!current) return;
    if (banks.length === 1) current.scrollTop = scrollToRow(rowLayout, groups, position, scrollTop.peek(), view.height);
    else if (column !== undefined) showBank(current, frame, bankOf(frame, column));
  };
  const keys = useGridKeys(frame, show);
  useNewRowInSight(rows, grid, show);
  useSortingWordInSight(rows, show);
  const state = layer.mean.state.value;
  const sentence = state.status === "error" ? state.message : null;
  return (
    <div
      class="matrix"
      ref={outer}
      style={{ "--labels": `${frame.labels.width}px`, "--numbers": `${frame.labels.numbers}px` }}
      data-accuracy={frame.labels.accuracy}
    >
      <MatrixHeader frame={frame} />
      {/* biome-ignore lint/a11y/useSemanticElements: rows and columns are virtual, and the cells are a canvas */}
      <div
        ref={grid}
        class="matrix-rows"
        role="grid"
        tabIndex={0}
        data-testid="matrix-grid"
        aria-label={`Activations of ${layer.name}: ${countedText(rows.length, "row")}, ${countedText(frame.columns.total, "neuron")}`}
        aria-rowcount={rows.length}
        aria-colcount={frame.columns.total}
        style={{ height: `${frame.gridHeight}px` }}
        onScroll={(event) => {
          scrollTop.value = event.currentTarget.scrollTop;
        }}
        {...keys.handlers}
      >
        <div class="matrix-inner" style={{ height: `${frame.innerHeight}px` }}>
          <div class="matrix-view" style={{ height: `${banks.length > 1 ? frame.innerHeight : view.height}px` }}>
            {measured &&
              bankFrames(frame).map((bank) => (
                <Bank
                  key={bank.bank}
                  frame={bank}
                  header={<BankHeader frame={bank} />}
                  temporary={<TemporaryRow frame={bank} />}
                >
                  <HoverCells frame={bank} />
                  <MatrixArea frame={bank} sentence={sentence} />
                  {bank.bank === 0 ? <RowLabels frame={bank} focus={keys} /> : <RowNames frame={bank} />}
                  <FocusRing frame={bank} focus={keys} />
                </Bank>
              ))}
          </div>
        </div>
      </div>
      <Predictions frame={frame} />
      {banks.length === 1 && <TemporaryRow frame={frame} />}
    </div>
  );
}

/** Scrolls as little as needed. */
function showBank(grid: HTMLElement, { stride, bankHeader, gridHeight }: MatrixFrame, bank: number): void {
  const top = bank * stride - (bank > 0 ? bankHeader.header.height : 0);
  const bottom = (bank + 1) * stride - bankHeader.header.height;
  if (grid.scrollTop > top) grid.scrollTop = top;
  else if (grid.scrollTop + gridHeight < bottom) grid.scrollTop = bottom - gridHeight;
}

interface BankProperties {
  frame: MatrixFrame;
  header: ComponentChildren;
  temporary: ComponentChildren;
  children: ComponentChildren;
}

/** The rows of some of the neurons; where those are not all, with the temporary row and, but for the first, a header. */
function Bank({ frame, header, temporary, children }: BankProperties) {
  const { bank, banks, stride, view } = frame;
  return (
    <div
      class="bank"
      style={{ top: `${bank * stride}px`, height: `${view.height}px` }}
      data-first={frame.columns.first}
    >
      {bank > 0 && header}
      {children}
      {banks.length > 1 && temporary}
    </div>
  );
}

function MatrixArea({ frame, sentence }: { frame: MatrixFrame; sentence: string | null }) {
  return (
    <div class="matrix-canvases" style={{ height: `${frame.view.height}px` }}>
      {sentence !== null
        ? frame.bank === 0 && <Problem sentence={sentence} />
        : frame.width > 0 && <Cells frame={frame} />}
    </div>
  );
}
