/** The matrix of another snapshot beside the base's, whose labels, columns and scrolling it shares. */
import type { ComparedLayer } from "../../store/compared_layer";
import { UNLABELLED } from "../../store/judgement";
import type { MatrixRow } from "../../store/rows";
import { useStore } from "../../ui/context";
import { Problem } from "../../ui/controls";
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

function absenceText({ kind, name, subset, base }: MatrixRow, unlabelled: boolean): string {
  if (kind === "instance") return "not in its sample";
  if (kind === "class" && unlabelled) return "recorded without labels";
  const isEverything = base?.subset === 0 && kind === "subset" && subset < 0 && name === UNLABELLED;
  return isEverything && !unlabelled ? "recorded with labels, by class" : `no ${kind} of this name`;
}

/** Says of rows without values why they have none. */
function AbsentRows({ frame: { rows, view } }: { frame: MatrixFrame }) {
  const unlabelled = useStore().catalogue.snapshot.value?.unlabelled ?? false;
  return (
    <>
      {rows.map((row, position) => {
        const top = view.tops[position] ?? Number.NaN;
        if (!row.absent || !Number.isFinite(top)) return null;
        return (
          <span key={row.key} class="absent-row" style={{ top: `${top}px` }}>
            {absenceText(row, unlabelled)}
          </span>
        );
      })}
    </>
  );
}
