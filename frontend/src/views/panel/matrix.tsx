/** A layer's matrix: rows of classes, subsets and instances; columns of neurons. */

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { makeRoom } from "../../draw/difference";
import { layoutColumns, layoutRows, ROW_HEIGHT, scrollToRow, viewRows } from "../../draw/matrix_layout";
import { layoutHeader } from "../../draw/strips";
import type { LayerStore } from "../../state/layer";
import { Problem } from "../widgets/controls";
import { countText } from "../widgets/numbers";
import { useStore } from "../widgets/store";
import { type Size, useSize } from "../widgets/surface";
import { Cells } from "./cells";
import { FocusRing, useGridKeys } from "./focus";
import type { MatrixFrame } from "./frame";
import { HoverCells } from "./hover_cells";
import { MatrixHeader } from "./matrix_header";
import { Predictions } from "./predictions";
import { RowLabels } from "./row_labels";
import { TemporaryRow } from "./temporary_row";

/** Taller matrices scroll inside their panel. */
const TALLEST = 276;
/** Above the rows, below them, and the temporary row. */
const PADDING = 10;
const BELOW = ROW_HEIGHT + 4;

export function Matrix({ layer, maximised }: { layer: LayerStore; maximised: boolean }) {
  const [outer, outerSize] = useSize<HTMLDivElement>();
  const [area, size] = useSize<HTMLDivElement>();
  const grid = useRef<HTMLDivElement>(null);
  const { frame, scrollTop } = useFrame(layer, size, maximised ? outerSize.height : null);
  const { rows, rowLayout, view } = frame;
  const groups = rows.map((row) => row.kind);
  const keys = useGridKeys(frame, (position) => {
    if (grid.current) grid.current.scrollTop = scrollToRow(rowLayout, groups, position, scrollTop.peek(), view.height);
  });
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

/** Lays out what is in sight; `available` is the height of a maximised matrix. */
function useFrame(layer: LayerStore, size: Size, available: number | null) {
  const { rows, comparison } = useStore();
  const first = useSignal(0);
  const scrollTop = useSignal(0);
  const groups = rows.value.map((row) => row.kind);
  const rowLayout = layoutRows(groups);
  const columns = layoutColumns(layer.entry.value?.neurons ?? 0, size.width, first.value);
  const plain = { header: layoutHeader(columns, groups), differenceTop: null };
  const { header, differenceTop } = comparison.compared.value ? makeRoom(plain.header) : plain;
  const tallest = available ? Math.max(TALLEST / 2, available - header.height - PADDING - BELOW) : TALLEST;
  const frame: MatrixFrame = {
    layer,
    rows: rows.value,
    rowLayout,
    view: viewRows(rowLayout, groups, scrollTop.value, Math.min(rowLayout.height, tallest)),
    columns,
    header,
    differenceTop,
    order: layer.columns.value,
    width: size.width,
    scrollTo: (column) => {
      first.value = Math.max(0, Math.min(columns.total - columns.visible, Math.round(column)));
    },
  };
  return { frame, scrollTop };
}
