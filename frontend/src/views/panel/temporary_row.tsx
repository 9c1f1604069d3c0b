/** The hovered instance's row. Its place is always kept, below the rows that scroll, so that nothing moves. */
import { drawBand, drawCells } from "../../draw/matrix";
import { ROW_HEIGHT } from "../../draw/matrix_layout";
import { drawOutput, drawValues } from "../../draw/matrix_text";
import { usePalette, useStore } from "../../ui/context";
import { Surface } from "../../ui/surface";
import type { MatrixFrame } from "./frame";
import { printedRow } from "./printed_row";
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

/** The cells alone, as a side of a comparison has them. */
export function TemporaryCells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const { columns, order, width, ramp, fillings, output } = frame;
  const row = store.temporary.value;
  const values = row && !row.absent ? frame.valuesOf(row) : null;

  const draw = (context: CanvasRenderingContext2D) => {
    if (!row || row.absent || !ramp || !order) return;
    drawBand(context, 0, width, palette.hover);
    drawCells(context, [{ top: 0, values, shares: null }], { order, columns, ramp, palette, width, fillings });
    if (!columns.printed) return;
    const printed = [printedRow(store, frame, row, 0)];
    drawValues(context, printed, { order, columns, max: ramp.max, palette, withSign: frame.isDifference });
    if (output) drawOutput(context, printed, output, palette);
  };
  return <Surface width={width} height={ROW_HEIGHT} draw={draw} aria-hidden="true" />;
}
