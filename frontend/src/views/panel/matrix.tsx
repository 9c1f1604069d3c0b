/** A layer's matrix: rows of classes, subsets and instances; columns of neurons. */

import { useSignal } from "@preact/signals";
import { layoutColumns, layoutRows } from "../../draw/matrix_layout";
import type { LayerStore } from "../../state/layer";
import { Problem } from "../widgets/controls";
import { useStore } from "../widgets/store";
import { useSize } from "../widgets/surface";
import { Cells } from "./cells";
import type { MatrixFrame } from "./frame";
import { HoverCells } from "./hover_cells";
import { MatrixHeader } from "./matrix_header";
import { RowLabels } from "./row_labels";
import { TemporaryRow } from "./temporary_row";

/** Taller matrices scroll inside their panel. */
const TALLEST = 276;

export function Matrix({ layer }: { layer: LayerStore }) {
  const { rows } = useStore();
  const first = useSignal(0);
  const scrollTop = useSignal(0);
  const [area, size] = useSize<HTMLDivElement>();
  const rowLayout = layoutRows(rows.value.map((row) => row.kind));
  const order = layer.columns.value;
  const height = Math.min(rowLayout.height, TALLEST);
  const frame: MatrixFrame = {
    layer,
    rows: rows.value,
    rowLayout,
    columns: layoutColumns(layer.entry.value?.neurons ?? 0, size.width, first.value),
    order,
    width: size.width,
    height,
    scrollTop: scrollTop.value,
    scrollTo: (column) => {
      first.value = Math.max(0, Math.round(column));
    },
  };
  const state = layer.mean.state.value;
  return (
    <div class="matrix">
      <MatrixHeader frame={frame} />
      <div
        class="matrix-rows"
        style={{ height: `${height}px` }}
        onScroll={(event) => {
          scrollTop.value = event.currentTarget.scrollTop;
        }}
      >
        <div class="matrix-inner" style={{ height: `${rowLayout.height}px` }}>
          <div class="matrix-canvases" ref={area} style={{ height: `${height}px` }}>
            {state.status === "error" ? (
              <Problem sentence={state.message} />
            ) : (
              size.width > 0 && (
                <>
                  <HoverCells frame={frame} />
                  <Cells frame={frame} />
                </>
              )
            )}
          </div>
          <RowLabels frame={frame} />
        </div>
      </div>
      <TemporaryRow frame={frame} />
    </div>
  );
}
