/**
 * Keyboard of a matrix as an ARIA grid: one stop of the Tab key, and from there a ring that keys move from cell to cell.
 *
 * What it is on counts as hovered, so the readout, the projections and the instances follow it as they follow the
 * pointer. The focus is on a neuron of a row, not on a place: where columns or rows change places, it goes with them.
 */

import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Hover } from "../../store/hover";
import { isInstance, type MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import type { TabStore } from "../../store/tab";
import { keyedNeuron, neuronKey, toggle } from "../../store/url_state";
import { useSnapshot, useTab } from "../../ui/context";
import type { MatrixFrame } from "./matrix_context";

interface CellPosition {
  row: number;
  /** By the order shown. */
  column: number;
}

/** A cell by what it shows. */
export interface FocusedCell {
  /** Key of the row. */
  row: string;
  /** -1 while the order of the neurons is not known. */
  neuron: number;
  /** Where it was seen last, which holds for a row or a neuron that is gone. */
  seen: CellPosition;
}

interface GridExtent {
  rows: number;
  columns: number;
  /** Columns of a bank: how far a page is. */
  page: number;
}

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey">;

/** Returns the cell that a key leads to from `from`, null for keys that lead nowhere; the edges hold. */
export function moveFocus(from: CellPosition, pressed: Pressed, extent: GridExtent): CellPosition | null {
  const corner = pressed.ctrlKey || pressed.metaKey;
  const [lastRow, lastColumn] = [extent.rows - 1, extent.columns - 1];
  const moves: Record<string, CellPosition> = {
    ArrowUp: { ...from, row: from.row - 1 },
    ArrowDown: { ...from, row: from.row + 1 },
    ArrowLeft: { ...from, column: from.column - 1 },
    ArrowRight: { ...from, column: from.column + 1 },
    Home: { row: corner ? 0 : from.row, column: 0 },
    End: { row: corner ? lastRow : from.row, column: lastColumn },
    PageUp: { ...from, column: from.column - extent.page },
    PageDown: { ...from, column: from.column + extent.page },
  };
  const to = moves[pressed.key];
  return to ? { row: within(to.row, lastRow), column: within(to.column, lastColumn) } : null;
}

const within = (value: number, last: number): number => Math.max(0, Math.min(last, value));

/** Returns the cell at a position within the rows and columns that there are. */
export function cellAt({ rows, order }: Placed, { row, column }: CellPosition): FocusedCell {
  const seen = { row: within(row, rows.length - 1), column: within(column, (order?.length ?? 1) - 1) };
  return { row: rows[seen.row]?.key ?? "", neuron: order?.[seen.column] ?? -1, seen };
}

/** Returns where a cell stands now; what is gone of it, where it was. */
export function positionOf({ rows, order }: Placed, { row: key, neuron, seen }: FocusedCell): CellPosition {
  const row = rows.findIndex((candidate) => candidate.key === key);
  const column = order?.indexOf(neuron) ?? -1;
  return {
    row: row < 0 ? within(seen.row, rows.length - 1) : row,
    column: column < 0 ? within(seen.column, (order?.length ?? 1) - 1) : column,
  };
}

type Placed = { rows: readonly Pick<MatrixRow, "key">[]; order: Int32Array | null };

export interface GridFocus {
  /** The focused cell; null while the focus is elsewhere or was brought by the pointer, or the pointer reads another. */
  cell: ReadonlySignal<FocusedCell | null>;
  /** Id of the focused cell's element. */
  id: string;
}

interface GridKeys extends GridFocus {
  handlers: {
    "aria-activedescendant": string | undefined;
    onFocus: (event: FocusEvent) => void;
    onBlur: () => void;
    onPointerDown: () => void;
    onKeyDown: (event: KeyboardEvent) => void;
  };
}

/** @param show Scrolls a row, and the bank of a column, into sight. */
export function useGridKeys(frame: MatrixFrame, show: (row: number, column: number) => void): GridKeys {
  const tab = useTab();
  const store = useSnapshot();
  const id = useId();
  const focused = useSignal<FocusedCell | null>(null);
  const cell = useComputed(() => {
    const hover = store.hover.value;
    const other = hover?.neuron !== undefined && !isOn(hover, frame.layer.name, focused.value);
    return other ? null : focused.value;
  });
  const last = useRef<FocusedCell | null>(null);
  const latest = useRef(frame);
  latest.current = frame;

  const where = () => (last.current ? positionOf(latest.current, last.current) : { row: 0, column: 0 });
  const go = (to: CellPosition) => {
    const found = cellAt(latest.current, to);
    const { seen } = found;
    last.current = found;
    focused.value = found;
    showColumn(latest.current, seen.column);
    show(seen.row, seen.column);
    hoverCell(store, latest.current, seen);
  };
  useLayoutEffect(() => {
    if (cell.peek() && frame.order) go(where());
  }, [frame.rows, frame.order]);
  // A link, and another neuron's card, may choose one that is out of sight.
  const card = keyedNeuron(tab.urlState.neuron.value);
  const chosen = card?.layer === frame.layer.name ? (frame.order?.indexOf(card.neuron) ?? -1) : -1;
  const { visible } = frame.columns;
  useLayoutEffect(() => {
    if (chosen < 0 || visible === 0) return;
    showColumn(latest.current, chosen);
    if (latest.current.banks.length > 1) show(0, chosen);
  }, [chosen, visible]);
  return {
    cell,
    id,
    handlers: {
      "aria-activedescendant": cell.value ? id : undefined,
      onFocus: (event) => {
        const grid = event.currentTarget as HTMLElement;
        if (event.target === grid && grid.matches(":focus-visible")) go(where());
      },
      onBlur: () => leave(focused, store),
      onPointerDown: () => {
        const hovered = hoveredCell(store, latest.current);
        if (hovered) last.current = cellAt(latest.current, hovered);
        focused.value = null;
      },
      onKeyDown: (event) => {
        if (event.target !== event.currentTarget) return;
        const { rows, columns, banks } = latest.current;
        const extent = { rows: rows.length, columns: columns.total, page: banks[0]?.visible ?? 1 };
        const from = where();
        const to = moveFocus(from, event, extent);
        if (to) go(to);
        else if (!openCard(event, tab, latest.current, from) && !command(event, tab, store, rows[from.row])) return;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}

const isOn = (hover: Hover, layer: string, cell: FocusedCell | null): boolean =>
  hover.layer === layer && hover.neuron === cell?.neuron && hover.row?.key === cell?.row;

function leave(cell: Signal<FocusedCell | null>, store: SnapshotStore): void {
  if (cell.peek() === null) return;
  cell.value = null;
  store.hover.value = null;
}

/** Opens the card of the focused cell's neuron; false for other keys, and on a heading. */
function openCard(event: KeyboardEvent, tab: TabStore, frame: MatrixFrame, { row, column }: CellPosition): boolean {
  const neuron = frame.order?.[column];
  if (event.key !== "Enter" || neuron === undefined || frame.rows[row]?.kind === "group") return false;
  tab.urlState.neuron.value = neuronKey({ neuron, layer: frame.layer.name });
  return true;
}

/** Does what a letter asks for; false for keys that mean nothing here. */
function command(
  event: KeyboardEvent,
  { comparison, urlState, toggleLock }: TabStore,
  { togglePin }: SnapshotStore,
  row: MatrixRow | undefined,
): boolean {
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (row.kind === "group") {
    if (event.key !== " " && event.key !== "Enter") return false;
    toggle(urlState.closed, row.id);
    return true;
  }
  if (event.key === " ") toggleLock(row);
  else if (event.key.toLowerCase() === "s") urlState.sort.value = row.key;
  else if (event.key.toLowerCase() === "c" && row.kind !== "word") comparison.compare(row);
  else if (event.key.toLowerCase() === "p" && isInstance(row)) togglePin(row.sampled);
  else if (event.key === "Escape" && comparison.end()) return true;
  else if (event.key === "Escape" && urlState.locked.peek() !== "") urlState.locked.value = "";
  else return false;
  return true;
}

function showColumn({ columns, scrollTo }: MatrixFrame, position: number): void {
  if (position < columns.first) scrollTo(position);
  else if (position >= columns.first + columns.visible) scrollTo(position - columns.visible + 1);
}

function hoverCell(
  store: SnapshotStore,
  { layer, rows, order }: MatrixFrame,
  { row: position, column }: CellPosition,
): void {
  const row = rows[position];
  const neuron = order?.[column];
  if (row?.kind === "group") {
    store.hover.value = null;
    return;
  }
  store.hover.value = {
    source: "matrix",
    layer: layer.name,
    ...(row && { row }),
    ...(neuron !== undefined && { neuron }),
  };
}

function hoveredCell(store: SnapshotStore, { layer, rows, order }: MatrixFrame): CellPosition | null {
  const hover = store.hover.peek();
  const row = rows.findIndex((candidate) => candidate.key === hover?.row?.key);
  if (hover?.layer !== layer.name || row < 0) return null;
  return { row, column: Math.max(0, order?.indexOf(hover.neuron ?? -1) ?? 0) };
}

/** The ring around the focused cell. */
export function FocusRing({ frame, focus }: { frame: MatrixFrame; focus: GridFocus }) {
  const cell = focus.cell.value;
  if (!cell) return null;
  const { columns, view } = frame;
  const { row, column } = positionOf(frame, cell);
  const top = view.tops[row] ?? Number.NaN;
  const position = column - columns.first;
  if (!Number.isFinite(top) || position < 0 || position >= columns.visible) return null;
  const wide = Math.max(columns.pitch, 11);
  const left = position * columns.pitch + (columns.pitch - wide) / 2;
  return (
    <div class="hover-area above" style={{ width: `${frame.width}px` }}>
      <i
        class="focus-ring"
        data-testid="focus-ring"
        style={{ width: `${wide}px`, height: `${view.rowHeight}px`, transform: `translate(${left}px, ${top}px)` }}
      />
    </div>
  );
}
