/** The matrix of another snapshot beside the base's, whose labels, columns and scrolling it shares. */

import type { ComparedLayer } from "../../state/compared_layer";
import { Problem } from "../widgets/controls";
import { Cells } from "./cells";
import type { MatrixFrame } from "./frame";
import { HoverCells } from "./hover_cells";
import type { PlacedMatrix } from "./matrix_frame";
import { useSideFrame } from "./side_frame";
import { SideHeader } from "./side_header";
import { TemporaryCells } from "./temporary_row";

interface SideMatrixProperties {
  compared: ComparedLayer;
  placed: PlacedMatrix;
}

export function SideMatrix({ compared, placed }: SideMatrixProperties) {
  const frame = useSideFrame(compared, placed.frame);
  const { view } = frame;
  const state = compared.layer.mean.state.value;
  return (
    <div class="matrix beside" data-testid="side-matrix">
      <SideHeader frame={frame} compared={compared} />
      <div
        class="beside-rows"
        style={{ height: `${view.height}px` }}
        onWheel={(event) => {
          if (event.shiftKey) return;
          const { current: rows } = placed.grid;
          const before = rows?.scrollTop;
          rows?.scrollBy({ top: event.deltaY });
          if (rows?.scrollTop !== before) event.preventDefault();
        }}
      >
        <HoverCells frame={frame} />
        <div class="matrix-canvases" style={{ height: `${view.height}px` }}>
          <AbsentRows frame={frame} />
          {state.status === "error" ? <Problem sentence={state.message} /> : frame.width > 0 && <Cells frame={frame} />}
        </div>
      </div>
      <div class="temporary-row beside-temporary">
        <TemporaryCells frame={frame} />
      </div>
    </div>
  );
}

/** Says of rows without values why they have none. */
function AbsentRows({ frame: { rows, view } }: { frame: MatrixFrame }) {
  return (
    <>
      {rows.map((row, position) => {
        const top = view.tops[position] ?? Number.NaN;
        if (!row.absent || !Number.isFinite(top)) return null;
        return (
          <span key={row.key} class="absent-row" style={{ top: `${top}px` }}>
            {row.kind === "instance" ? "not in its sample" : `no ${row.kind} of this name`}
          </span>
        );
      })}
    </>
  );
}
