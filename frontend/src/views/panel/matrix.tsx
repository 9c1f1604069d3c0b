/** A layer's matrix: rows of classes, subsets and instances; columns of neurons. */

import type { RefObject } from "preact";
import { scrollToRow } from "../../draw/matrix_layout";
import { Problem } from "../../ui/controls";
import { countText } from "../../ui/numbers";
import { Cells } from "./cells";
import { FocusRing, useGridKeys } from "./focus";
import type { MatrixFrame } from "./frame";
import { HoverCells } from "./hover_cells";
import type { PlacedMatrix } from "./matrix_frame";
import { MatrixHeader } from "./matrix_header";
import { useNewRowInSight } from "./new_row";
import { Predictions } from "./predictions";
import { RowLabels } from "./row_labels";
import { TemporaryRow } from "./temporary_row";

export function Matrix({ placed }: { placed: PlacedMatrix }) {
  const { frame, scrollTop, outer, grid, area } = placed;
  const { layer, rows, rowLayout, view } = frame;
  const groups = rows.map((row) => row.kind);
  const show = (position: number) => {
    if (grid.current) grid.current.scrollTop = scrollToRow(rowLayout, groups, position, scrollTop.peek(), view.height);
  };
  const keys = useGridKeys(frame, show);
  useNewRowInSight(rows, show);
  const state = layer.mean.state.value;
  return (
    <div class="matrix" ref={outer}>
      <MatrixHeader frame={frame} />
      {/* biome-ignore lint/a11y/useSemanticElements: rows and columns are virtual, and the cells are a canvas */}
      <div
        ref={grid}
        class="matrix-rows"
        role="grid"
        tabIndex={0}
        data-testid="matrix-grid"
        aria-label={`Activations of ${layer.name}: ${rows.length} rows, ${countText(frame.columns.total)} neurons`}
        aria-rowcount={rows.length}
        aria-colcount={frame.columns.total}
        style={{ height: `${view.height}px` }}
        onScroll={(event) => {
          scrollTop.value = event.currentTarget.scrollTop;
        }}
        {...keys.handlers}
      >
        <div class="matrix-inner" style={{ height: `${rowLayout.height}px` }}>
          <div class="matrix-view" style={{ height: `${view.height}px` }}>
            <HoverCells frame={frame} />
            <MatrixArea area={area} frame={frame} sentence={state.status === "error" ? state.message : null} />
            <RowLabels frame={frame} focus={keys} />
            <FocusRing frame={frame} focus={keys} />
          </div>
        </div>
      </div>
      <Predictions frame={frame} />
      <TemporaryRow frame={frame} />
    </div>
  );
}

interface MatrixAreaProperties {
  area: RefObject<HTMLDivElement | null>;
  frame: MatrixFrame;
  sentence: string | null;
}

function MatrixArea({ area, frame, sentence }: MatrixAreaProperties) {
  return (
    <div class="matrix-canvases" ref={area} style={{ height: `${frame.view.height}px` }}>
      {sentence !== null ? <Problem sentence={sentence} /> : frame.width > 0 && <Cells frame={frame} />}
    </div>
  );
}
