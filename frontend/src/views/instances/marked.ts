/** Marks and handlers of an instance's element, the same for squares and test cases. */

import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import { instanceRow, type MatrixRow, pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { useSnapshot } from "../../ui/context";
import { leaveHover } from "../../ui/lighting";

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
  return {
    onPointerOver: (event: PointerEvent) => {
      const row = rowOf(event);
      if (row === null) leaveHover(store.hover);
      else hoverRow(row);
    },
    onPointerLeave: () => leaveHover(store.hover),
    onFocusIn: (event: FocusEvent) => hoverRow(rowOf(event)),
    onFocusOut: () => hoverRow(null),
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

const MARKS = ["dim", "hovered", "pinned"] as const;

/**
 * Marks elements with a row by what is lit, hovered and pinned; only those whose marks change are touched. The component
 * that calls it is drawn again with the elements.
 *
 * @param isDimmed whether what is not lit is marked; squares have a veil over them instead
 */
export function useInstanceMarks(container: RefObject<HTMLElement | null>, { isDimmed = true } = {}): void {
  const store = useSnapshot();
  useLayoutEffect(() => {
    const marked = Array.from(container.current?.querySelectorAll<HTMLElement>(MARKED) ?? [], (element) => ({
      element,
      row: Number(element.dataset.row),
      marks: marksOf(element),
    }));
    return effect(() => {
      const { litMask, instance, rows } = store;
      const lit = isDimmed ? litMask.value : null;
      const [hovered, pinned] = [instance.value, pinnedAmong(rows.value)];
      for (const one of marked) {
        const isDim = lit !== null && lit[one.row] !== 1;
        const marks = Number(isDim) | (Number(one.row === hovered) << 1) | (Number(pinned.has(one.row)) << 2);
        if (marks === one.marks) continue;
        for (const [bit, name] of MARKS.entries()) one.element.classList.toggle(name, (marks & (1 << bit)) !== 0);
        one.marks = marks;
      }
    });
  });
}

const marksOf = ({ classList }: HTMLElement): number =>
  MARKS.reduce((marks, name, bit) => marks | (Number(classList.contains(name)) << bit), 0);

const pinnedSets = new WeakMap<readonly MatrixRow[], ReadonlySet<number>>();

/** The same for the same rows: every group of a thousand asks. */
function pinnedAmong(rows: readonly MatrixRow[]): ReadonlySet<number> {
  const pinned = pinnedSets.get(rows) ?? new Set(pinnedOf(rows));
  pinnedSets.set(rows, pinned);
  return pinned;
}
