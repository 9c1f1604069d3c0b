/**
 * What hovering adds to a matrix, under its cells: bands of the hovered and the locked row, and the cell's column.
 *
 * These are boxes that are moved, so that hovering neither renders a component nor paints a canvas.
 */

import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ROW_HEIGHT } from "../../draw/matrix_layout";
import type { Store } from "../../store/store";
import { useStore } from "../../ui/context";
import type { MatrixFrame } from "./frame";

export function HoverCells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const band = useRef<HTMLElement>(null);
  const lock = useRef<HTMLElement>(null);
  const column = useRef<HTMLElement>(null);
  const cell = useRef<HTMLElement>(null);
  useLayoutEffect(
    () =>
      effect(() => {
        const hovered = store.rowKey.value;
        moveRow(band, frame, hovered);
        moveRow(lock, frame, store.durable.locked.value === hovered ? null : store.durable.locked.value);
      }),
    [store, frame],
  );
  useLayoutEffect(() => effect(() => moveColumn(column, cell, frame, store)), [store, frame]);
  return (
    <>
      <i ref={lock} class="band" />
      <i ref={band} class="band" data-testid="hovered-row" />
      <div class="hover-area" style={{ width: `${frame.width}px` }}>
        <i ref={column} class="column-band" />
        <i ref={cell} class="cell-frame" />
      </div>
    </>
  );
}

type Box = RefObject<HTMLElement | null>;

function moveRow(box: Box, { rows, view }: MatrixFrame, key: string | null): void {
  const top = view.tops[rows.findIndex((row) => row.key === key)] ?? Number.NaN;
  move(box, Number.isFinite(top), `translateY(${top}px)`);
}

function moveColumn(column: Box, cell: Box, frame: MatrixFrame, store: Store): void {
  const { layer, rows, view, columns, order } = frame;
  const hover = store.hover.value;
  const inside = hover?.layer === layer.name && hover.neuron !== undefined;
  const position = inside ? (order?.indexOf(hover.neuron ?? -1) ?? -1) : -1;
  const visible = position >= columns.first && position < columns.first + columns.visible;
  const x = (position - columns.first) * columns.pitch;
  const top = visible ? (view.tops[rows.findIndex((row) => row.key === hover?.row?.key)] ?? Number.NaN) : Number.NaN;
  const wide = Math.max(columns.pitch, 9);
  if (column.current) column.current.style.width = `${columns.pitch}px`;
  if (cell.current) Object.assign(cell.current.style, { width: `${wide}px`, height: `${ROW_HEIGHT}px` });
  move(column, visible, `translateX(${x}px)`);
  move(cell, Number.isFinite(top), `translate(${x + (columns.pitch - wide) / 2}px, ${top}px)`);
}

const OUT_OF_SIGHT = "translateY(-9999px)";

function move(box: Box, shown: boolean, transform: string): void {
  if (!box.current) return;
  // Out of sight rather than hidden: moving is all that the compositor can do without painting again.
  box.current.style.transform = shown ? transform : OUT_OF_SIGHT;
}
