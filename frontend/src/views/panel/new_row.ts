/** Brings a row that the user has just added into sight, where there are more rows than fit. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { type MatrixRow, newestRow } from "../../store/rows";

/** @param show Scrolls a row into sight. */
export function useNewRowInSight(rows: readonly MatrixRow[], show: (position: number) => void): void {
  const before = useRef(rows);
  useLayoutEffect(() => {
    const position = newestRow(before.current, rows);
    before.current = rows;
    if (position >= 0) show(position);
  });
}
