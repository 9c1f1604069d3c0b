/** What hovering adds to a matrix, under its cells: the row's band, the cell's column, the temporary row. */

import { drawBand, drawCells, drawHighlight } from "../../draw/matrix";
import { isPrinted } from "../../draw/matrix_layout";
import { drawOutput, drawValues, layoutOutput } from "../../draw/printed";
import { rowValues } from "../../state/layer";
import { usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";
import { isOutputLayer, type MatrixFrame, printedRow, rampOf } from "./frame";

export function HoverCells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const { layer, rows, rowLayout, columns, order, width, height, scrollTop } = frame;
  const rowKey = store.rowKey.value;
  const hovered = rows.findIndex((row) => row.key === rowKey);
  const hover = store.hover.value;
  const position =
    hover?.layer === layer.name && hover.neuron !== undefined ? (order?.indexOf(hover.neuron) ?? -1) : -1;

  const draw = (context: CanvasRenderingContext2D) => {
    context.translate(0, -scrollTop);
    const top = rowLayout.tops[hovered];
    if (top !== undefined) drawBand(context, top, width, palette.band);
    drawTemporary(context);
    if (position >= 0) {
      const cellTop = top !== undefined && hover?.source === "matrix" ? top : null;
      drawHighlight(context, { position, top: cellTop }, columns, palette, rowLayout.height);
    }
  };

  const temporary = store.temporary.value;
  const ramp = rampOf(layer, palette);
  const values = temporary && rowValues(layer, temporary);
  const output = isPrinted(columns) && isOutputLayer(store, layer);
  const classes = store.catalogue.snapshot.value?.classes.length ?? 0;

  const drawTemporary = (context: CanvasRenderingContext2D) => {
    if (!temporary || !ramp || !order) return;
    const top = rowLayout.temporaryTop;
    drawBand(context, top, width, palette.hover);
    drawCells(context, [{ top, values, shares: null }], { order, columns, ramp, palette, width });
    if (!isPrinted(columns)) return;
    const printed = [printedRow(store, layer, temporary, top, output)];
    drawValues(context, printed, order, columns, ramp.max, palette);
    const place = output ? layoutOutput(columns, classes, width) : null;
    if (place) drawOutput(context, printed, place, palette);
  };

  return <Surface class="hover-cells" width={width} height={height} draw={draw} aria-hidden="true" />;
}
