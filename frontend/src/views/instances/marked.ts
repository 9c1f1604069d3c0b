/** Marks and handlers of an instance's element, the same for squares and test cases. */

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import { instanceRow, pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { useSnapshot } from "../../ui/context";

const MARKED = "[data-row]";

/**
 * One set of listeners for all elements with a row: hover reads it, a click pins it.
 *
 * @param move focuses another one by a key, where the key does that
 */
export function listenToInstances(
  store: SnapshotStore,
  instances: InstanceColumns,
  move: (row: number, key: string) => boolean,
) {
  const rowOf = (event: Event): number | null => {
    const marked = (event.target as Element).closest<HTMLElement>(MARKED);
    return marked ? Number(marked.dataset.row) : null;
  };
  const hoverRow = (row: number | null) => {
    store.hover.value = row === null ? null : { source: "instances", row: instanceRow(instances, row) };
  };
  const leave = () => {
    store.hover.value = null;
  };
  return {
    onPointerOver: (event: PointerEvent) => hoverRow(rowOf(event)),
    onPointerLeave: leave,
    onFocusIn: (event: FocusEvent) => hoverRow(rowOf(event)),
    onFocusOut: leave,
    onKeyDown: (event: KeyboardEvent) => {
      const row = rowOf(event);
      if (row === null || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "p" || event.key === "P") store.togglePin(row);
      else if (!move(row, event.key)) return;
      event.preventDefault();
    },
    onClick: (event: MouseEvent) => {
      const row = rowOf(event);
      if (row !== null) store.togglePin(row);
    },
  };
}

/** Marks elements with a row by what is lit, hovered and pinned. */
export function useInstanceMarks(container: RefObject<HTMLElement | null>): void {
  const store = useSnapshot();
  const highlighted = store.highlighted.value;
  const hovered = store.instance.value;
  const pinned = new Set(pinnedOf(store.rows.value));
  useLayoutEffect(() => {
    for (const marked of container.current?.querySelectorAll<HTMLElement>(MARKED) ?? []) {
      const row = Number(marked.dataset.row);
      marked.classList.toggle("dim", highlighted !== null && highlighted[row] !== 1);
      marked.classList.toggle("hovered", row === hovered);
      marked.classList.toggle("pinned", pinned.has(row));
    }
  });
}
