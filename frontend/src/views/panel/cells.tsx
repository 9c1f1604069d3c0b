/** Cells of a matrix: drawn when numbers, order or size change, never by hovering. */

import { useEffect, useRef } from "preact/hooks";
import type { SubsetStatistic } from "../../contract/client";
import { type CellRow, drawCells, drawSeparators, FILLING } from "../../draw/matrix";
import { columnAt, rowAt } from "../../draw/matrix_layout";
import { drawOutput, drawValues } from "../../draw/matrix_text";
import { typedStatistic } from "../../store/layer";
import { neuronKey } from "../../store/url_state";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { leaveHover } from "../../ui/lighting";
import { Surface } from "../../ui/surface";
import type { MatrixFrame } from "./matrix_context";
import { printedRow } from "./matrix_text";

export function Cells({ frame }: { frame: MatrixFrame }) {
  const store = useSnapshot();
  const palette = usePalette();
  const { rows, view, columns, order, width, ramp, fillings, output } = frame;
  const visible = rows
    .map((row, position) => ({ row, top: view.tops[position] ?? Number.NaN }))
    .filter(({ row, top }) => Number.isFinite(top) && row.kind !== "absent" && row.kind !== "group");
  const known = order !== null && ramp !== null;
  const cells: CellRow[] = visible.map(({ row, top }) => ({
    top,
    values: known ? frame.valuesOf(row) : null,
    shares: frame.sharesOf(row),
    fillings: fillings || store.beside ? null : fewSampled(typedStatistic(frame.layer.typedMeans, row)),
  }));
  const printed = columns.printed ? visible.map(({ row, top }) => printedRow(store, frame, row, top)) : [];

  const draw = (context: CanvasRenderingContext2D) => {
    drawSeparators(context, view.separators, width, palette);
    drawCells(context, cells, {
      order: order ?? new Int32Array(),
      columns,
      ramp: ramp ?? { signed: false, max: 1, levels: [] },
      palette,
      width,
      fillings,
    });
    if (!order || !ramp || printed.length === 0) return;
    drawValues(context, printed, { order, columns, max: ramp.max, palette, withSign: frame.isDifference });
    if (output) drawOutput(context, printed, output, palette);
  };

  return (
    <Surface
      class="cells"
      data-testid={frame.bank === 0 ? "matrix" : "matrix-bank"}
      aria-hidden="true"
      width={width}
      height={view.height}
      draw={draw}
      later={store.beside !== null}
      {...usePointer(frame)}
      onClick={useCard(frame)}
    />
  );
}

/** Hollow is a mean of which nothing is claimed, as too few of its instances were sampled; null where there is none. */
export function fewSampled(means: SubsetStatistic | undefined): Uint8Array | null {
  const ends = means?.interval?.data;
  const isFew = (value: number, neuron: number) => Number.isFinite(value) && Number.isNaN(ends?.[neuron]);
  if (!ends || !means.values.data.some(isFew)) return null;
  return Uint8Array.from(means.values.data, (value, neuron) => (isFew(value, neuron) ? FILLING.hollow : FILLING.full));
}

/** Makes the pointer's cell the hovered one, and lets a sideways wheel move through the columns. */
function usePointer(frame: MatrixFrame) {
  const { hover } = useSnapshot();
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
      const { layer, rows, view, columns, order } = latest.current;
      const position = columnAt(columns, event.offsetX);
      const found = rows[rowAt(view, event.offsetY)];
      const row = found?.kind === "group" ? undefined : found;
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
    onPointerLeave: () => leaveHover(hover),
    onWheel: (event: WheelEvent) => wheelColumns(event, latest.current),
  };
}

/** Returns what opens the card of the neuron in the column that is clicked; a side has none. */
export function useCard({ layer, columns, order }: MatrixFrame) {
  const { urlState } = useTab();
  const { beside } = useSnapshot();
  return ({ offsetX }: MouseEvent) => {
    const neuron = order?.[columnAt(columns, offsetX)];
    if (neuron !== undefined && !beside) urlState.neuron.value = neuronKey({ neuron, layer: layer.name });
  };
}

/** Shift and the wheel turn a page, a sideways wheel goes by columns. */
export function wheelColumns(event: WheelEvent, { whole: columns, scrollTo }: MatrixFrame): void {
  if (columns.visible >= columns.total) return;
  const pages = event.shiftKey ? Math.sign(event.deltaY || event.deltaX) : 0;
  const sideways = pages === 0 ? event.deltaX : 0;
  if (pages === 0 && sideways === 0) return;
  event.preventDefault();
  const step = Math.sign(sideways) * Math.max(1, Math.abs(sideways) / columns.pitch);
  scrollTo(columns.first + (pages * columns.visible || step));
}
