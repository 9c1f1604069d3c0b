/** The hovered instance's row. Its place is always kept, below the rows that scroll, so that nothing moves. */

import { drawBand, drawCells } from "../../draw/matrix";
import { ROW_HEIGHT } from "../../draw/matrix_layout";
import { drawOutput, drawValues, layoutOutput } from "../../draw/printed";
import { rowValues } from "../../state/layer";
import { usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";
import { isOutputLayer, type MatrixFrame, printedRow, rampOf } from "./frame";
import { RowLabel } from "./row_labels";

export function TemporaryRow({ frame }: { frame: MatrixFrame }) {
  const { temporary } = useStore();
  const row = temporary.value;
  return (
    <div class="temporary-row" style={{ height: `${ROW_HEIGHT}px` }}>
      {row && (
        <>
          <RowLabel row={row} top={0} layer={frame.layer.name} />
          <TemporaryCells frame={frame} />
        </>
      )}
    </div>
  );
}

function TemporaryCells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const { layer, columns, order, width } = frame;
  const row = store.temporary.value;
  const ramp = rampOf(layer, palette);
  const values = row && rowValues(layer, row);
  const output = columns.printed && isOutputLayer(store, layer);
  const classes = store.catalogue.snapshot.value?.classes.length ?? 0;

  const draw = (context: CanvasRenderingContext2D) => {
    if (!row || !ramp || !order) return;
    drawBand(context, 0, width, palette.hover);
    drawCells(context, [{ top: 0, values, shares: null }], { order, columns, ramp, palette, width });
    if (!columns.printed) return;
    const printed = [printedRow(store, layer, row, 0, output)];
    drawValues(context, printed, order, columns, ramp.max, palette);
    const place = output ? layoutOutput(columns, classes, width) : null;
    if (place) drawOutput(context, printed, place, palette);
  };
  return <Surface width={width} height={ROW_HEIGHT} draw={draw} aria-hidden="true" />;
}
