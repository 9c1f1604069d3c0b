/** The cells themselves: drawn when numbers, order or size change, never by hovering. */

import { useEffect, useRef } from "preact/hooks";
import { type CellRow, drawCells, drawSeparators } from "../../draw/matrix";
import { columnAt, ROW_HEIGHT, rowAt } from "../../draw/matrix_layout";
import { drawOutput, drawValues, layoutOutput } from "../../draw/printed";
import { rowValues } from "../../state/layer";
import { usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";
import { isOutputLayer, type MatrixFrame, printedRow, rampOf, rowShares } from "./frame";

export function Cells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const { layer, rows, rowLayout, columns, order, width, height, scrollTop } = frame;
  const ramp = rampOf(layer, palette);
  const visible = rows
    .map((row, position) => ({ row, top: rowLayout.tops[position] ?? 0 }))
    .filter(({ top }) => top + ROW_HEIGHT > scrollTop && top < scrollTop + height);
  const cells: CellRow[] = visible.map(({ row, top }) => ({
    top,
    values: rowValues(layer, row),
    shares: rowShares(store, layer, row),
  }));
  const output = columns.printed && isOutputLayer(store, layer);
  const printed = columns.printed ? visible.map(({ row, top }) => printedRow(store, layer, row, top, output)) : [];
  const classes = store.catalogue.snapshot.value?.classes.length ?? 0;

  const draw = (context: CanvasRenderingContext2D) => {
    context.translate(0, -scrollTop);
    drawSeparators(context, rowLayout.separators, width, palette);
    if (!order || !ramp) {
      for (const cell of cells) cell.values = null;
    }
    drawCells(context, cells, {
      order: order ?? new Int32Array(),
      columns,
      ramp: ramp ?? { signed: false, max: 1, levels: [] },
      palette,
      width,
    });
    if (!order || !ramp || printed.length === 0) return;
    drawValues(context, printed, order, columns, ramp.max, palette);
    const place = output ? layoutOutput(columns, classes, width) : null;
    if (place) drawOutput(context, printed, place, palette);
  };

  return (
    <Surface
      class="cells"
      data-testid="matrix"
      role="img"
      aria-label={`Activations of ${layer.name}`}
      width={width}
      height={height}
      draw={draw}
      {...usePointer(frame)}
    />
  );
}

/** Makes the pointer's cell the hovered one, and lets wheel and Shift move through the columns. */
function usePointer(frame: MatrixFrame) {
  const { hover } = useStore();
  const latest = useRef(frame);
  latest.current = frame;
  useEffect(
    () => () => {
      if (hover.peek()?.source === "matrix") hover.value = null;
    },
    [hover],
  );

  return {
    onPointerMove: (event: PointerEvent) => {
      const { layer, rows, rowLayout, columns, order, scrollTop } = latest.current;
      const position = columnAt(columns, event.offsetX);
      const row = rows[rowAt(rowLayout, event.offsetY + scrollTop)];
      const neuron = position < 0 ? undefined : order?.[position];
      const before = hover.peek();
      if (before?.source === "matrix" && before.row?.key === row?.key && before.neuron === neuron) return;
      hover.value = {
        source: "matrix",
        layer: layer.name,
        ...(row && { row }),
        ...(neuron !== undefined && { neuron }),
      };
    },
    onPointerLeave: () => {
      hover.value = null;
    },
    onWheel: (event: WheelEvent) => {
      const { columns, scrollTo } = latest.current;
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (sideways === 0 || columns.visible >= columns.total) return;
      event.preventDefault();
      scrollTo(columns.first + Math.sign(sideways) * Math.max(1, Math.abs(sideways) / columns.pitch));
    },
  };
}
