/** Pointer on a projection: hovering, pinning, zooming and moving. */

import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { nearestRow, type PlacedPoints, pan, type View, WHOLE, zoomAround } from "../../draw/projection";
import { instanceRow, type WordRow } from "../../store/rows";
import { useSnapshot, useTab } from "../../ui/context";
import { leaveHover } from "../../ui/lighting";

const REACH = 8;
/** Of the wheel's way that doubles the picture. */
const DOUBLING = 240;
/** A press that moves further than this is a drag, not a click. */
const STILL = 3;

export interface PointerInputs {
  layer: string;
  placed: PlacedPoints;
  view: Signal<View>;
  width: number;
  height: number;
  /** What the dots are, where they are no instances. */
  words?: readonly WordRow[];
}

/** Zooms around a point of the picture; where all of it is in sight, turning the wheel back scrolls the panels. */
export function zoomByWheel(event: WheelEvent, view: Signal<View>, x: number, y: number): void {
  if (event.ctrlKey || (view.peek().scale === 1 && event.deltaY > 0)) return;
  event.preventDefault();
  view.value = zoomAround(view.peek(), 2 ** (-event.deltaY / DOUBLING), x, y);
}

/** Makes the nearest dot the hovered instance; a click pins it, a drag moves the picture, the wheel zooms. */
export function usePointer({ layer, placed, view, width, height, words }: PointerInputs) {
  const store = useSnapshot();
  const { urlState } = useTab();
  const drag = useRef<{ x: number; y: number; moved: number } | null>(null);
  const rowAt = (event: MouseEvent) => nearestRow(placed, view.peek(), event.offsetX, event.offsetY, REACH);

  const hover = (row: number | undefined) => {
    const instances = store.instances.state.peek().value;
    const before = store.hover.peek()?.row;
    const found = row === undefined || !instances ? undefined : (words?.[row] ?? instanceRow(instances, row));
    if (before?.key === found?.key) return;
    store.hover.value = found ? { source: "projection", layer, row: found } : null;
  };
  const dragTo = (event: PointerEvent) => {
    const held = drag.current;
    if (!held) return false;
    const [right, down] = [event.clientX - held.x, event.clientY - held.y];
    drag.current = { x: event.clientX, y: event.clientY, moved: held.moved + Math.abs(right) + Math.abs(down) };
    view.value = pan(view.peek(), right, down, width, height);
    return drag.current.moved > STILL;
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: 0 };
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (!dragTo(event)) hover(rowAt(event));
    },
    onPointerUp: (event: PointerEvent) => {
      const still = (drag.current?.moved ?? 0) <= STILL;
      drag.current = null;
      const row = rowAt(event);
      if (!still || event.button !== 0 || row === undefined) return;
      if (!words) store.togglePin(row);
      else if (words[row]) urlState.sort.value = words[row].key;
    },
    onPointerCancel: () => {
      drag.current = null;
    },
    onPointerLeave: () => leaveHover(store.hover),
    onWheel: (event: WheelEvent) => zoomByWheel(event, view, event.offsetX, event.offsetY),
    onDblClick: (event: MouseEvent) => {
      if (rowAt(event) === undefined) view.value = WHOLE;
    },
  };
}
