/** Lighting of instances by what the pointer or the focus is on: a row, or a condition. */

import { useEffect, useRef } from "preact/hooks";
import type { Hovered } from "../store/hover";
import { litRow } from "../store/lit";
import type { MatrixRow } from "../store/rows";
import type { NamedCondition } from "../store/subset_list";
import { useSnapshot } from "./context";

/**
 * Ends a hover before the next frame is drawn, unless something else is hovered by then: the pointer leaves one thing and
 * enters another in one move, and what follows the hover is drawn once for both.
 */
export function leaveHover(hover: Hovered): void {
  const left = hover.peek();
  requestAnimationFrame(() => {
    if (hover.peek() === left) hover.value = null;
  });
}

/** Returns the handlers of what stands for some instances; none where it stands for none. */
export function useLighting() {
  const { hover } = useSnapshot();
  const lit = useRef("");
  const off = () => {
    if (lit.current !== "" && hover.peek()?.row?.key === lit.current) hover.value = null;
    lit.current = "";
  };
  const leave = () => {
    if (lit.current !== "" && hover.peek()?.row?.key === lit.current) leaveHover(hover);
    lit.current = "";
  };
  // What is taken away under the pointer is never left.
  useEffect(() => off, [hover]);
  return (what: MatrixRow | NamedCondition | null | undefined) => {
    if (!what) return {};
    const on = () => {
      const row = "kind" in what ? what : litRow(what);
      lit.current = row.key;
      hover.value = { source: "condition", row };
    };
    return { onPointerEnter: on, onPointerLeave: leave, onFocus: on, onBlur: off };
  };
}
