/** Which cell a key leads to. */

export interface CellPosition {
  row: number;
  /** By the order shown. */
  column: number;
}

export interface GridExtent {
  rows: number;
  columns: number;
  /** Columns in sight: how far a page is. */
  page: number;
}

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey">;

/** Returns the cell that a key leads to from `from`, null for keys that lead nowhere; the edges hold. */
export function moveFocus(from: CellPosition, pressed: Pressed, extent: GridExtent): CellPosition | null {
  const corner = pressed.ctrlKey || pressed.metaKey;
  const [lastRow, lastColumn] = [extent.rows - 1, extent.columns - 1];
  const moves: Record<string, CellPosition> = {
    ArrowUp: { ...from, row: from.row - 1 },
    ArrowDown: { ...from, row: from.row + 1 },
    ArrowLeft: { ...from, column: from.column - 1 },
    ArrowRight: { ...from, column: from.column + 1 },
    Home: { row: corner ? 0 : from.row, column: 0 },
    End: { row: corner ? lastRow : from.row, column: lastColumn },
    PageUp: { ...from, column: from.column - extent.page },
    PageDown: { ...from, column: from.column + extent.page },
  };
  const to = moves[pressed.key];
  return to ? { row: within(to.row, lastRow), column: within(to.column, lastColumn) } : null;
}

const within = (value: number, last: number): number => Math.max(0, Math.min(last, value));
