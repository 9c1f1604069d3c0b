/** What hovering adds to a matrix, under its cells: the row's band and the cell's column. */

import { drawBand, drawHighlight } from "../../draw/matrix";
import { usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";
import type { MatrixFrame } from "./frame";

export function HoverCells({ frame }: { frame: MatrixFrame }) {
  const store = useStore();
  const palette = usePalette();
  const { layer, rows, rowLayout, columns, order, width, height, scrollTop } = frame;
  const rowKey = store.rowKey.value;
  const hover = store.hover.value;
  const inside = hover?.layer === layer.name && hover.neuron !== undefined;
  const position = inside ? (order?.indexOf(hover.neuron ?? -1) ?? -1) : -1;

  const draw = (context: CanvasRenderingContext2D) => {
    context.translate(0, -scrollTop);
    const top = rowLayout.tops[rows.findIndex((row) => row.key === rowKey)];
    if (top !== undefined) drawBand(context, top, width, palette.band);
    if (position >= 0) drawHighlight(context, { position, top: top ?? null }, columns, palette, rowLayout.height);
  };
  return <Surface class="hover-cells" width={width} height={height} draw={draw} aria-hidden="true" />;
}
